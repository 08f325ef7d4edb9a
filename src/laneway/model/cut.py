"""A line that is too long, made to fit: the longest texts lose their tails and say so.

Fields that identify an event are never cut. The mark tells how many bytes are
gone and the SHA-256 of the whole text, so that equal payloads can be matched.
"""

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

KEPT_FIELDS = frozenset({
    "timestamp", "agent", "event", "id", "session_id", "trace_id", "span_id", "parent_span_id",
    "parent_agent",
})  # fmt: skip
"""They tell which event this is; `limits.NAME_CHARS` keeps them short."""

HEAD_BYTES = 200
"""A text is not cut below this: what remains must still tell what it was."""

MARK_BYTES = 80
"""Room for the mark, with 13 digits for the bytes gone."""

HASH_BYTES = 16 * 1024 * 1024
"""Longer texts are cut without a hash: hashing them would hold up the caller for a tenth of a second."""

_CHUNK_CHARS = 1024 * 1024
_MARK = re.compile(r"…\[cut: (\d{1,15}) bytes gone(, sha256 [0-9a-f]{16})?\]\Z")


def fit(tree: "dict[str, Any]", limit: int) -> bytes:
    """The line of ``tree`` in at most ``limit`` bytes, with ``truncated`` set. Changes ``tree``."""
    import orjson

    from laneway.model.readable import read_event

    tree["truncated"] = True
    nodes = 20_000
    while nodes > 20:
        if _cut_texts(tree, limit):
            return orjson.dumps(tree)
        nodes //= 4
        tree = read_event(tree, nodes)
    return orjson.dumps(_identity(tree))


def shorten(text: str, keep: int) -> str:
    """The first ``keep`` characters and the mark; a mark that is there already is brought up to date."""
    body, gone, digest = split_mark(text)
    if len(body) <= keep:
        return text
    if not gone:
        digest = _digest(text)
    return _clean(body[:keep]) + join_mark(gone + _utf8_size(body, keep), digest)


def split_mark(text: str) -> tuple[str, int, str]:
    """The text before the mark, the bytes that it says are gone, and its hash clause."""
    found = _MARK.search(text, max(0, len(text) - MARK_BYTES))
    if found is None:
        return text, 0, ""
    return text[: found.start()], int(found[1]), found[2] or ""


def join_mark(gone: int, digest: str) -> str:
    return f"…[cut: {gone} bytes gone{digest}]"


def _digest(text: str) -> str:
    if len(text) > HASH_BYTES:
        return ""
    from hashlib import sha256

    whole = sha256()
    for start in range(0, len(text), _CHUNK_CHARS):
        whole.update(text[start : start + _CHUNK_CHARS].encode("utf-8", "replace"))
    return f", sha256 {whole.hexdigest()[:16]}"


def _utf8_size(text: str, start: int) -> int:
    if text.isascii():
        return len(text) - start
    return sum(
        len(text[at : at + _CHUNK_CHARS].encode("utf-8", "replace"))
        for at in range(start, len(text), _CHUNK_CHARS)
    )


def _clean(text: str) -> str:
    from laneway.model.readable import clean_text

    return clean_text(text)


def _cut_texts(tree: "dict[str, Any]", limit: int) -> bool:
    """Cut the longest texts until the line fits; False where that takes more than cutting texts."""
    import orjson

    leaves = [leaf for leaf in _texts(tree) if len(leaf[2]) > HEAD_BYTES]
    for box, key, _ in leaves:
        box[key] = ""
    room = limit - len(orjson.dumps(tree))
    sizes = [len(orjson.dumps(text[:limit])) - 2 for _, _, text in leaves]
    level = _level(sizes, room)
    fits = room >= 0 and (level >= HEAD_BYTES or not leaves)
    for (box, key, text), size in zip(leaves, sizes, strict=True):
        box[key] = _cut_to(text, level - MARK_BYTES) if fits and size > level else text
    return fits


def _texts(tree: "dict[str, Any]") -> "list[tuple[Any, Any, str]]":
    """Every text that may be cut, as (container, key or index, text)."""
    found: list[tuple[Any, Any, str]] = []
    boxes: list[Any] = [tree]
    while boxes:
        box = boxes.pop()
        for key, value in list(box.items() if isinstance(box, dict) else enumerate(box)):
            if isinstance(value, str):
                if box is not tree or key not in KEPT_FIELDS:
                    found.append((box, key, value))
            elif isinstance(value, (dict, list)):
                boxes.append(value)
    return found


def _level(sizes: list[int], room: int) -> int:
    """The highest cap at which the sizes, each cut to it, fill at most ``room``."""
    left = room
    for done, size in enumerate(sorted(sizes)):
        share = left // (len(sizes) - done)
        if size > share:
            return share
        left -= size
    return max(sizes, default=0) if left >= 0 else -1


def _cut_to(text: str, size: int) -> str:
    """``text`` whose head takes at most ``size`` bytes as JSON, without its quotes."""
    import orjson

    body, _, _ = split_mark(text)
    head = orjson.dumps(body[:size])[1:-1][:size]
    while True:
        try:
            kept = orjson.loads(b'"' + head + b'"')
        except (
            orjson.JSONDecodeError
        ):  # in the middle of a character or an escape: at most 11 bytes
            head = head[:-1]
        else:
            return shorten(text, len(kept))


def _identity(tree: "dict[str, Any]") -> "dict[str, Any]":
    """What is left of an event whose very structure does not fit."""
    kept = {field: str(tree[field])[:256] for field in tree if field in KEPT_FIELDS}
    return {**kept, "content": "[too large to keep]", "truncated": True}
