"""What every program does first: OpenTelemetry's SDK with its HTTP exporter, as the environment says."""

import atexit
import os
from base64 import b64encode
from collections.abc import Sequence

from opentelemetry import trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult

MODEL_URL = os.environ.get("MODEL_URL", "")
MODEL = "rules-1"
QUESTION = "What is 6 * 7?"


class RecordingExporter(OTLPSpanExporter):
    """Keeps each request in the file that RECORD names: a line of base64 each."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if path := os.environ.get("RECORD"):
            with open(path, "ab") as file:
                file.write(b64encode(encode_spans(spans).SerializeToString()) + b"\n")
        return super().export(spans)


tracers = TracerProvider()
tracers.add_span_processor(BatchSpanProcessor(RecordingExporter(), schedule_delay_millis=200))
loggers = LoggerProvider()
loggers.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
trace.set_tracer_provider(tracers)
set_logger_provider(loggers)
atexit.register(loggers.shutdown)
atexit.register(tracers.shutdown)


def calculate(expression: str) -> str:
    """Work out an arithmetic expression."""
    return str(eval(expression, {}, {}))
