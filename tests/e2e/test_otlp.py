"""A run of the OpenAI Agents SDK, as its instrumentation exported it, is seen as lanes."""

from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from time import time_ns

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import choose_line
from tests.torture.harness import Hub

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

RUN = Path(__file__).with_name("openai_agents.otlp")
"""Requests of openinference-instrumentation-openai-agents, a line of base64 each (tools/otel_matrix.py)."""


def requests_of_now() -> list[ExportTraceServiceRequest]:
    """The recorded run as if it ended this moment: the dashboard shows the last minutes."""
    lines = RUN.read_bytes().splitlines()
    requests = [ExportTraceServiceRequest.FromString(b64decode(line)) for line in lines]
    scopes = [s for r in requests for resource in r.resource_spans for s in resource.scope_spans]
    spans = [span for scope in scopes for span in scope.spans]
    shift_ns = time_ns() - max(span.end_time_unix_nano for span in spans)
    for span in spans:
        span.start_time_unix_nano += shift_ns
        span.end_time_unix_nano += shift_ns
    return requests


def test_an_openai_agents_run_is_lanes_with_parents_and_tokens(
    hub: Hub, open_page: Callable[..., Page]
) -> None:
    page = open_page()
    token = (hub.home / "ingest.token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-protobuf"}
    for request in requests_of_now():
        body = request.SerializeToString()
        assert httpx.post(f"{hub.url}/v1/traces", content=body, headers=headers).status_code == 200

    page.wait_for_function("() => window.__laneway.agents().length >= 2")
    page.wait_for_function("() => window.__laneway.visible().total >= 20")
    page.wait_for_function(
        "() => window.__laneway.agents().find(one => one.name === 'coder agent')?.parent === 'planner agent'"
    )
    page.wait_for_function("() => window.__laneway.bars().length >= 8")

    page.get_by_test_id("filter-input").fill('event:llm_response agent:"coder agent"')
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("stream").get_by_role("option")).to_have_count(2)
    choose_line(page, "llm_response")
    detail = page.get_by_test_id("detail")
    expect(detail.locator('[data-name="tokens"]')).to_contain_text(" in · ")
