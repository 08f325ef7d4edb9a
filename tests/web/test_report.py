"""Totals over HTTP: facets, durations, usage, series of the pulse, sessions."""

from typing import Any

import httpx
import pytest

from laneway.hub import inquiry
from laneway.hub.hub import Hub
from laneway.web.question import pulse as pulse_module
from tests.waiting import eventually

from ..hub.event import event
from .test_query import ask, fill

START_MS = 1795456800000


async def test_facets_tell_the_top_values_with_their_errors(
    client: httpx.AsyncClient, hub: Hub
) -> None:
    fill(
        hub,
        event(1, tool="grep", level="error"),
        event(2, tool="grep"),
        event(3, tool="read", host="h1"),
        event(4),
    )
    tools, hosts = (await ask(client, "/api/facets", by="tool,host"))["facets"]
    assert tools == {
        "field": "tool",
        "accuracy": "exact",
        "distinct": 2,
        "events": 3,
        "errors": 1,
        "values": [
            {"value": "grep", "events": 2, "errors": 1},
            {"value": "read", "events": 1, "errors": 0},
        ],
    }
    assert hosts["values"] == [{"value": "h1", "events": 1, "errors": 0}]
    (few,) = (await ask(client, "/api/facets", by="tool", limit=1, q="message"))["facets"]
    assert (len(few["values"]), few["distinct"]) == (1, 2)


async def test_a_facet_of_any_field_reads_the_events(client: httpx.AsyncClient, hub: Hub) -> None:
    fill(
        hub,
        event(1, customer={"id": 7}, tags=["a", "b", "a"]),
        event(2, customer={"id": 7}, level="error"),
        event(3, customer={"id": "8"}, tags=[True, {"no": 1}]),
        event(4, customer="none", tags=[]),
    )
    by = "attr.customer.id,attr.tags"
    customers, tags = (await ask(client, "/api/facets", by=by))["facets"]
    assert customers["values"] == [
        {"value": "7", "events": 2, "errors": 1},
        {"value": "8", "events": 1, "errors": 0},
    ]
    assert (customers["events"], customers["errors"], customers["accuracy"]) == (3, 1, "exact")
    assert [value["value"] for value in tags["values"]] == ["a", "b", "true"]


