"""Which anchors a long text holds, in one look where ``ahocorasick-rs`` is installed.

Without it, each anchor costs a look of its own; the anchors of tokens are then looked
for in the long runs only. Either way `find_spans` finds no less than in a short text: like
every sieve it may hold back what is clean, never let pass what a rule would match.
"""

import re

from laneway.model.redact.patterns import BASE64_CHARS, HEX_ANCHORS, RUN_CHARS, SPLIT_ANCHORS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from laneway.model.redact.patterns import Rule

LONG_CHARS = 16 * 1024
"""From here on looking for each anchor takes most of the time."""

PIECE_BYTES = 256 * 1024
"""Looked at in one go: a text of nothing but anchors gives one hit for every few bytes."""

DENSE_RUNS = 1_000
"""So many long runs are taken apart faster by splitting the whole text than one by one."""

_TOKEN_CHARS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_BASE64_BYTES = _TOKEN_CHARS[:62] + b"+/"
_HEX = "0123456789abcdefABCDEF"
_HEX_BYTES = _HEX.encode()
_SGR_END = re.compile("[0-9]{0,8}m")


def _classes(chars: bytes) -> bytes:
    """A table for `bytes.translate`: ``a`` for each of ``chars``, a space for all others."""
    return bytes(97 if code in chars else 32 for code in range(256))


_TOKEN_CLASSES, _BASE64_CLASSES = _classes(_TOKEN_CHARS), _classes(_BASE64_BYTES)
_TOKENS_ONLY = bytes(code if code in _TOKEN_CHARS else 32 for code in range(256))


def load_automaton(anchors: "Sequence[str]") -> "Callable[[bytes], set[str]] | None":
    """What tells the ``anchors`` that a text holds; None without the library."""
    try:
        from ahocorasick_rs import BytesAhoCorasick, Implementation
    except ImportError:
        return None
    automaton = BytesAhoCorasick(
        [anchor.encode() for anchor in anchors], implementation=Implementation.DFA
    )
    overlap = max(map(len, anchors))

    def present(data: bytes) -> set[str]:
        found: set[int] = set()
        for start in range(0, len(data), PIECE_BYTES):
            piece = data[start : start + PIECE_BYTES + overlap]
            found.update([hit[0] for hit in automaton.find_matches_as_indexes(piece, True)])
        return {anchors[index] for index in found}

    return present


def holds(text: str, part: str) -> bool:
    """``part in text``, which in a long text takes up to three times as long from the left."""
    return text.rfind(part) >= 0


class Tokens:
    """The anchors of tokens without an automaton. Most begin a word, so that the pieces which words
    begin with (``sk-``) tell nearly all."""

    __slots__ = ("_by_piece", "_elsewhere", "_inside")

    def __init__(self, rules: "Mapping[str, Rule]") -> None:
        self._by_piece: dict[str, list[str]] = {}
        self._inside: list[str] = []
        self._elsewhere: list[str] = []
        for anchor, rule in rules.items():
            piece = re.match("[A-Za-z0-9]*[-_]", anchor)
            if anchor in SPLIT_ANCHORS or not re.fullmatch("[A-Za-z0-9_-]+", anchor):
                self._elsewhere.append(anchor)
            elif rule.before != "word" or piece is None:
                self._inside.append(anchor)
            else:
                self._by_piece.setdefault(piece[0], []).append(anchor)

    def present(self, text: str, runs: "Sequence[str]") -> set[str]:
        """The anchors that ``runs``, the long runs of ``text``, hold or follow."""
        hay = " ".join(runs)
        pieces = _pieces(hay)
        if "%" in text:  # ``%3Dsk-``: the run begins with the two digits
            pieces |= _pieces(" ".join([run[2:] for run in runs]))
        if "\x1b" in text:  # ``ESC[31msk-``: it begins with ``31m``
            pieces |= _pieces(" ".join([_SGR_END.sub("", run, count=1) for run in runs]))
        found = {anchor for anchor in self._inside if holds(hay, anchor)}
        found.update(anchor for anchor in self._elsewhere if holds(text, anchor))
        for piece in pieces & self._by_piece.keys():
            found.update(anchor for anchor in self._by_piece[piece] if holds(hay, anchor))
        return found


def _pieces(hay: str) -> set[str]:
    return set(hay.replace("-", "- ").replace("_", "_ ").split(" "))


def token_runs(data: bytes) -> list[str]:
    """The runs of `RUN_CHARS` token characters and more, but for UUIDs and hex digests."""
    found: list[str] = []
    for start, end in _runs(data, _TOKEN_CLASSES, RUN_CHARS):
        if len(found) >= DENSE_RUNS:
            words = data[start:].translate(_TOKENS_ONLY).decode("latin-1").split()
            long = [word for word in words if len(word) >= RUN_CHARS]
            return found + [word for word in long if _is_token(word)]
        run = data[start:end].decode("latin-1")
        if _is_token(run):
            found.append(run)
    return found


def _is_token(run: str) -> bool:
    return bool(run.strip(_HEX + "-")) or run.startswith(HEX_ANCHORS)


def base64_runs(data: bytes) -> list[tuple[int, int]]:
    """Where runs of base64 stand that are long enough to be looked into, without their padding."""
    found = list(_runs(data, _BASE64_CLASSES, BASE64_CHARS))
    is_hex = all(not data[start:end].strip(_HEX_BYTES) for start, end in found)
    return [] if is_hex else found


def _runs(data: bytes, classes: bytes, least: int) -> "Iterator[tuple[int, int]]":
    signs = data.translate(classes).decode("latin-1")
    run = "a" * least
    at = signs.find(run)
    while at >= 0:
        end = signs.find(" ", at)
        end = len(signs) if end < 0 else end
        yield at, end
        at = signs.find(run, end)
