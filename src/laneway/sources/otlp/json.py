"""OTLP's JSON form: ids in hex, 64-bit integers as texts, names in lowerCamelCase, the unknown ignored."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from laneway.base.errors import BodyError, quote
from laneway.sources.otlp.record import (
    ERROR,
    NO_VALUE_FLAG,
    TEMPORALITIES,
    VALUE_DEPTH,
    Batch,
    LogRecord,
    Moment,
    Origin,
    Point,
    RecordError,
    Signal,
    Span,
    check_id,
    plain_number,
    try_id,
)

FAULTS = (RecordError, TypeError, ValueError, AttributeError, KeyError, IndexError, OverflowError)
"""What an item of another shape than OTLP's raises while it is read."""


LEVELS = {
    "traces": ("resourceSpans", "scopeSpans", "spans"),
    "logs": ("resourceLogs", "scopeLogs", "logRecords"),
    "metrics": ("resourceMetrics", "scopeMetrics", "metrics"),
}
KINDS = {
    "sum": "sum",
    "gauge": "gauge",
    "histogram": "histogram",
    "exponentialHistogram": "histogram",
    "summary": "summary",
}
"""By the field of a ``Metric`` that holds its points."""

TEMPORALITY_NAMES = (
    "AGGREGATION_TEMPORALITY_UNSPECIFIED",
    "AGGREGATION_TEMPORALITY_DELTA",
    "AGGREGATION_TEMPORALITY_CUMULATIVE",
)
REJECTED = {
    "traces": "rejectedSpans",
    "logs": "rejectedLogRecords",
    "metrics": "rejectedDataPoints",
}


def read(signal: Signal, body: bytes) -> Batch:
    """What an ``Export…ServiceRequest`` in JSON brings.

    Raises:
        BodyError: the body is no JSON object.
    """
    batch = Batch()
    for origin, item in _items(body, *LEVELS[signal], batch):
        try:
            if signal == "traces":
                batch.spans.append(_span(item, origin))
            elif signal == "logs":
                batch.logs.append(_log(item, origin))
            else:
                batch.points += _points(item, origin)
        except FAULTS as error:
            batch.rejections.append(_reason(error, item))
    return batch


def write_answer(signal: Signal, rejected: int, message: str) -> bytes:
    """Empty where all is well, as the specification wants it."""
    if not rejected and not message:
        return b"{}"
    told = {REJECTED[signal]: str(rejected), "errorMessage": message}
    return orjson.dumps({"partialSuccess": told})


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


def _points(metric: Mapping[str, Any], origin: Origin) -> Iterator[Point]:
    for field, kind in KINDS.items():
        data = metric.get(field)
        if not data:
            continue
        temporality = data.get("aggregationTemporality") or 0
        if isinstance(temporality, str):
            temporality = TEMPORALITY_NAMES.index(temporality)
        for point in data.get("dataPoints") or ():
            if not int(point.get("flags") or 0) & NO_VALUE_FLAG:
                yield Point(
                    origin,
                    str(metric.get("name") or ""),
                    str(metric.get("unit") or ""),
                    "counter" if kind == "sum" and data.get("isMonotonic") else kind,
                    TEMPORALITIES[temporality],
                    int(point.get("startTimeUnixNano") or 0),
                    int(point.get("timeUnixNano") or 0),
                    _number(point),
                    _attributes(point.get("attributes")),
                    _measures(point),
                )


def _number(point: Mapping[str, Any]) -> float | int | str:
    if "asInt" in point:
        return int(point["asInt"])
    return plain_number(float(point.get("asDouble", point.get("sum", 0))))


def _measures(point: Mapping[str, Any]) -> dict[str, float | int | str]:
    if "count" not in point:
        return {}
    told = {name: float(point[name]) for name in ("min", "max") if name in point}
    return {"count": int(point["count"])} | {
        name: plain_number(value) for name, value in told.items()
    }


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