async def test_a_facet_that_did_not_read_all_says_so(
    client: httpx.AsyncClient, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(hub, *(event(n, x=str(n)) for n in range(5)))
    monkeypatch.setattr(inquiry, "FACET_EVENTS", 3)
    (facet,) = (await ask(client, "/api/facets", by="attr.x"))["facets"]
    assert (facet["accuracy"], facet["events"]) == ("at_least", 3)
    assert [value["value"] for value in facet["values"]] == ["2", "3", "4"]


async def test_durations_are_told_by_field(client: httpx.AsyncClient, hub: Hub) -> None:
    fill(hub, *(event(n, tool="t", duration_ms=n) for n in range(1, 11)), event(11, tool="t"))
    told = await ask(client, "/api/durations", by="tool")
    (row,) = told["durations"]
    assert (row["tool"], row["events"], row["max_ms"], row["mean_ms"]) == ("t", 10, 10, 5.5)
    assert row["p50_ms"] == pytest.approx(5, rel=0.01)
    assert told["accuracy"] == "estimated"
    exact = await ask(client, "/api/durations", by="tool", since="2026-11-23T18:00:02Z")
    assert exact["accuracy"] == "exact"
    assert exact["durations"][0]["p50_ms"] == 6


async def test_usage_sums_what_was_reported_by_day(client: httpx.AsyncClient, hub: Hub) -> None:
    fill(
        hub,
        event(1, model="m", input_tokens=10, output_tokens=1, cost_usd=0.25),
        event(2, model="m", input_tokens=5, timestamp="2026-11-24T10:00:00Z"),
        event(3, model="m"),
        event(4, input_tokens=1),
    )
    told = await ask(client, "/api/usage", by="model", step="1d")
    assert told["accuracy"] == "exact"
    first, second = told["usage"]
    assert (first["start"], first["model"]) == ("2026-11-23T00:00:00.000000Z", "m")
    assert (first["events"], first["input_tokens"], first["cost_usd"]) == (1, 10, 0.25)
    assert (second["start"], second["input_tokens"]) == ("2026-11-24T00:00:00.000000Z", 5)
    (whole,) = (await ask(client, "/api/usage"))["usage"]
    assert (whole["events"], whole["input_tokens"]) == (3, 16)


async def test_the_pulse_has_a_series_for_each_value_and_one_for_the_rest(
    client: httpx.AsyncClient, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(
        hub,
        event(0, agent="a"),
        event(0, id="x", agent="a"),
        event(1, agent="b", event="error"),
        event(1, id="y", agent="c"),
    )
    monkeypatch.setattr(pulse_module, "SERIES", 1)
    pulse = await ask(client, "/api/pulse", step="1s", by="agent")
    assert pulse["buckets"] == [[START_MS, 2, 0], [START_MS + 1000, 2, 1]]
    assert pulse["series"] == [
        {"name": "a", "buckets": [[START_MS, 2, 0]]},
        {"name": None, "buckets": [[START_MS + 1000, 2, 1]]},
    ]


async def test_the_pulse_has_as_many_series_as_are_asked_for(
    client: httpx.AsyncClient, hub: Hub
) -> None:
    fill(hub, *(event(n, id=f"e{n}", agent=f"a{n}") for n in range(3)))
    two = await ask(client, "/api/pulse", step="1s", by="agent", series="2")
    assert [one["name"] for one in two["series"]] == ["a0", "a1", None]
    all_of_them = await ask(client, "/api/pulse", step="1s", by="agent", series="500")
    assert [one["name"] for one in all_of_them["series"]] == ["a0", "a1", "a2"]
    for refused in ("0", "501", "-1", "many", "1" * 9):
        answer = await client.get("/api/pulse", params={"by": "agent", "series": refused})
        assert answer.status_code == 400, refused


async def test_the_pulse_by_event_tells_what_began_and_ended(
    client: httpx.AsyncClient, hub: Hub
) -> None:
    fill(
        hub,
        event(0, event="llm_request"),
        event(1, event="llm_response"),
        event(1, id="x", event="tool_invocation"),
        event(2, event="log"),
    )
    pulse = await ask(client, "/api/pulse", step="1s", by="event")
    assert pulse["work"] == [[START_MS, 1, 0], [START_MS + 1000, 1, 1]]


async def test_the_pulse_counts_tokens_and_the_time_that_calls_took(
    client: httpx.AsyncClient, hub: Hub
) -> None:
    fill(
        hub,
        event(0, input_tokens=10, output_tokens=2, agent="a"),
        event(1, input_tokens=5, agent="b"),
        event(1, id="x", event="tool_result", duration_ms=0.25),
        event(1, id="y", event="tool_result", duration_ms=1.5),
    )
    tokens = await ask(client, "/api/pulse", step="1s", of="tokens", by="agent")
    assert tokens["buckets"] == [[START_MS, 10, 2], [START_MS + 1000, 5, 0]]
    assert [(one["name"], one["buckets"]) for one in tokens["series"]] == [
        ("a", [[START_MS, 10, 2]]),
        ("b", [[START_MS + 1000, 5, 0]]),
    ]
    took = await ask(client, "/api/pulse", step="1s", of="durations", event="tool_result")
    assert took["buckets"] == [[START_MS + 1000, 2, 1.75]]
    refused = await client.get("/api/pulse", params={"of": "dollars"})
    assert (refused.status_code, "dollars" in refused.text) == (400, True)


async def test_the_pulse_tells_how_much_was_open_also_before_the_window_and_after_it(
    client: httpx.AsyncClient, hub: Hub
) -> None:
    fill(
        hub,
        event(3, event="tool_result", duration_ms=2_500, agent="a"),
        event(5, event="tool_result", duration_ms=4_000, agent="b"),
        event(6, event="log", duration_ms=9_000),
    )
    whole = await ask(client, "/api/pulse", step="1s", of="open")
    levels = [
        [START_MS + 1000 * at, *told]
        for at, *told in ((0, 1, 0), (1, 2, 0), (2, 2, 0), (3, 2, 1), (4, 1, 0), (5, 1, 1))
    ]
    assert whole["buckets"] == levels
    window = {"since": f"{(START_MS + 2000) / 1000}", "until": f"{(START_MS + 4000) / 1000}"}
    part = await ask(client, "/api/pulse", step="1s", of="open", by="agent", **window)
    assert part["buckets"] == levels[2:4]
    assert part["series"] == [
        {"name": "a", "buckets": [[START_MS + 2000, 1, 0], [START_MS + 3000, 1, 1]]},
        {"name": "b", "buckets": [[START_MS + 2000, 1, 0], [START_MS + 3000, 1, 0]]},
    ]


async def test_the_pulse_knows_of_work_that_has_no_end_or_ended_long_after_the_window(
    client: httpx.AsyncClient, hub: Hub
) -> None:
    hours = {"timestamp": "2026-11-23T21:00:00.000000Z", "duration_ms": 3 * 3_600_000 - 1_000}
    fill(
        hub,
        event(1, event="tool_invocation", agent="a", span_id="0" * 15 + "1"),
        event(2, event="tool_invocation", agent="b", span_id="0" * 15 + "2"),
        event(4, event="tool_result", agent="b", span_id="0" * 15 + "2", duration_ms=2_000),
        event(9, event="tool_result", agent="c") | hours,
    )
    window = {"since": f"{(START_MS + 3000) / 1000}", "until": f"{(START_MS + 6000) / 1000}"}
    pulse = await ask(client, "/api/pulse", step="1s", of="open", by="agent", **window)
    levels = [[START_MS + 3000, 3, 0], [START_MS + 4000, 3, 1], [START_MS + 5000, 2, 0]]
    assert pulse["buckets"] == levels
    open_still = [[start, 1, 0] for start, *_ in levels]
    series = {one["name"]: one["buckets"] for one in pulse["series"]}
    assert (series["a"], series["c"]) == (open_still, open_still)
    day_later = {"since": "2026-11-24T19:00:00Z", "until": "2026-11-24T19:00:02Z"}
    assert (await ask(client, "/api/pulse", step="1s", of="open", **day_later))["buckets"] == []


async def test_the_pulse_honours_the_words(client: httpx.AsyncClient, hub: Hub) -> None:
    fill(hub, event(0, content="tide"), event(1))
    pulse = await ask(client, "/api/pulse", step="1s", q="tide")
    assert (pulse["buckets"], pulse["accuracy"]) == ([[START_MS, 1, 0]], "exact")


async def test_a_page_tells_the_total_when_asked(client: httpx.AsyncClient, hub: Hub) -> None:
    fill(hub, *(event(n) for n in range(7)))
    page = await ask(client, "/api/events", limit=2, total="true")
    assert page["total"] == {"count": 7, "accuracy": "exact"}
    rest = await ask(client, "/api/events", limit=2, total="true", cursor=page["next"])
    assert rest["total"]["count"] == 7
    assert "total" not in await ask(client, "/api/events", limit=2)


async def test_sessions_have_a_title_a_state_and_a_length(
    client: httpx.AsyncClient, hub: Hub
) -> None:
    fill(
        hub,
        event(1, session_id="a/b", event="session_start"),
        event(2, session_id="a/b", content="Plan a weekend"),
        event(9, session_id="a/b", event="session_end"),
        event(3, session_id="s2", event="error"),
    )
    first, second = (await ask(client, "/api/sessions"))["sessions"]
    assert (first["name"], first["state"], first["title"]) == ("a/b", "ended", "Plan a weekend")
    assert first["duration_ms"] == 8000
    assert (second["state"], second["title"], second["last_event"]) == ("failed", "", "error")
    assert await ask(client, "/api/sessions/a%2Fb") == first
    assert (await client.get("/api/sessions/none")).status_code == 404


async def test_the_slowest_come_first(client: httpx.AsyncClient, hub: Hub) -> None:
    fill(hub, event(1, duration_ms=5), event(2, duration_ms=9.5, tool="t"), event(3))
    told = await ask(client, "/api/slowest")
    assert [one["seq"] for one in told["events"]] == [2, 1]
    told = await ask(client, "/api/slowest", tool="t", limit=1)
    assert [one["duration_ms"] for one in told["events"]] == [9.5]


async def test_the_surroundings_of_an_event(client: httpx.AsyncClient, hub: Hub) -> None:
    sessions = ["s", "t", "s", "s", "t"]
    fill(hub, *(event(n, session_id=s, agent=f"a{n % 2}") for n, s in enumerate(sessions, 1)))

    async def around(**given: Any) -> list[list[int]]:
        told = await ask(client, "/api/context/@3", **given)
        parts = [told["before"], [told["event"]], told["after"]]
        return [[one["seq"] for one in part] for part in parts]

    assert await around() == [[1, 2], [3], [4, 5]]
    assert await around(scope="session") == [[1], [3], [4]]
    assert await around(scope="agent") == [[1], [3], [5]]
    assert await around(before=1, after=0) == [[2], [3], []]
    for wrong in ({"scope": "x"}, {"before": "501"}, {"after": "-1"}, {"other": "1"}):
        assert (await client.get("/api/context/@3", params=wrong)).status_code == 400
    assert (await client.get("/api/context/@99")).status_code == 404


async def test_a_trace_is_a_tree(client: httpx.AsyncClient, hub: Hub) -> None:
    trace = {"trace_id": "0af7651916cd43dd8448eb211c80319c"}
    fill(
        hub,
        event(1, event="agent_start", span_id="00f067aa0ba902b7", **trace),
        event(2, event="tool_invocation", tool="t", span_id="b", parent_span_id="00f067aa0ba902b7", **trace),
        event(3, event="tool_result", tool="t", span_id="b", **trace),
    )  # fmt: skip
    told = await ask(client, f"/api/traces/{trace['trace_id']}")
    found = [(span["name"], span["depth"], span["state"]) for span in told["spans"]]
    assert found == [("planner", 0, "open"), ("t", 1, "done")]
    assert told["complete"] is True
    assert (await client.get("/api/traces/none")).status_code == 404


async def test_a_trace_that_is_too_long_says_that_it_is_cut(
    client: httpx.AsyncClient, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inquiry, "TRACE_EVENTS", 2)
    monkeypatch.setattr(inquiry, "PAGE_EVENTS", 2)
    fill(hub, *(event(n, trace_id="t") for n in range(3)))
    told = await ask(client, "/api/traces/t")
    assert (told["events"], told["complete"]) == (2, False)


async def test_the_process_of_the_index_answers_the_same(running: Any) -> None:
    """Over the socket, not in this process."""
    running.post(
        event(1, session_id="s", trace_id="t", span_id="x", duration_ms=3, tool="g", cost_usd=1),
        event(2, session_id="s", customer="c"),
    )
    eventually(lambda: len(running.get("/api/events")["events"]) == 2)
    assert running.get("/api/traces/t")["spans"][0]["name"] == "g"
    assert len(running.get("/api/context/@1")["after"]) == 1
    assert running.get("/api/facets", by="attr.customer")["facets"][0]["events"] == 1
    assert running.get("/api/durations")["durations"][0]["tool"] == "g"
    assert running.get("/api/usage")["usage"][0]["cost_usd"] == 1
    assert running.get("/api/sessions")["sessions"][0]["title"] == "message 1"
    assert running.get("/api/slowest")["events"][0]["seq"] == 1


async def test_errors_are_told_by_kind(
    client: httpx.AsyncClient, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failed(number: int, kind: str) -> dict[str, Any]:
        error = {"type": kind, "message": f"order {number} is gone"}
        return event(number, event="tool_result", tool="shell", error=error)

    fill(hub, failed(1, "KeyError"), failed(2, "KeyError"), event(3), failed(4, "OSError"))
    told = await ask(client, "/api/errors", since="2026-11-23T18:00:00Z")
    assert (told["accuracy"], told["events"], told["kinds"]) == ("exact", 3, 2)
    first = told["errors"][0]
    assert (first["type"], first["pattern"], first["events"]) == ("KeyError", "order # is gone", 2)
    assert (first["agents"], first["tools"], sum(first["course"])) == (["planner"], ["shell"], 2)
    assert first["first"] < first["last"]

    (few,) = (await ask(client, "/api/errors", limit=1, q="error.type:OSError"))["errors"]
    assert few["type"] == "OSError"
    assert (await ask(client, "/api/errors", agent="nobody"))["errors"] == []
    monkeypatch.setattr(inquiry, "FAILURE_EVENTS", 1)
    assert (await ask(client, "/api/errors"))["accuracy"] == "at_least"


async def test_what_was_read_is_told_however_long_that_took(
    client: httpx.AsyncClient, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(hub, *(event(n, event="error", order=n % 2) for n in range(4)))
    monkeypatch.setattr(inquiry, "FAILURE_S", -1)
    monkeypatch.setattr(inquiry, "FACET_S", -1)
    told = await ask(client, "/api/errors")
    assert (told["events"], told["accuracy"]) == (4, "exact")
    [facet] = (await ask(client, "/api/facets", by="attr.order"))["facets"]
    assert (facet["events"], facet["distinct"]) == (4, 2)


async def test_errors_are_dated_by_the_oldest_where_not_all_are_read(
    client: httpx.AsyncClient, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failed(number: int, kind: str) -> dict[str, Any]:
        return event(number, event="error", error={"type": kind, "message": f"order {number}"})

    kinds = ("KeyError", "OSError", "ValueError", "OSError", "KeyError", "ValueError")
    fill(hub, *(failed(n, kind) for n, kind in enumerate(kinds)))
    monkeypatch.setattr(inquiry, "FAILURE_EVENTS", 2)
    told = await ask(client, "/api/errors")
    dated = {one["type"]: (one["first"], one["since_first"]) for one in told["errors"]}
    assert dated["KeyError"] == (event(0)["timestamp"], True)
    assert dated["ValueError"] == (event(5)["timestamp"], False), (
        "among neither the oldest nor before the newest"
    )
    assert all(sum(one["course"]) == 1 for one in told["errors"])
    monkeypatch.setattr(inquiry, "FAILURE_EVENTS", 6)
    whole = (await ask(client, "/api/errors"))["errors"]
    firsts = {one["type"]: (one["first"], one["since_first"]) for one in whole}
    assert firsts == {kinds[n]: (event(n)["timestamp"], True) for n in range(3)}


async def test_totals_that_had_to_read_the_log_say_how_far_they_went(
    client: httpx.AsyncClient, hub: Hub
) -> None:
    fill(hub, event(1, tool="grep", duration_ms=5, content="a needle"), event(2, input_tokens=7))
    asked = [
        ("/api/pulse", {}), ("/api/durations", {}), ("/api/usage", {}),
    ]  # fmt: skip
    for path, parameters in asked:
        told = await ask(client, path, q="~eedle", **parameters)
        assert told["scan"]["complete"] is True, path
        assert told["scan"]["read_events"] == 2, path
        assert "scan" not in await ask(client, path, **parameters), path
    [facet] = (await ask(client, "/api/facets", q="~eedle", by="tool"))["facets"]
    assert facet["scan"]["passed_segments"] == facet["scan"]["total_segments"] == 1
    page = await ask(client, "/api/events", q="~eedle", total="true")
    assert page["total"]["scan"]["complete"] is True
