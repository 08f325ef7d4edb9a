"""Whether a value that stands where secrets stand is one: placeholders and plain words are not."""

from laneway.model.redact.mark import is_mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_NO_VALUE = frozenset({
    "none", "null", "true", "false", "string", "str", "text", "required", "optional", "undefined",
    "password", "secret", "token", "apikey", "api_key", "hidden", "masked", "redacted", "unknown",
    "missing", "empty", "invalid", "expired", "default", "example", "undefined,", "nullable", "object",
    "boolean", "number", "integer",
})  # fmt: skip
_OPENERS = (
    "<",
    "${",
    "$(",
    "{{",
    "{",
    "%(",
    "os.",
    "process.env",
    "env.",
    "self.",
    "...",
    "…",
)
_SCHEMES = ("bearer ", "basic ", "token ", "digest ", "negotiate ", "apikey ", "aws4-hmac-sha256 ")
_PATHS = ("/", "~", "./", "../")


def is_placeholder(value: str) -> bool:
    """``****``, ``${TOKEN}``, ``<your key>``, ``sk-…xxxx``, ``AKIA…EXAMPLE``, or our own marker."""
    if value.startswith(_OPENERS) or value.lower() in _NO_VALUE or is_mark(value):
        return True
    if _is_version(value.lstrip("=")):
        return True
    if value[:1] == "$" and value[1:].replace("_", "").isalnum() and value[1:].isupper():
        return True
    return "EXAMPLE" in value or not value.strip("*xX.•-_#") or "..." in value or "xxxx" in value


def _is_version(value: str) -> bool:
    """``1.3.14``: what a package's name is pinned to, and an address of numbers."""
    return "." in value and value.replace(".", "").isdigit()


def is_any(value: str) -> bool:
    return True


def is_random(value: str) -> bool:
    """Two of lower case, upper case and digits, and at least four different characters."""
    kinds = value.upper() != value, value.lower() != value, not _DIGITS.isdisjoint(value)
    return sum(kinds) >= 2 and len(set(value)) >= 4 and not is_placeholder(value)


def is_varied(value: str) -> bool:
    """Four different characters: for shapes that no word has."""
    return len(set(value)) >= 4 and not is_placeholder(value)


def is_mixed(value: str) -> bool:
    """`is_random` with a digit, a small and a large letter: no long name in any spelling."""
    has_digit = not _DIGITS.isdisjoint(value)
    return (
        has_digit and value.upper() != value.lower() != value != value.upper() and is_random(value)
    )


def is_mailchimp(value: str) -> bool:
    """32 hex digits and the data centre: ``…-us12``."""
    return _HEX_DIGITS.issuperset(value.partition("-us")[0]) and value.find("-us") == 32


_DIGITS = frozenset("0123456789")
_HEX_DIGITS = frozenset("0123456789abcdef")


def is_password(value: str) -> bool:
    """Any text of four characters and more that is no placeholder."""
    return len(value) >= 4 and not is_placeholder(value)


def is_opaque(value: str) -> bool:
    """No prose, no path: eight characters with a digit, or twenty of any kind, without a space."""
    if value[:20].lower().startswith(_SCHEMES):
        value = value.partition(" ")[2].strip()
    if len(value) < 8 or value.startswith(_PATHS) or is_placeholder(value):
        return False
    if " " in value or "\n" in value:
        return False
    return not _DIGITS.isdisjoint(value) or (len(value) >= 20 and value.lower() != value)


def is_cookie(value: str) -> bool:
    name, sign, rest = value.partition("=")
    return bool(sign) and len(value) >= 6 and " " not in name.strip() and not is_placeholder(rest)


def is_connection(value: str) -> bool:
    """A DSN or connection string with something to hide: ``user:password@``, or ``key=value``."""
    return ("@" in value or "=" in value) and not is_placeholder(value)


def is_basic(value: str) -> bool:
    """Base64 of ``user:password`` (RFC 7617)."""
    from binascii import Error, a2b_base64

    try:
        return b":" in a2b_base64(value)
    except Error:
        return False


def is_assigned(value: str, name: str, quoted: bool) -> bool:
    """Whether ``NAME=value`` in a text assigns a password and no variable, type or expression."""
    if not is_password(value):
        return False
    if quoted:
        # What begins so is the code after a quote that ends: ``"password=" + value``.
        return value[0] not in " )+,;" and (" " not in value or name.startswith("pass"))
    return name.isupper() or not _is_word(value)


def is_wordless(value: str) -> bool:
    """A password with a digit or a sign in it, where a word of prose may stand as well."""
    return is_password(value) and not _is_word(value)


def _is_word(value: str) -> bool:
    """Whether it may be a word or the name of a variable: without a digit and a sign, and not of pieces as
    short as no name has them (``lKYxWujVidDjuP-W``)."""
    if not (_DIGITS.isdisjoint(value) and _SIGNS.isdisjoint(value)):
        return False
    if value.islower() or value.isupper() or "." in value:
        return True
    pieces, chars = _count_pieces(value), sum(map(str.isalpha, value))
    return not (pieces >= 4 and chars <= 2.5 * pieces) and not (pieces >= 5 and chars <= 3 * pieces)


def _count_pieces(value: str) -> int:
    """What a name in camel case is made of: ``get`` ``User`` ``ID``. Most texts of 16 letters of both
    cases, drawn by chance, have pieces so short; of the names in the sources of a hundred packages fewer
    than one in fifty, and most of those are base64."""
    count, before = 0, " "
    for char, after in zip(value, value[1:] + " ", strict=True):
        if char.isupper():
            count += not before.isupper() or after.islower()
        elif char.islower():
            count += not before.isalpha()
        before = char
    return count


_SIGNS = frozenset("!@#$%^*+/=~?")

CHECKS: "dict[str, Callable[[str], bool]]" = {
    "any": is_any,
    "random": is_random,
    "varied": is_varied,
    "mixed": is_mixed,
    "mailchimp": is_mailchimp,
    "password": is_password,
    "wordless": is_wordless,
    "opaque": is_opaque,
    "cookie": is_cookie,
    "connection": is_connection,
    "basic": is_basic,
}
