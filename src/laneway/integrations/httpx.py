"""The trace of the work at hand passed on to whoever is called: ``traceparent`` on httpx's requests.

httpx.Client(event_hooks={"request": [pass_trace]})
httpx.AsyncClient(event_hooks={"request": [apass_trace]})
"""

from typing import Any

from laneway.base.ids import is_hex
from laneway.sdk.context import current


def traceparent() -> str:
    """The header's value (W3C Trace Context); empty where no trace is known."""
    context = current()
    if not (is_hex(context.trace_id, 32) and is_hex(context.span_id, 16)):
        return ""
    return f"00-{context.trace_id}-{context.span_id}-01"


def pass_trace(request: Any) -> None:
    """A hook of ``httpx.Client``. A header that is there already stays."""
    value = traceparent()
    if value and "traceparent" not in request.headers:
        request.headers["traceparent"] = value


async def apass_trace(request: Any) -> None:
    """The same for ``httpx.AsyncClient``."""
    pass_trace(request)
