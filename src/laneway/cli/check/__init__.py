"""What `doctor` looks at: each check is a function from settings to findings, and harms nothing."""

from typing import NamedTuple

OK, NOTE, WARN, FAIL = "ok", "note", "warn", "fail"
"""Fine; worth knowing; works, but not as it should; broken."""


class Finding(NamedTuple):
    """One line of the report."""

    name: str
    state: str
    value: str
    remedy: str = ""
    """What to do; a command where there is one."""
