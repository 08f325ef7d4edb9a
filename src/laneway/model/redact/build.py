"""The redactor of a process, as its settings and environment say; the same in SDK, hub and command line."""

import os

from laneway.base.errors import SettingError, redact_quotes
from laneway.model.redact.keys import environment_secrets
from laneway.model.redact.redactor import Redactor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    from laneway.base.settings import Settings
    from laneway.model.redact.scan import Span

    class Extra(Protocol):
        """What is looked for beside the pack. Its methods may raise: then the payload is withheld."""

        def may_match(self, low: str) -> bool:
            """Whether a text or line in lower case may hold something. False means: surely not."""

        def is_secret_name(self, name: str) -> bool: ...

        def named(self, name: str, value: str) -> str:
            """The rule that takes ``value`` because of the name of its field, or an empty text."""

        def find(self, text: str) -> list[Span]: ...


def make_redactor(settings: "Settings", env: "Mapping[str, str]") -> Redactor:
    """With the key of this machine, so that marks of one secret agree in all its processes.

    What errors of this process quote goes through it from now on.

    Raises:
        SettingError: a rule of the user is wrong.
    """
    key_path = os.path.join(settings.home, "redact.key")
    redactor = Redactor(environment_secrets(env), key_path, make_extra(settings))
    redact_quotes(redactor.redact_text)
    return redactor


def make_extra(settings: "Settings") -> "Extra | None":
    """What the settings add to the pack.

    Raises:
        SettingError: a rule of the user is wrong.
    """
    if not settings.redact_rules and not settings.redact_personal:
        return None
    from laneway.model.redact import custom

    return custom.make_extra(settings.redact_rules, personal=settings.redact_personal)


def try_make_redactor(settings: "Settings", env: "Mapping[str, str]") -> tuple[Redactor, str]:
    """For a host that must not be harmed: with wrong rules, a redactor that withholds every payload
    and lets the events through; and what is wrong."""
    try:
        return make_redactor(settings, env), ""
    except SettingError as error:
        return Redactor(extra=_Broken()), error.message + (f" ({error.hint})" if error.hint else "")


class _Broken:
    """Stands where rules cannot be had: each look at it fails, and a fault of the redactor withholds."""

    def may_match(self, low: str) -> bool:
        raise RuntimeError("the rules of the user are wrong")

    def is_secret_name(self, name: str) -> bool:
        raise RuntimeError("the rules of the user are wrong")

    def named(self, name: str, value: str) -> str:
        raise RuntimeError("the rules of the user are wrong")

    def find(self, text: str) -> "list[Span]":
        raise RuntimeError("the rules of the user are wrong")
