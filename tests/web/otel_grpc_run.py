"""A program with OpenTelemetry's own SDK and its gRPC exporters: spans, a log line, two metrics.

Arguments: the address for gRPC, and the token.
"""

import logging
import sys

from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from .otel_run import work


def main(address: str, token: str) -> None:
    given = {
        "endpoint": address,
        "insecure": True,
        "headers": (("authorization", f"Bearer {token}"),),
    }
    resource = Resource.create({"service.name": "weather", "service.version": "7"})
    tracers = TracerProvider(resource=resource)
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(**given)))
    loggers = LoggerProvider(resource=resource)
    loggers.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(**given)))
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(**given))
    meters = MeterProvider(resource=resource, metric_readers=[reader])
    logger = logging.getLogger("weather")
    logger.addHandler(LoggingHandler(logger_provider=loggers))
    work(tracers.get_tracer("hand-made", "1.0"), logger)
    meter = meters.get_meter("hand-made")
    meter.create_counter("gen_ai.calls").add(2, {"gen_ai.agent.name": "planner"})
    meter.create_counter("http.requests").add(1)
    for provider in (tracers, loggers, meters):
        provider.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
