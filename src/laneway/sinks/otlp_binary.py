"""Requests of `sinks.otlp` in OTLP's binary form, by OpenTelemetry's own messages: import it late."""

from base64 import b64encode
from typing import Any

from google.protobuf.json_format import ParseDict
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

IDS = frozenset({"traceId", "spanId", "parentSpanId"})
"""In hex in OTLP's JSON; Protobuf's own has base64 for bytes."""


def to_binary(request: dict[str, Any]) -> bytes:
    message = (
        ExportTraceServiceRequest() if "resourceSpans" in request else ExportLogsServiceRequest()
    )
    return bytes(ParseDict(_with_bytes(request), message).SerializeToString())


def _with_bytes(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: b64encode(bytes.fromhex(item)).decode() if key in IDS else _with_bytes(item)
            for key, item in value.items()
        }
    return [_with_bytes(item) for item in value] if isinstance(value, list) else value


def read_answer(signal: str, body: bytes) -> tuple[int, str]:
    """How many spans or records were not taken, and why.

    Raises:
        ValueError: it is no answer.
    """
    answer = ExportTraceServiceResponse() if signal == "traces" else ExportLogsServiceResponse()
    try:
        answer.ParseFromString(body)
    except DecodeError as error:
        raise ValueError(str(error)) from None
    partial = answer.partial_success
    count = partial.rejected_spans if signal == "traces" else partial.rejected_log_records
    return int(count), str(partial.error_message)
