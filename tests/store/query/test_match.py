from typing import Any

import pytest

from laneway.base.clock import NS_PER_S
from laneway.store.query.expr import resolve
from laneway.store.query.match import Subject, compile_matcher
from laneway.store.query.parse import parse
from tests.store.build import T0_NS, make_event

EVENT = {
    "agent": "planner",
    "event": "tool_invocation",
    "tool": "search_files",
    "span_id": "00f067aa0ba902b7",
    "content": "Zürich: the Quick brown fox",
    "input": {"path": ["src/main.py"], "depth": 3},
    "duration_ms": 1500,
    "cost_usd": 0.25,
    "http.status": 503,
    "job": {"name": "nightly", "tries": [1, 2], "ok": True, "left": None},
}


def matches(query: str, **fields: Any) -> bool:
    event = make_event(T0_NS, **(EVENT | fields))
    matcher = compile_matcher(resolve(parse(query), T0_NS + NS_PER_S))
    return matcher(Subject(event, T0_NS, 7))


@pytest.mark.parametrize(
    "query",
    [
        "", "quick", "zurich", '"quick brown"', "qui*", '"brown fo"*', "search_files", "path",
        "agent:planner", "agent:pl*", "agent:~LANN", "agent:/^pl.*r$/", "agent:(x,planner)",
        "-agent:coder", "agent!=coder", "tool:search?files", "level:info", "level<warning",
        "duration_ms>1400", "duration:1s..2s", "cost_usd=0.25", "seq:7", "has:tool", "-has:model",
        "-has:error", "content:brown", "content:~\"K BR\"", "input.path:src/main.py",
        "input.depth:3", "input.depth>=3.0", "attr.http.status:500..599", "attr.job.name:night*",
        "attr.job.tries:2", "attr.job.ok:true", "has:attr.job.name", "-has:attr.job.left",
        "is:open", "since:5s", "-until:5s", '~"n FoX"', "/Q.ick\\s/", "quick OR absent", "-absent",
        "attr.job.left:null",
    ],
)  # fmt: skip
def test_an_event_is_found_by(query: str) -> None:
    assert matches(query)


@pytest.mark.parametrize(
    "query",
    [
        "-*", "slow", '"brown quick"', "quic", "agent:Planner",
        "agent:(x,y)", "level>=warning", "duration_ms<1500", "has:model", "content:planner",
        "input.path:main.py", "attr.http.status<500", "attr.job:nightly", "attr.job.tries>2",
        "since:500ms", "quick absent", "-quick", "/q.ick\\s/", "has:attr.job.nothing",
    ],
)  # fmt: skip
def test_an_event_is_not_found_by(query: str) -> None:
    assert not matches(query)


def test_a_failure_without_a_level_counts_as_an_error() -> None:
    assert matches("level:error has:error", error={"message": "no"})
    assert matches("level:error", event="error")
    assert matches("level:debug -has:error", level="debug")


def test_only_a_start_with_a_span_is_open() -> None:
    assert not matches("is:open", event="tool_result")
    assert not matches("is:open", span_id="")
