"""What a body says: the value at a path of a JSON document, the text of a stream, as far as it was copied."""

import json
import zlib
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qs

COPY_BYTES = 64 * 1024
"""Of a body, at most this much is copied: any chat message and most answers, and parsed in 0.3 ms."""

MESSAGE = ("message", "prompt", "question", "query", "input", "text", "messages.-1.content")
"""Paths at which a chat request has what the user says, the first that is there."""

REPLY = (
    *("reply", "response", "answer", "message", "content", "output", "text", "result"),
    *("choices.0.message.content", "choices.0.delta.content", "choices.0.text"),
    *("delta.text", "delta", "token"),
)  # fmt: skip
"""Paths at which an answer, or a piece of one that is streamed, has its text."""

SESSION = ("session_id", "conversation_id", "thread_id", "chat_id", "sessionId", "conversationId")

GZIP_OR_ZLIB = 47


class Copy:
    """The beginning of a body, as it passes."""

    __slots__ = ("_parts", "_room", "size")

    def __init__(self, limit_bytes: int = COPY_BYTES) -> None:
        self._parts: list[bytes] = []
        self._room = limit_bytes
        self.size = 0

    def add(self, chunk: bytes) -> None:
        self.size += len(chunk)
        if self._room > 0 and chunk:
            self._parts.append(bytes(chunk[: self._room]))
            self._room -= len(chunk)

    def read(self, encoding: str = "") -> bytes:
        """What was copied, decompressed; nothing of an encoding that is not known."""
        data = b"".join(self._parts)
        if encoding in ("", "identity"):
            return data
        if encoding not in ("gzip", "deflate"):
            return b""
        try:
            return zlib.decompressobj(GZIP_OR_ZLIB).decompress(data, COPY_BYTES)
        except zlib.error:
            return b""


def read_text(data: bytes, content_type: str, paths: Iterable[str], chars: int = COPY_BYTES) -> str:
    """The text at the first of ``paths`` that is there; else all of the body that is text. Of a stream, no
    more pieces are looked at than ``chars`` want."""
    kind = content_type.partition(";")[0].strip().lower()
    text = data.decode("utf-8", "replace")
    if kind == "text/event-stream":
        return _join_pieces(_iter_sse(text), paths, chars)
    if "ndjson" in kind or "jsonl" in kind or "json-seq" in kind:
        return _join_pieces(text.splitlines(), paths, chars)
    if kind == "application/x-www-form-urlencoded":
        return text_at({name: values[0] for name, values in parse_qs(text).items()}, paths)
    tree = parse(text)
    if tree is not None:
        return text_at(tree, paths) or text
    is_text = not kind or kind.startswith("text/") or "json" in kind or "xml" in kind
    return text if is_text else ""


def parse(text: str) -> object:
    """The document, or None."""
    if text.lstrip()[:1] not in ("{", "[", '"'):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def text_at(tree: object, paths: Iterable[str]) -> str:
    """The value at the first path that leads to one that is not empty, as text."""
    if isinstance(tree, str):
        return tree
    for path in paths:
        value = value_at(tree, path)
        if value not in (None, "", [], {}):
            return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return ""


def value_at(tree: object, path: str) -> object:
    """``choices.0.message.content``; a negative index counts from the end. None where it leads nowhere."""
    for step in path.split("."):
        if isinstance(tree, dict):
            tree = tree.get(step)
        elif isinstance(tree, list) and step.lstrip("-").isdecimal():
            place = int(step)
            tree = tree[place] if -len(tree) <= place < len(tree) else None
        else:
            return None
    return tree


def _iter_sse(text: str) -> Iterator[str]:
    """The data of each server-sent event."""
    for block in text.replace("\r\n", "\n").replace("\r", "\n").split("\n\n"):
        lines = [
            line[5:].removeprefix(" ") for line in block.split("\n") if line.startswith("data:")
        ]
        if lines:
            yield "\n".join(lines)


def _join_pieces(pieces: Iterable[str], paths: Iterable[str], chars: int) -> str:
    """The pieces of a stream put together. They are alike: the path of one is tried first on the next."""
    order = list(paths)
    found: list[str] = []
    size = 0
    for piece in pieces:
        tree = parse(piece)
        text = "" if piece.strip() == "[DONE]" else piece
        if tree is not None:
            path = next((path for path in order if value_at(tree, path) not in (None, "")), "")
            text = text_at(tree, (path,)) if path or isinstance(tree, str) else ""
            if path and path != order[0]:
                order = [path, *(other for other in order if other != path)]
        found.append(text)
        size += len(text)
        if size >= chars:
            break
    return "".join(found)
