"""Gemini CLI's telemetry file (``telemetry.outfile``), document by document.

Its SDK writes its own objects there, not OTLP: log records, spans and metrics, indented over many lines. The
log records tell everything that the spans tell, so those alone are read; metrics repeat totals.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from laneway.base.clock import NS_PER_S
from laneway.sources.otlp.binding import Place
from laneway.sources.otlp.log import log_event, log_facts
from laneway.sources.otlp.record import LogRecord, Origin

UNTOLD = ("process.command", "process.runtime.", "process.executable.", "host.id", "host.arch")
"""How attributes of its resource begin that say nothing of the work."""


class Outfile:
    def __init__(self, path: str) -> None:
        """``path`` tells nothing: each record names its session."""

    def events(self, document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The event of a log record; none of anything else."""
        if "hrTime" not in document or not isinstance(document.get("attributes"), Mapping):
            return
        resource = document.get("resource") or {}
        scope = document.get("instrumentationScope") or {}
        context = document.get("spanContext") or {}
        seconds, rest_ns = document["hrTime"]
        record = LogRecord(
            Origin(resource_of(resource), {"name": str(scope.get("name") or "gemini-cli")}),
            str(context.get("traceId") or ""),
            str(context.get("spanId") or ""),
            str(document.get("eventName") or document.get("_eventName") or ""),
            int(seconds) * NS_PER_S + int(rest_ns),
            int(document.get("severityNumber") or document.get("_severityNumber") or 0),
            document.get("body", document.get("_body")),
            dict(document["attributes"]),
        )
        facts = log_facts(record)
        agent = facts.agent or record.origin.service
        yield log_event(record, facts, Place(agent, facts.parent_agent, facts.session))


def resource_of(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes as a mapping (older SDKs) or as pairs."""
    given = resource.get("attributes")
    pairs = given.items() if isinstance(given, Mapping) else resource.get("_rawAttributes") or ()
    return {str(name): value for name, value in pairs if not str(name).startswith(UNTOLD)}
