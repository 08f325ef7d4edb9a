"""Spans: a start, an end with the duration and the outcome, and the context between the two."""

import asyncio
import contextvars
import threading

import pytest

import laneway
from laneway import agent, aspan, bind, log_event, span, tool


def test_a_span_writes_its_start_at_once_and_its_end_with_the_result(events) -> None:
    with span("search", input={"q": "x"}) as work:
        assert [e["event"] for e in events()] == ["tool_invocation"]
        work.result = ["a.py"]

    start, end = events()
    assert (start["tool"], start["input"]) == ("search", {"q": "x"})
    assert (end["event"], end["output"]) == ("tool_result", ["a.py"])
    assert start["span_id"] == end["span_id"]
    assert start["trace_id"] == end["trace_id"]
    assert end["duration_ms"] >= 0
    assert "input" not in end


def test_an_exception_is_recorded_and_passes_on(events) -> None:
    with pytest.raises(ZeroDivisionError), span("divide"):
        1 / 0  # noqa: B018

    end = events()[1]
    assert end["level"] == "error"
    assert end["error"]["type"] == "ZeroDivisionError"
    assert "1 / 0" in end["error"]["stack"]


def test_an_exception_that_cannot_be_printed_is_recorded_too(events) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    with pytest.raises(Mute), span("x"):
        raise Mute

    assert "RuntimeError" in events()[1]["error"]["message"]


def test_a_model_call_carries_its_tokens_and_text(events) -> None:
    with span("gpt-local", kind="llm", provider="local") as call:
        call.set(input_tokens=40, output_tokens=12)
        call.result = "hello"

    start, end = events()
    assert (start["event"], start["model"], start["provider"]) == (
        "llm_request",
        "gpt-local",
        "local",
    )
    assert (end["event"], end["model"]) == ("llm_response", "gpt-local")
    assert end["provider"] == "local"
    assert (end["content"], end["input_tokens"], end["output_tokens"]) == ("hello", 40, 12)


def test_any_other_kind_makes_its_own_pair(events) -> None:
    with span("nightly", kind="backup"):
        pass

    assert [(e["event"], e["name"]) for e in events()] == [
        ("backup_start", "nightly"),
        ("backup_end", "nightly"),
    ]


def test_spans_nest_under_agents_and_sessions(events) -> None:
    with span("s1", kind="session", agent="hub"), span("planner", kind="agent"):
        log_event(None, "decision", "go")
        with span("search"):
            pass

    by_kind = {str(e["event"]): e for e in events()}
    assert {e.get("session_id") for e in events()} == {"s1"}
    assert len({e["trace_id"] for e in events()}) == 1
    assert by_kind["session_start"]["agent"] == "hub"
    assert by_kind["agent_start"]["agent"] == "planner"
    assert by_kind["agent_start"]["parent_agent"] == "hub"
    assert by_kind["agent_start"]["parent_span_id"] == by_kind["session_start"]["span_id"]
    assert by_kind["decision"]["agent"] == "planner"
    assert by_kind["decision"]["parent_agent"] == "hub"
    assert by_kind["decision"]["parent_span_id"] == by_kind["agent_start"]["span_id"]
    assert by_kind["tool_result"]["parent_span_id"] == by_kind["agent_start"]["span_id"]


def test_another_agents_event_does_not_get_this_agents_parent(events) -> None:
    with bind(agent="planner", parent_agent="hub"):
        log_event("stranger", "log")

    assert "parent_agent" not in events()[0]


def test_a_tool_decorator_names_the_arguments(events) -> None:
    @tool
    def search(query: str, limit: int = 5) -> list[str]:
        return [query] * limit

    class Box:
        @tool("box_put")
        def put(self, *items: str, **options: bool) -> str:
            return "ok"

    assert search("x", limit=2) == ["x", "x"]
    assert Box().put("a", "b", quiet=True) == "ok"

    starts = [e for e in events() if e["event"] == "tool_invocation"]
    assert starts[0]["input"] == {"query": "x", "limit": 2}
    assert (starts[1]["tool"], starts[1]["input"]) == (
        "box_put",
        {"args": ["a", "b"], "quiet": True},
    )
    assert search.__name__ == "search"


async def test_coroutines_run_side_by_side_in_their_own_contexts(events) -> None:
    @tool
    async def fetch(name: str) -> str:
        await asyncio.sleep(0)
        log_event(None, "log", name)
        return name

    @agent("researcher")
    async def research(name: str) -> str:
        async with aspan("think", kind="llm"):
            return await fetch(name)

    with bind(agent="planner", session_id="s"):
        await asyncio.gather(*(research(f"n{i}") for i in range(5)))

    spans = {e["span_id"]: e for e in events() if e["event"] == "tool_invocation"}
    logs = [e for e in events() if e["event"] == "log"]
    assert len(logs) == 5
    for line in logs:
        parent = spans[line["parent_span_id"]]
        assert parent["input"] == {"name": line["content"]}
        assert parent["trace_id"] == line["trace_id"]
        assert (line["agent"], line["parent_agent"], line["session_id"]) == (
            "researcher",
            "planner",
            "s",
        )
    assert len({line["trace_id"] for line in logs}) == 5


async def test_a_cancelled_task_closes_its_span(events) -> None:
    async def work() -> None:
        async with aspan("slow"):
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    end = events()[1]
    assert (end["level"], end["error"]["type"]) == ("warning", "CancelledError")


def test_a_thread_gets_the_context_by_copy(events) -> None:
    with bind(agent="planner", session_id="s1"):
        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(log_event, None, "log"))
        thread.start()
        thread.join()
    thread = threading.Thread(target=log_event, args=(None, "log"))
    thread.start()
    thread.join()

    assert [(e["agent"], e.get("session_id")) for e in events()] == [
        ("planner", "s1"),
        ("unknown", None),
    ]


def test_a_generator_is_one_span_and_leaves_no_context_behind(events) -> None:
    @tool
    def lines():
        yield 1
        yield 2
        return "end"

    seen = []
    for item in lines():
        seen.append(item)
        log_event("caller", "log")

    assert seen == [1, 2]
    assert [e["event"] for e in events()] == ["tool_invocation", "log", "log", "tool_result"]
    assert all("parent_span_id" not in e for e in events() if e["event"] == "log")


async def test_an_async_generator_that_is_left_early_is_closed(events) -> None:
    @tool
    async def lines():
        yield 1
        yield 2

    generator = lines()
    async for _ in generator:
        break
    await generator.aclose()

    end = events()[-1]
    assert end["event"] == "tool_result"
    assert "error" not in end


def test_a_fault_of_the_sdk_does_not_reach_the_users_block(tmp_path, monkeypatch) -> None:
    from laneway.sdk import recorder

    laneway.configure(log_path=str(tmp_path))

    def fail(*args: object) -> None:
        raise RuntimeError("our own fault")

    monkeypatch.setattr(recorder.shared, "_make_event", fail)
    with span("x") as work:
        work.result = 1

    assert laneway.stats()["faults"] == 2


def test_current_tells_where_one_is(events) -> None:
    with bind(agent="planner", session_id="s1"), span("x") as work:
        here = laneway.current()
        assert (here.agent, here.session_id, here.span_id) == ("planner", "s1", work.span_id)
        assert len(here.trace_id) == 32
    assert laneway.current().agent == ""
