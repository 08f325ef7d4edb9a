"""A program with OpenTelemetry's own SDK and exporter: an agent, its model call, a tool that fails, a sub-agent.

Arguments: the hub's address, its token, and how spans are sent: ``batch`` (all at the end), ``simple``
(each when it ends, children first), ``live`` (as ``batch``, with the starts at once, and a line from the
standard input awaited within), or ``alone`` (by no exporter at all).
"""

import logging
import sys
from collections.abc import Callable

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

MESSAGES = '[{"role":"user","parts":[{"type":"text","content":"Weather in Paris?"}]}]'
ANSWER = '[{"role":"assistant","parts":[{"type":"text","content":"Rain."}],"finish_reason":"stop"}]'
SECRET = "sk-ant-api03-" + "a1B2c3D4e5" * 9


def main(url: str, token: str, manner: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    resource = Resource.create({"service.name": "weather", "service.version": "7"})
    tracers = TracerProvider(resource=resource)
    exporter = OTLPSpanExporter(f"{url}/v1/traces", headers=headers, compression=Compression.Gzip)
    if manner in ("live", "alone"):
        from laneway.integrations.otel import LiveSpans

        tracers.add_span_processor(LiveSpans(ends=manner == "alone"))
    if manner != "alone":
        processor = SimpleSpanProcessor if manner == "simple" else BatchSpanProcessor
        tracers.add_span_processor(processor(exporter))
    loggers = LoggerProvider(resource=resource)
    loggers.add_log_record_processor(
        BatchLogRecordProcessor(OTLPLogExporter(f"{url}/v1/logs", headers=headers))
    )
    logger = logging.getLogger("weather")
    logger.addHandler(LoggingHandler(logger_provider=loggers))
    wait = sys.stdin.readline if manner == "live" else str
    work(tracers.get_tracer("hand-made", "1.0"), logger, wait)
    tracers.shutdown()
    loggers.shutdown()


def work(tracer: trace.Tracer, logger: logging.Logger, wait: Callable[[], object] = str) -> None:
    """``wait`` is called while the model's answer is awaited."""
    invoke = {"gen_ai.operation.name": "invoke_agent"}
    chat = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-x",
        "gen_ai.response.model": "claude-x-1",
        "gen_ai.usage.input_tokens": 130,
        "gen_ai.usage.output_tokens": 12,
        "gen_ai.usage.cache_read.input_tokens": 100,
        "gen_ai.input.messages": MESSAGES,
        "gen_ai.output.messages": ANSWER,
        "gen_ai.response.id": "r1",
    }
    planner = {
        "gen_ai.agent.name": "planner",
        "gen_ai.conversation.id": "conv-1",
        "gen_ai.input.messages": MESSAGES,
        "gen_ai.output.messages": ANSWER,
        "gen_ai.usage.input_tokens": 130,
    }
    with tracer.start_as_current_span("invoke_agent planner", attributes={**invoke, **planner}):
        with tracer.start_as_current_span("chat claude-x", attributes=chat):
            logger.warning("the cache is cold")
            wait()
        named = {"gen_ai.agent.name": "researcher"}
        with tracer.start_as_current_span(
            "invoke_agent researcher", attributes={**invoke, **named}
        ):
            look_up(tracer)


def look_up(tracer: trace.Tracer) -> None:
    tool = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "lookup",
        "gen_ai.tool.call.arguments": f'{{"city": "Paris", "api_key": "{SECRET}"}}',
        "my.own": "kept",
    }
    try:
        with tracer.start_as_current_span("execute_tool lookup", attributes=tool):
            raise LookupError("no such city")
    except LookupError:
        pass


if __name__ == "__main__":
    main(*sys.argv[1:])
