"""A line that is too long, made to fit: the longest texts lose their tails and say so.

Fields that identify an event are never cut. The mark tells how many bytes are gone and
the SHA-256 of the whole text, so that equal payloads can be matched. Where there is a
`Shelf`, it keeps the whole first, and the field ``side_files`` says what it has.
"""

import re

from laneway.base.errors import LanewayError
from laneway.base.limits import SIDE_FILES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any, Protocol

    class Shelf(Protocol):
        """What keeps whole payloads; see `laneway.log.side`."""

        limit_bytes: int

        def keep(self, data: bytes) -> str:
            """The SHA-256 of ``data`` once it is kept, ``""`` where it is not. Raises nothing."""

        def lose(self, reason: str) -> None:
            """Count a payload of which only the beginning is kept."""


SIDE_FIELD = "side_files"

SIDE_ROOM_BYTES = 8 * 1024
"""Left in a line for `SIDE_FIELD`: `SIDE_FILES` entries with paths of `PATH_CHARS`."""

PATH_CHARS = 300
"""A text deeper in its event than this path (RFC 6901) can tell is kept with the field that it is in."""

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
_DIGEST = re.compile("[0-9a-f]{64}")
_MARK = re.compile(r"…\[cut: (\d{1,15}) bytes gone(, sha256 [0-9a-f]{16})?\]\Z")


def fit(tree: "dict[str, Any]", limit: int, shelf: "Shelf | None" = None) -> bytes:
    """The line of ``tree`` in at most ``limit`` bytes, with ``truncated`` set. Changes ``tree``."""
    import orjson

    from laneway.model.readable import read_event

    tree["truncated"] = True
    files = _set_aside(tree, limit - SIDE_ROOM_BYTES, shelf) if shelf is not None else []
    if files:
        limit -= len(orjson.dumps({SIDE_FIELD: files}))
        tree.pop(SIDE_FIELD, None)
    nodes = 20_000
    while nodes > 20:
        if _cut_texts(tree, limit):
            return orjson.dumps({**tree, SIDE_FIELD: files} if files else tree)
        nodes //= 4
        tree = read_event(tree, nodes)
    return orjson.dumps({**_identity(tree), SIDE_FIELD: files} if files else _identity(tree))


def iter_side_files(event: "Mapping[str, Any]") -> "Iterator[tuple[str, str, str]]":
    """(path, SHA-256, form) of each well-formed entry of an event's `SIDE_FIELD`; whatever else
    stands there is somebody else's field of that name."""
    files = event.get(SIDE_FIELD)
    for file in files if isinstance(files, list) else ():
        if not isinstance(file, dict):
            continue
        path, digest, form = file.get("path"), file.get("sha256"), file.get("form")
        if isinstance(path, str) and isinstance(digest, str) and form in ("text", "json"):
            found = _DIGEST.fullmatch(digest)
            if found:
                yield path, digest, form


def put_back(event: "dict[str, Any]", read: "Callable[[str], bytes]") -> int:
    """Put every payload that ``read`` gives for its SHA-256 in its place again; how many it gave not.

    ``read`` raises a `LanewayError` for those. Changes ``event``.
    """
    import orjson

    placed, missing_count = [], 0
    for path, digest, form in iter_side_files(event):
        try:
            data = read(digest)
            value = orjson.loads(data) if form == "json" else data.decode("utf-8", "replace")
        except (LanewayError, ValueError):
            missing_count += 1
            continue
        if _place(event, path, value):
            placed.append(path)
        else:
            missing_count += 1
    if placed:
        rest = [file for file in event.pop(SIDE_FIELD) if not _is_entry(file, placed)]
        if rest:
            event[SIDE_FIELD] = rest
        elif not any(is_cut(text) for _, _, text, _ in _texts(event)):
            event.pop("truncated", None)
    return missing_count


def _is_entry(file: object, paths: "list[str]") -> bool:
    return isinstance(file, dict) and file.get("path") in paths


def _place(event: "dict[str, Any]", path: str, value: object) -> bool:
    """Put ``value`` where ``path`` leads, if something stands there that may be cut."""
    if not path.startswith("/"):
        return False
    *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]
    box: Any = event
    for part in parents:
        box = _step(box, part)
    if _step(box, last) is None or (box is event and last in KEPT_FIELDS):
        return False
    box[int(last) if isinstance(box, list) else last] = value
    return True


