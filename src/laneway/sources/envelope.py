"""Payloads of other dashboards' hooks: ``{source_app, session_id, hook_event_type, payload, timestamp}``.

The multi-agent observability server for Claude Code takes them at ``POST /events``, and PAI keeps them as
JSON lines; a bare payload of Claude Code's own is taken, too.
"""

from collections.abc import Mapping
from typing import Any

from laneway.base.clock import format_ns
from laneway.model.moment import parse_timestamp_ns
from laneway.sources.claude.hook import AGENT, event_id, hook_event

ENVELOPE = frozenset({"source_app", "hook_event_type", "payload", "session_id", "timestamp"})


def is_envelope(item: object) -> bool:
    return isinstance(item, dict) and ("hook_event_type" in item or "hook_event_name" in item)


def envelope_event(item: Mapping[str, Any], received_ns: int) -> dict[str, Any]:
    """The event that it tells; other fields of the envelope (``summary``, ``model_name``, …) are kept."""
    if "hook_event_type" not in item:
        return hook_event(item, received_ns)
    inner = item.get("payload")
    payload = dict(inner) if isinstance(inner, Mapping) else {"payload": inner}
    payload.setdefault("hook_event_name", item["hook_event_type"])
    payload.setdefault("session_id", item.get("session_id"))
    when_ns = _when_ns(item.get("timestamp"), received_ns)
    event = hook_event(payload, when_ns, agent=str(item.get("source_app") or AGENT))
    for name, value in item.items():
        if name not in ENVELOPE and value not in (None, ""):
            event.setdefault("model" if name == "model_name" else name, value)
    if "id" not in event and item.get("timestamp"):
        event["id"] = event_id(str(item["timestamp"]), repr(inner), "envelope")
    if event["timestamp"] != format_ns(received_ns):
        event["received"] = format_ns(received_ns)
    return event


def _when_ns(value: object, received_ns: int) -> int:
    try:
        return parse_timestamp_ns(value)
    except ValueError:
        return received_ns
