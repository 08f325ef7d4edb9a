"""Globs, and regular expressions by RE2: linear in the text, whatever a stranger writes."""

import re
from collections.abc import Callable
from functools import lru_cache

from laneway.base.errors import QueryError, quote

REGEX_CHARS = 1_000
REGEX_BYTES = 8 * 2**20
"""Memory of one compiled expression at most; RE2 refuses what would need more."""

REGEX_STEPS = 1_000
"""Signs of an expression at most, with what stands within a counted repeat multiplied out. RE2 takes time
by steps and text: with 2,000 a line of 200 KB took half a minute, and with 100,000 the expression alone a
minute and a half, in which nothing else ran."""

Search = Callable[[str], bool]

_SIGN = re.compile(
    r"\\[pPxX]\{[^}]*\}|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{(?P<least>\d+)(?:,(?P<most>\d*))?\}|.",
    re.DOTALL | re.ASCII,
)

_GLOB = re.compile(r"\\(.)|(\*)|(\?)|([^\\*?]+)|(\\)$", re.DOTALL)


@lru_cache(maxsize=256)
def compile_glob(pattern: str) -> Search:
    """Whether a text is all of ``pattern``. Linear: the wildcards are matched greedily from the left."""
    pieces = pattern_pieces(pattern)
    if None not in pieces:
        length = len(pieces)
        return lambda text: len(text) == length and _fits(text, 0, pieces)
    runs: list[list[str]] = [[]]
    for piece in pieces:
        if piece is None:
            runs.append([])
        else:
            runs[-1].append(piece)
    head, *middle, tail = runs
    return lambda text: _is_like(text, head, middle, tail)


def pattern_pieces(pattern: str) -> list[str | None]:
    """Single characters; None for ``*``, an empty text for ``?``."""
    pieces: list[str | None] = []
    for plain, star, mark, run, slash in _GLOB.findall(pattern):
        if star:
            pieces.append(None)
        elif mark:
            pieces.append("")
        else:
            pieces.extend(plain or run or slash)
    return pieces


def _is_like(text: str, head: list[str], middle: list[list[str]], tail: list[str]) -> bool:
    end = len(text) - len(tail)
    if end < len(head) or not _fits(text, 0, head) or not _fits(text, end, tail):
        return False
    place = len(head)
    for run in middle:
        last = end - len(run)
        while place <= last and not _fits(text, place, run):
            place += 1
        if place > last:
            return False
        place += len(run)
    return True


def _fits(text: str, place: int, run: "list[str] | list[str | None]") -> bool:
    return all(not want or text[place + i] == want for i, want in enumerate(run))


@lru_cache(maxsize=64)
def compile_regex(pattern: str, ignores_case: bool) -> Search:
    """Whether the expression is met anywhere in a text.

    Raises:
        QueryError: it is none, is too large, or RE2 is not installed.
    """
    if len(pattern) > REGEX_CHARS:
        raise QueryError(
            f"a regular expression of {len(pattern)} characters, at most {REGEX_CHARS} are taken"
        )
    steps = count_steps(pattern)
    if steps > REGEX_STEPS:
        raise QueryError(
            f"a regular expression of {steps} steps, at most {REGEX_STEPS} are taken",
            hint="a repeat that is counted, as x{0,500}, is as long as what it stands for; x* is short",
        )
    try:
        import re2
    except ImportError:
        raise QueryError(
            "regular expressions need RE2, which is not installed",
            hint='pip install "laneway[hub]", or look for a fragment: ~"text"',
        ) from None
    options = re2.Options()
    options.case_sensitive = not ignores_case
    options.log_errors = False
    options.max_mem = REGEX_BYTES
    try:
        compiled = re2.compile(pattern.encode("utf-8", "replace"), options)
    except re2.error as error:
        reason = error.args[0].decode("utf-8", "replace") if error.args else "unknown"
        raise QueryError(
            f"{quote(pattern)} is not a regular expression: {reason}",
            hint="put a backslash before a sign that is meant as it is",
        ) from None
    return lambda text: compiled.search(text.encode("utf-8", "replace")) is not None


def count_steps(pattern: str) -> int:
    """How long ``pattern`` is without counted repeats; rather too many where it is no expression."""
    totals, last = [0], 0
    for sign in _SIGN.finditer(pattern):
        text = sign[0]
        if text == "(":
            totals.append(0)
            last = 0
        elif text == ")" and len(totals) > 1:
            last = totals.pop() + 1
            totals[-1] += last
        elif sign["least"]:
            times = max(int(sign["least"]), int(sign["most"] or 0), 1)
            totals[-1] += last * (times - 1)
            last *= times
        elif text not in "*+?|":
            last = 1
            totals[-1] += last
    return sum(totals)