def _step(box: "Any", part: str) -> "Any":
    if isinstance(box, dict):
        return box.get(part)
    is_index = isinstance(box, list) and part.isascii() and part.isdigit() and int(part) < len(box)
    return box[int(part)] if is_index else None


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


def is_cut(text: str) -> bool:
    """Whether ``text`` is the beginning of a longer one, and says so."""
    return text.endswith("]") and split_mark(text)[1] > 0


def _set_aside(tree: "dict[str, Any]", limit: int, shelf: "Shelf") -> "list[dict[str, str | int]]":
    """Keep whole whatever a line of ``limit`` bytes has no room for; the entries that tell where it is.

    Few long texts are kept each for itself, many together with the field that holds them.
    """
    import orjson

    leaves = [leaf for leaf in _texts(tree) if len(leaf[2]) > HEAD_BYTES]
    sizes = [len(orjson.dumps(text)) - 2 for _, _, text, _ in leaves]
    room = limit - (len(orjson.dumps(tree)) - sum(sizes))
    level = _level(sizes, room)
    long = [leaf for leaf, size in zip(leaves, sizes, strict=True) if size > level]
    if (
        level < HEAD_BYTES
        or len(long) > SIDE_FILES
        or any(len(leaf[3]) > PATH_CHARS for leaf in long)
    ):
        return _set_fields_aside(tree, limit, shelf)
    whole = [
        (path, text.encode("utf-8", "replace")) for _, _, text, path in long if not is_cut(text)
    ]
    return _keep([(path, data, "text") for path, data in whole], shelf)


def _set_fields_aside(
    tree: "dict[str, Any]", limit: int, shelf: "Shelf"
) -> "list[dict[str, str | int]]":
    """Keep the largest fields, until the others fit."""
    import orjson

    sizes = {name: len(orjson.dumps(tree[name])) for name in tree if name not in KEPT_FIELDS}
    total, payloads = len(orjson.dumps(tree)), []
    for name in sorted(sizes, key=lambda name: -sizes[name])[:SIDE_FILES]:
        if total <= limit:
            break
        total -= sizes[name]
        value, path = tree[name], f"/{_escape(name)}"
        if len(path) > PATH_CHARS or (isinstance(value, str) and is_cut(value)):
            continue
        is_text = isinstance(value, str)
        data = value.encode("utf-8", "replace") if is_text else orjson.dumps(value)
        payloads.append((path, data, "text" if is_text else "json"))
    return _keep(payloads, shelf)


def _keep(payloads: "list[tuple[str, bytes, str]]", shelf: "Shelf") -> "list[dict[str, str | int]]":
    files: list[dict[str, str | int]] = []
    for path, data, form in payloads:
        if digest := shelf.keep(data):
            files.append({"path": path, "sha256": digest, "bytes": len(data), "form": form})
    return files


def _cut_texts(tree: "dict[str, Any]", limit: int) -> bool:
    """Cut the longest texts until the line fits; False where that takes more than cutting texts."""
    import orjson

    leaves = [leaf for leaf in _texts(tree) if len(leaf[2]) > HEAD_BYTES]
    for box, key, _, _ in leaves:
        box[key] = ""
    room = limit - len(orjson.dumps(tree))
    sizes = [len(orjson.dumps(text[:limit])) - 2 for _, _, text, _ in leaves]
    level = _level(sizes, room)
    fits = room >= 0 and (level >= HEAD_BYTES or not leaves)
    for (box, key, text, _), size in zip(leaves, sizes, strict=True):
        box[key] = _cut_to(text, level - MARK_BYTES) if fits and size > level else text
    return fits


def _texts(tree: "dict[str, Any]") -> "list[tuple[Any, Any, str, str]]":
    """Every text that may be cut, as (container, key or index, text, path within the event)."""
    found: list[tuple[Any, Any, str, str]] = []
    boxes: list[tuple[Any, str]] = [(tree, "")]
    while boxes:
        box, path = boxes.pop()
        for key, value in list(box.items() if isinstance(box, dict) else enumerate(box)):
            if isinstance(value, str):
                if box is not tree or key not in KEPT_FIELDS:
                    found.append((box, key, value, f"{path}/{_escape(key)}"))
            elif isinstance(value, (dict, list)):
                boxes.append((value, f"{path}/{_escape(key)}"))
    return found


def _escape(key: "str | int") -> str:
    """A key or index as one part of a path (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1") if isinstance(key, str) else str(key)


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
