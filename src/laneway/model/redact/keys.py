"""Names of fields and variables whose values are secrets.

A name counts with any case and any of ``-_. `` at its seams, whole or as the end
of a longer one: ``password``, ``dbPassword``, ``X-Api-Key``. Plurals of token,
counts, authors and session ids do not: agent logs are full of them.
"""

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_SEAM = "[-_. ]?"

_NAMES = (
    ("password", "password", ("pass",), "password|passwd|passphrase|passwort"),
    ("secret", "password", ("secret",), "secret"),
    ("key", "password", ("key",),
     f"(?:api|access|secret|private|signing|encryption|master|shared|account|auth|service|ssh|webhook|subscription)"
     f"{_SEAM}key(?:{_SEAM}(?:base64|b64|pem))?"),
    ("pwd", "opaque", ("pwd", "pass"), "pwd|[-_. ]pass"),
    ("token", "opaque", ("token",), "token"),
    ("authorization", "opaque", ("authorization",), "authorization"),
    ("credential", "opaque", ("credential",), "credentials?"),
    ("cookie", "cookie", ("cookie",), "cookies?"),
    ("connection", "connection", ("dsn", "connection"), f"dsn|connection{_SEAM}string"),
)  # fmt: skip
"""(rule, check of the value, words of which one is in every such name, pattern of the name's end). Most
names have no such word, and a process that lives for one event compiles no pattern for them."""

_HARMLESS = (
    "(?:page|next|continuation|sync|cursor|eos|bos|pad|unk|mask|sep|cls|stop|start|end|first|last|"
    f"special|prompt|max|min|per|num|count){_SEAM}token$"
)
"""Tokens that turn pages or delimit text."""

_CACHE_NAMES = 4_096
"""Names are few and repeat; a stream of invented ones must not fill the memory."""

_cache: dict[str, tuple[str, str] | None] = {}


def secret_name(name: str) -> tuple[str, str] | None:
    """The rule that ``name`` falls under and the check that its value must pass; None if harmless."""
    try:
        return _cache[name]
    except KeyError:
        found = _judge(name)
        if len(_cache) < _CACHE_NAMES:
            _cache[name] = found
        return found


def _judge(name: str) -> tuple[str, str] | None:
    if len(name) > 200:
        return None
    lower = name.lower()
    for rule, check, words, pattern in _NAMES:
        if any(word in lower for word in words) and re.search(f"(?:{pattern})$", lower):
            is_harmless = rule == "token" and re.search(_HARMLESS, lower)
            return None if is_harmless else (rule, check)
    return None


def environment_secrets(env: "Mapping[str, str]") -> tuple[str, ...]:
    """Values of secret-named variables, of 8 characters and more, that are no ordinary words."""
    return tuple(
        sorted(
            {value for name, value in env.items() if secret_name(name) and _is_distinct(value)},
            key=len,
            reverse=True,
        )
    )


def _is_distinct(value: str) -> bool:
    from laneway.model.redact.judge import is_opaque

    return len(value) >= 8 and (is_opaque(value) or (len(value) >= 16 and " " in value))
