"""OTLP over gRPC, on a port of its own: the same requests, tokens and answers as over HTTP.

A page in a browser cannot speak gRPC (HTTP/2 without TLS, trailers), so there is no Host or Origin to
check.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from laneway.base.errors import HubError, LanewayError, not_installed
from laneway.sources.otlp import protobuf
from laneway.sources.otlp.record import Signal
from laneway.web.app import App
from laneway.web.ingest import LEVEL_HEADER
from laneway.web.otlp import refusal, retry_after_s, varint
from laneway.web.runner import GRACE_S

try:
    import grpc
except ImportError:
    raise not_installed("grpc_port: OTLP over gRPC", "grpcio", "grpc") from None

SERVICES: dict[str, Signal] = {
    "opentelemetry.proto.collector.trace.v1.TraceService": "traces",
    "opentelemetry.proto.collector.logs.v1.LogsService": "logs",
    "opentelemetry.proto.collector.metrics.v1.MetricsService": "metrics",
}

CALLS = 64
"""Calls at a time: with bodies at their limit they bound the memory. More get RESOURCE_EXHAUSTED."""

RETRY_INFO = "google.rpc.retryinfo-bin"
"""The trailer in which exporters look for how long to wait."""

Answer = Callable[[bytes, Any], Awaitable[bytes]]


class GrpcServer:
    """The services of one hub. For the event loop in which it is started."""

    def __init__(self, app: App, host: str, port: int) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._limit_bytes = app.hub.settings.body_bytes

    async def start(self) -> str:
        """The address at which it listens.

        Raises:
            HubError: the address is taken.
        """
        # Made here, as it takes the loop that runs.
        self._server = grpc.aio.server(
            maximum_concurrent_rpcs=CALLS,
            options=[
                ("grpc.max_receive_message_length", self._limit_bytes),
                ("grpc.so_reuseport", 0),  # else two hubs would share the port, and the events
            ],
        )
        handlers = [self._service(name, signal) for name, signal in SERVICES.items()]
        self._server.add_generic_rpc_handlers(tuple(handlers))
        host = f"[{self._host}]" if ":" in self._host else self._host
        try:
            port = self._server.add_insecure_port(f"{host}:{self._port}")
        except RuntimeError as error:
            raise HubError(
                f"grpc_port: {host}:{self._port} cannot be bound: is it taken?",
                hint="stop what runs there, or choose another port: --grpc-port 0",
            ) from error
        await self._server.start()
        return f"{host}:{port}"

    async def stop(self) -> None:
        """Calls that run have a moment to end."""
        await self._server.stop(GRACE_S)

    def _service(self, name: str, signal: Signal) -> Any:
        method = grpc.unary_unary_rpc_method_handler(partial(self._export, signal))
        return grpc.method_handlers_generic_handler(name, {"Export": method})

    async def _export(self, signal: Signal, body: bytes, context: Any) -> bytes:
        """Bodies stay bytes on the way in and out: the decoder is the one of HTTP."""
        headers = {
            name.encode(): value if isinstance(value, bytes) else value.encode()
            for name, value in context.invocation_metadata() or ()
        }
        try:
            grant = self._app.access.admit(f"/v1/{signal}", headers)
            is_durable = headers.get(LEVEL_HEADER) == b"durable"
            self._app.ingest.check_token(grant)
            return await self._app.otlp.take(signal, protobuf, body, grant, durable=is_durable)
        except LanewayError as error:
            self._app.hub.metric.refused.add(1, error.code)
            code, message, trailers = status_of(error)
            return await context.abort(code, message, trailers)  # type: ignore[no-any-return]


def status_of(error: LanewayError) -> tuple[Any, str, tuple[tuple[str, bytes], ...]]:
    """Code, words and trailers of a refusal: of ours, exporters send again what is UNAVAILABLE."""
    status, code, message = refusal(error)
    codes = {found.value[0]: found for found in grpc.StatusCode}
    if status in (429, 503):
        delay = b"\x08" + varint(retry_after_s(error))
        info = b"\x0a" + varint(len(delay)) + delay  # RetryInfo{retry_delay: Duration{seconds}}
        return grpc.StatusCode.UNAVAILABLE, message, ((RETRY_INFO, info),)
    if status == 413:  # RESOURCE_EXHAUSTED would be tried again
        return grpc.StatusCode.INVALID_ARGUMENT, message, ()
    return codes[code], message, ()
