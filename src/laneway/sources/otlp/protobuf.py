"""OTLP's binary form, by OpenTelemetry's own messages. Loading them takes a moment: import it late."""

from base64 import b64encode
from collections.abc import Iterable
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from laneway.base.errors import BodyError
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


def read_traces(body: bytes) -> Batch:
    """The spans of an ``ExportTraceServiceRequest``.

    Raises:
        BodyError: it is none.
    """
    batch = Batch()
    for resource in _parse(ExportTraceServiceRequest(), body).resource_spans:
        for scoped in resource.scope_spans:
            origin = _origin(resource, scoped)
            for span in scoped.spans:
                try:
                    batch.spans.append(_span(span, origin))
                except RecordError as error:
                    batch.rejections.append(str(error))
    return batch


def read_logs(body: bytes) -> Batch:
    """The records of an ``ExportLogsServiceRequest``.

    Raises:
        BodyError: it is none.
    """
    batch = Batch()
    for resource in _parse(ExportLogsServiceRequest(), body).resource_logs:
        for scoped in resource.scope_logs:
            origin = _origin(resource, scoped)
            batch.logs += [_log(record, origin) for record in scoped.log_records]
    return batch


def write_traces_answer(rejected: int, message: str) -> bytes:
    """Empty where all is well, as the specification wants it."""
    if not rejected and not message:
        return b""
    told = ExportTracePartialSuccess(rejected_spans=rejected, error_message=message)
    return bytes(ExportTraceServiceResponse(partial_success=told).SerializeToString())


def write_logs_answer(rejected: int, message: str) -> bytes:
    if not rejected and not message:
        return b""
    told = ExportLogsPartialSuccess(rejected_log_records=rejected, error_message=message)
    return bytes(ExportLogsServiceResponse(partial_success=told).SerializeToString())


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
