"""A user's pattern as something that no text can make slow.

Patterns of a simple form run on the standard library: literals, classes, and bounded
repeats of one of these, each followed by something that it cannot take itself. Such a
pattern never has two ways to go on, so that possessive repeats mean the same, and each
start costs at most `MOST_CHARS` steps. Everything else needs google-re2, which is linear
in the text whatever the pattern says.
"""

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Pattern(Protocol):
        """`re.Pattern`, or that of re2."""

        @property
        def groups(self) -> int: ...
        def search(self, text: str) -> Any: ...
        def finditer(self, text: str) -> Any: ...


MOST_CHARS = 1_024
"""The longest text that a pattern of the simple form may match."""

RE2_HINT = (
    "install `laneway[re2]`, or keep to literals, classes and bounded repeats such as [a-z]{8,40}"
)

_CHARS = [chr(code) for code in range(128)] + ["\u00e9", "\u4e2d", "\u2028", "\u0663"]
"""What classes are tried on: ASCII, and a few beyond it for all the others."""

_BEYOND = "beyond ASCII"


class PatternError(ValueError):
    """What is wrong with a pattern; ``hint`` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def compile_safe(pattern: str) -> "Pattern":
    """
    Raises:
        PatternError: it is no pattern, matches nothing at all, or needs re2, which is not installed.
    """
    try:
        rewritten = rewrite(pattern)
    except re.error as error:
        rewritten = ""
        reason = str(error)
    else:
        reason = "it can match in more than one way, or without a bound"
    compiled: Pattern = re.compile(rewritten) if rewritten else _compile_re2(pattern, reason)
    if compiled.search("") is not None:
        raise PatternError("it matches the empty text")
    return compiled


def _compile_re2(pattern: str, reason: str) -> "Pattern":
    try:
        import re2
    except ImportError:
        raise PatternError(reason, RE2_HINT) from None
    options = re2.Options()
    options.log_errors = False
    try:
        compiled: Pattern = re2.compile(pattern, options)
    except re2.error as error:
        text = error.args[0] if error.args else error
        raise PatternError(text.decode() if isinstance(text, bytes) else str(text)) from None
    return compiled


def rewrite(pattern: str) -> str:
    """``pattern`` with possessive repeats, if it is of the simple form; else an empty text.

    Raises:
        re.error: it is no pattern.
    """
    from re import _parser  # type: ignore[attr-defined]

    tree = _parser.parse(pattern)
    if tree.state.flags & ~re.UNICODE.value or not _is_simple(list(tree)):
        return ""
    # A repeat is followed by what it cannot take: to give nothing back changes no match.
    return _REPEAT.sub(lambda found: f"{found[0]}+" if found[1] else found[0], pattern)


_REPEAT = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|(\{\d*,\d+\}|\?(?!:))", re.DOTALL)
"""A repeat of variable length, outside of classes and escapes."""


def _is_simple(nodes: "list[Any]") -> bool:
    """Whether ``nodes`` are literals, classes, bounded repeats of them, and one group of these."""
    flat: list[tuple[int, int, frozenset[str]]] = []
    if not _flatten(nodes, flat, 0):
        return False
    if sum(most for _, most, _ in flat) > MOST_CHARS:
        return False
    for place, (least, most, chars) in enumerate(flat):
        if least == most:
            continue
        for following_least, _, following in flat[place + 1 :]:
            if chars & following:
                return False
            if following_least:
                break
    return True


def _flatten(nodes: "list[Any]", flat: "list[tuple[int, int, frozenset[str]]]", depth: int) -> bool:
    """(least, most, characters) of each part; False where one is not of the simple form."""
    from re import _constants as sre  # type: ignore[attr-defined]

    for kind, argument in nodes:
        if kind in (sre.LITERAL, sre.NOT_LITERAL, sre.IN, sre.ANY):
            flat.append((1, 1, _chars_of([(kind, argument)])))
        elif kind is sre.MAX_REPEAT:
            least, most, inner = argument
            if len(inner) != 1 or inner[0][0] not in (
                sre.LITERAL, sre.NOT_LITERAL, sre.IN, sre.ANY,
            ):  # fmt: skip
                return False
            flat.append((least, int(most), _chars_of(list(inner))))
        elif kind is sre.SUBPATTERN and depth == 0 and not argument[1] and not argument[2]:
            if not _flatten(list(argument[3]), flat, 1):
                return False
        elif kind is not sre.AT:  # a boundary takes nothing
            return False
    return True


def _chars_of(nodes: "list[Any]") -> frozenset[str]:
    """The ASCII characters that one of ``nodes`` takes, and `_BEYOND` if it takes others."""
    from re import _compiler, _parser  # type: ignore[attr-defined]
    from re import _constants as sre  # type: ignore[attr-defined]

    one: Any = _parser.SubPattern(_parser.State(), list(nodes))
    one.state.str = ""
    compiled = _compiler.compile(one)
    found = {char if char.isascii() else _BEYOND for char in _CHARS if compiled.fullmatch(char)}
    for kind, argument in nodes:
        parts = argument if kind is sre.IN else [(kind, argument)]
        if any(name is sre.LITERAL and value > 127 for name, value in parts):
            found.add(_BEYOND)
    return frozenset(found)


def literal_prefix(pattern: str) -> str:
    """The letters and signs that every match begins with; empty where there are none."""
    from re import _constants as sre  # type: ignore[attr-defined]
    from re import _parser  # type: ignore[attr-defined]

    try:
        tree = _parser.parse(pattern)
    except re.error:
        return ""
    if tree.state.flags & re.IGNORECASE.value:
        return ""
    prefix = ""
    for kind, argument in tree:
        if kind is not sre.LITERAL:
            break
        prefix += chr(argument)
    return prefix
