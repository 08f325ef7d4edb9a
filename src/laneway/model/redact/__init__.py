"""What must never be in an event: secrets, found by name, by shape, and by the environment's values.

Policy: names first, then vendor shapes; no guess by entropy alone; never numbers;
never first or last characters; fail closed. Documented example keys (``AKIA…EXAMPLE``) stay.
"""

from laneway.model.redact.build import make_redactor, try_make_redactor
from laneway.model.redact.keys import environment_secrets
from laneway.model.redact.redactor import Redactor

__all__ = ["Redactor", "environment_secrets", "make_redactor", "try_make_redactor"]
