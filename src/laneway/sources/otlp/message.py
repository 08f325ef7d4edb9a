"""What was said to a model and by it, whichever way a dialect writes it down.

One form comes out: a list of ``{"role", "content"}``; a message that is more than text keeps its parts.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

Attributes = dict[str, Any]

ITEMS = 2_000
"""Items of one flattened list; no conversation is longer, and a forged index makes no giant list."""


def parse_json(value: Any) -> Any:
    """A text that holds a JSON object or array as that, anything else as it is."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return value
    try:
        return orjson.loads(value)
    except ValueError:
        return value


def take_list(attributes: Attributes, prefix: str) -> list[Any] | None:
    """The list that was flattened into ``prefix.0.…``, taken out of ``attributes``; None if there is none."""
    names = [name for name in attributes if name.startswith(f"{prefix}.")]
    found: dict[int, Any] = {}
    for name in names:
        index, _, rest = name[len(prefix) + 1 :].partition(".")
        if index.isdecimal() and int(index) < ITEMS:
            value = attributes.pop(name)
            if rest:
                _put(found.setdefault(int(index), {}), rest.split("."), value)
            else:
                found[int(index)] = value
    return [_listed(found[index]) for index in sorted(found)] if found else None


def _put(tree: Any, path: list[str], value: Any) -> None:
    for step in path[:-1]:
        inner = tree.setdefault(step, {})
        if not isinstance(inner, dict):
            inner = tree[step] = {"": inner}
        tree = inner
    tree[path[-1]] = value


def _listed(value: Any) -> Any:
    """Objects whose keys are all numbers are lists that were flattened."""
    if not isinstance(value, dict):
        return value
    if value and all(key.isdecimal() for key in value):
        return [_listed(value[key]) for key in sorted(value, key=int)]
    return {key: _listed(inner) for key, inner in value.items()}


def read_messages(value: Any) -> Any:
    """Messages in their one form; what is no list of messages stays as it is."""
    tree = parse_json(value)
    if isinstance(tree, dict) and isinstance(tree.get("messages"), list):
        tree = tree["messages"]
    if isinstance(tree, dict) and "role" in tree:
        tree = [tree]
    if not isinstance(tree, list) or not all(isinstance(item, dict) for item in tree):
        return tree
    return [_message(item) for item in tree]


def _message(given: Mapping[str, Any]) -> dict[str, Any]:
    inner = given.get("message")
    message = dict(inner) if isinstance(inner, Mapping) and len(given) == 1 else dict(given)
    if message.get("name", "") is None:
        del message["name"]
    parts = message.get("parts")
    if "content" not in message and isinstance(parts, list):
        texts = [part.get("content") for part in parts if _is_text(part)]
        if texts and len(texts) == len(parts):
            del message["parts"]
            message["content"] = "\n".join(map(str, texts))
    return message


def _is_text(part: Any) -> bool:
    return isinstance(part, Mapping) and part.get("type") == "text" and "content" in part


def text_of(message: Any) -> str:
    """The plain text of one message, without tool calls and pictures."""
    if isinstance(message, str):
        return message
    if not isinstance(message, Mapping):
        return ""
    if isinstance(message.get("data"), Mapping):  # LangChain's own form
        message = message["data"]
    for name in ("content", "parts", "contents"):
        value = message.get(name)
        if isinstance(value, str):
            return value
        if isinstance(value, list):
            return "\n".join(filter(None, map(_part_text, value)))
    return ""


def _part_text(part: Any) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, Mapping):
        return ""
    inner = part.get("message_content")
    part = inner if isinstance(inner, Mapping) else part
    if part.get("type", "text") not in ("text", "input_text", "output_text"):
        return ""
    text = part.get("text", part.get("content"))
    return text if isinstance(text, str) else ""


def last_text(messages: Any, roles: Iterable[str]) -> str:
    """The text of the last message by one of ``roles``; messages without a role count."""
    if isinstance(messages, str):
        return messages
    for message in reversed(messages if isinstance(messages, list) else []):
        if isinstance(message, Mapping):
            role = message.get("role", message.get("type"))
            text = text_of(message) if role is None or role in roles else ""
            if text:
                return text
    return ""
