"""OTLP's binary form, by OpenTelemetry's own messages. Loading them takes a moment: import it late."""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as trace

from laneway.base.errors import BodyError
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

KINDS = {
    "sum": "sum",
    "gauge": "gauge",
    "histogram": "histogram",
    "exponential_histogram": "histogram",
    "summary": "summary",
}
"""By the field of a ``Metric`` that holds its points."""


def read(signal: Signal, body: bytes) -> Batch:
    """What an ``Export…ServiceRequest`` brings.

    Raises:
        BodyError: it is none.
    """
    if signal == "traces":
        return _read_traces(body)
    batch = Batch()
    if signal == "logs":
        for resource in _parse(logs.ExportLogsServiceRequest(), body).resource_logs:
            for scoped in resource.scope_logs:
                origin = _origin(resource, scoped)
                batch.logs += [_log(record, origin) for record in scoped.log_records]
        return batch
    for resource in _parse(metrics.ExportMetricsServiceRequest(), body).resource_metrics:
        for scoped in resource.scope_metrics:
            origin = _origin(resource, scoped)
            for metric in scoped.metrics:
                batch.points += _points(metric, origin)
    return batch


def _read_traces(body: bytes) -> Batch:
    batch = Batch()
    for resource in _parse(trace.ExportTraceServiceRequest(), body).resource_spans:
        for scoped in resource.scope_spans:
            origin = _origin(resource, scoped)
            for span in scoped.spans:
                try:
                    batch.spans.append(_span(span, origin))
                except RecordError as error:
                    batch.rejections.append(str(error))
    return batch


def write_answer(signal: Signal, rejected: int, message: str) -> bytes:
    """Empty where all is well, as the specification wants it."""
    if not rejected and not message:
        return b""
    answer: Any
    if signal == "traces":
        answer = trace.ExportTraceServiceResponse()
        answer.partial_success.rejected_spans = rejected
    elif signal == "logs":
        answer = logs.ExportLogsServiceResponse()
        answer.partial_success.rejected_log_records = rejected
    else:
        answer = metrics.ExportMetricsServiceResponse()
        answer.partial_success.rejected_data_points = rejected
    answer.partial_success.error_message = message
    return bytes(answer.SerializeToString())


def _parse(message: Any, body: bytes) -> Any:
    try:
        message.ParseFromString(body)
    except DecodeError as error:
        raise BodyError(
            f"the body is no {type(message).__name__}: {error}",
            hint="Content-Type tells the form: application/x-protobuf or application/json",
        ) from None
    return message


def _origin(resource: Any, scoped: Any) -> Origin:
    scope = {"name": scoped.scope.name, "version": scoped.scope.version}
    return Origin(
        _attributes(resource.resource.attributes),
        {name: value for name, value in scope.items() if value}
        | _attributes(scoped.scope.attributes),
    )


def _span(span: Any, origin: Origin) -> Span:
    return Span(
        origin,
        check_id(span.trace_id.hex(), 32, "trace_id"),
        check_id(span.span_id.hex(), 16, "span_id"),
        try_id(span.parent_span_id.hex(), 16),
        span.name,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        _attributes(span.attributes),
        [Moment(e.name, e.time_unix_nano, _attributes(e.attributes)) for e in span.events],
        [{"trace_id": e.trace_id.hex(), "span_id": e.span_id.hex()} for e in span.links],
        span.status.code == ERROR,
        span.status.message,
    )


def _log(record: Any, origin: Origin) -> LogRecord:
    return LogRecord(
        origin,
        try_id(record.trace_id.hex(), 32),
        try_id(record.span_id.hex(), 16),
        record.event_name,
        record.time_unix_nano or record.observed_time_unix_nano,
        record.severity_number,
        _value(record.body, 0),
        _attributes(record.attributes),
    )


def _points(metric: Any, origin: Origin) -> Iterator[Point]:
    field = metric.WhichOneof("data")
    if field is None:
        return
    data, kind = getattr(metric, field), KINDS[field]
    temporality = getattr(data, "aggregation_temporality", 0)
    for point in data.data_points:
        if not point.flags & NO_VALUE_FLAG:
            yield Point(
                origin,
                metric.name,
                metric.unit,
                "counter" if kind == "sum" and data.is_monotonic else kind,
                TEMPORALITIES[temporality] if temporality < len(TEMPORALITIES) else "",
                point.start_time_unix_nano,
                point.time_unix_nano,
                _number(point, kind),
                _attributes(point.attributes),
                _measures(point, kind),
            )


def _number(point: Any, kind: str) -> float | int | str:
    if kind in ("histogram", "summary"):
        return plain_number(point.sum)
    if point.WhichOneof("value") == "as_int":
        return int(point.as_int)
    return plain_number(point.as_double)


def _measures(point: Any, kind: str) -> dict[str, float | int | str]:
    if kind not in ("histogram", "summary"):
        return {}
    names = ("min", "max") if kind == "histogram" else ()
    return {"count": point.count} | {
        name: plain_number(getattr(point, name)) for name in names if point.HasField(name)
    }


def _attributes(pairs: Iterable[Any], depth: int = 0) -> dict[str, Any]:
    return {pair.key: _value(pair.value, depth) for pair in pairs}


def _value(value: Any, depth: int) -> Any:
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    found = getattr(value, kind)
    if kind == "double_value":
        return plain_number(found)
    if kind == "bytes_value":
        return b64encode(found).decode()
    if kind not in ("array_value", "kvlist_value"):
        return found
    if depth >= VALUE_DEPTH:
        return str(found)
    if kind == "array_value":
        return [_value(item, depth + 1) for item in found.values]
    return _attributes(found.values, depth + 1)
