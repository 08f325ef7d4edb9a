"""OTLP's JSON form: ids in hex, 64-bit integers as texts, names in lowerCamelCase, the unknown ignored."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from laneway.base.errors import BodyError, quote
from laneway.sources.otlp.record import (
    ERROR,
    VALUE_DEPTH,
    Batch,
    LogRecord,
    Moment,
    Origin,
    RecordError,
    Span,
    check_id,
    plain_number,
    try_id,
)

FAULTS = (RecordError, TypeError, ValueError, AttributeError, KeyError)
"""What an item of another shape than OTLP's raises while it is read."""


def read_traces(body: bytes) -> Batch:
    """The spans of an ``ExportTraceServiceRequest`` in JSON.

    Raises:
        BodyError: the body is no JSON object.
    """
    batch = Batch()
    for origin, span in _items(body, "resourceSpans", "scopeSpans", "spans", batch):
        try:
            batch.spans.append(_span(span, origin))
        except FAULTS as error:
            batch.rejections.append(_reason(error, span))
    return batch


def read_logs(body: bytes) -> Batch:
    """The records of an ``ExportLogsServiceRequest`` in JSON.

    Raises:
        BodyError: the body is no JSON object.
    """
    batch = Batch()
    for origin, record in _items(body, "resourceLogs", "scopeLogs", "logRecords", batch):
        try:
            batch.logs.append(_log(record, origin))
        except FAULTS as error:
            batch.rejections.append(_reason(error, record))
    return batch


def write_traces_answer(rejected: int, message: str) -> bytes:
    return _answer("rejectedSpans", rejected, message)


def write_logs_answer(rejected: int, message: str) -> bytes:
    return _answer("rejectedLogRecords", rejected, message)


def _answer(name: str, rejected: int, message: str) -> bytes:
    if not rejected and not message:
        return b"{}"
    return orjson.dumps({"partialSuccess": {name: str(rejected), "errorMessage": message}})


def _items(
    body: bytes, outer: str, middle: str, inner: str, batch: Batch
) -> Iterable[tuple[Origin, Any]]:
    """Every span or record with its origin; what is misshapen above them is one rejection."""
    try:
        tree = orjson.loads(body) if body.strip() else {}
    except ValueError as error:
        raise BodyError(f"the body is not JSON: {error}") from None
    if not isinstance(tree, dict):
        raise BodyError(f"the body is {quote(tree)}, not an object with {outer}")
    try:
        for resource in tree.get(outer) or ():
            for scoped in resource.get(middle) or ():
                origin = _origin(resource.get("resource") or {}, scoped.get("scope") or {})
                for item in scoped.get(inner) or ():
                    yield origin, item
    except FAULTS as error:
        batch.rejections.append(_reason(error, tree.get(outer)))


def _reason(error: Exception, seen: object) -> str:
    if isinstance(error, RecordError):
        return str(error)
    return f"{quote(seen)} is not of OTLP's shape: {type(error).__name__}"


def _origin(resource: Mapping[str, Any], scope: Mapping[str, Any]) -> Origin:
    named = {name: str(scope[name]) for name in ("name", "version") if scope.get(name)}
    return Origin(
        _attributes(resource.get("attributes")), named | _attributes(scope.get("attributes"))
    )


def _span(span: Mapping[str, Any], origin: Origin) -> Span:
    status = span.get("status") or {}
    return Span(
        origin,
        check_id(str(span.get("traceId", "")), 32, "traceId"),
        check_id(str(span.get("spanId", "")), 16, "spanId"),
        try_id(str(span.get("parentSpanId") or ""), 16),
        str(span.get("name") or ""),
        int(span.get("startTimeUnixNano") or 0),
        int(span.get("endTimeUnixNano") or 0),
        _attributes(span.get("attributes")),
        [_moment(moment) for moment in span.get("events") or ()],
        [
            {"trace_id": str(link["traceId"]), "span_id": str(link["spanId"])}
            for link in span.get("links") or ()
        ],
        status.get("code") in (ERROR, "STATUS_CODE_ERROR"),
        str(status.get("message") or ""),
    )


def _moment(moment: Mapping[str, Any]) -> Moment:
    return Moment(
        str(moment.get("name") or ""),
        int(moment.get("timeUnixNano") or 0),
        _attributes(moment.get("attributes")),
    )


def _log(record: Mapping[str, Any], origin: Origin) -> LogRecord:
    return LogRecord(
        origin,
        try_id(str(record.get("traceId") or ""), 32),
        try_id(str(record.get("spanId") or ""), 16),
        str(record.get("eventName") or ""),
        int(record.get("timeUnixNano") or record.get("observedTimeUnixNano") or 0),
        int(record.get("severityNumber") or 0),
        _value(record.get("body"), 0),
        _attributes(record.get("attributes")),
    )


def _attributes(pairs: Any, depth: int = 0) -> dict[str, Any]:
    return {str(pair["key"]): _value(pair.get("value"), depth) for pair in pairs or ()}


def _value(value: Any, depth: int) -> Any:
    """The value of an ``AnyValue``; one of no known kind is kept as it is."""
    if not isinstance(value, Mapping) or not value:
        return None
    kind, found = next(iter(value.items()))
    if kind == "intValue":
        return int(found)
    if kind == "doubleValue":
        return plain_number(float(found))
    if kind not in ("arrayValue", "kvlistValue"):
        return found
    if depth >= VALUE_DEPTH:
        return str(found)
    inner = (found or {}).get("values") or ()
    if kind == "arrayValue":
        return [_value(item, depth + 1) for item in inner]
    return _attributes(inner, depth + 1)
