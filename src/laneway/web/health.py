"""``/health`` for supervisors and ``/metrics`` for Prometheus."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from laneway.hub.hub import Hub

HEALTH_EXAMPLE: dict[str, Any] = {
    "status": "ok",
    "version": "0.1.0",
    "log": {"segments": 3, "bytes": 734003200},
    "index": {"events": 1041, "lag_bytes": 0},
    "viewers": 1,
}


def health_router(hub: Hub) -> APIRouter:
    router = APIRouter(tags=["hub"])

    @router.head("/health", include_in_schema=False)
    @router.get(
        "/health",
        summary="Is the hub well?",
        description="Needs no token. 503 while the log cannot be written or the index stands still.",
        responses={200: {"content": {"application/json": {"example": HEALTH_EXAMPLE}}}},
    )
    def health() -> Response:
        facts = hub.health()
        status = 200 if facts["status"] == "ok" else 503
        return JSONResponse(facts, status)

    @router.get(
        "/metrics",
        summary="Counters for Prometheus",
        response_class=PlainTextResponse,
    )
    def metrics() -> Response:
        return Response(hub.metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return router
