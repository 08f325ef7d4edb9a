import os
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from laneway.base.settings import Settings
from laneway.hub.hub import Hub
from laneway.store.sqlite import raw
from laneway.store.sqlite.pool import TimeBox
from laneway.store.sqlite.store import SqliteStore
from tests.waiting import eventually

from ..hub.event import event


def fill(hub: Hub, *events: dict[str, Any]) -> None:
    before = hub.store.last_seq
    hub.append(hub.intake.take(events).lines)
    eventually(lambda: hub.store.last_seq == before + len(events))


async def ask(client: httpx.AsyncClient, path: str, **parameters: Any) -> Any:
    answer = await client.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_an_empty_log_gives_empty_answers(client: httpx.AsyncClient) -> None:
    assert await ask(client, "/api/events") == {"events": [], "next": None}
    assert await ask(client, "/api/agents") == {"agents": []}
    assert await ask(client, "/api/sessions") == {"sessions": []}
    assert await ask(client, "/api/pulse") == {"step_ms": 1000, "accuracy": "exact", "buckets": []}


async def test_events_come_newest_first_as_they_were_stored(
    client: httpx.AsyncClient, hub: Hub
) -> None:
    fill(hub, event(1, custom={"ü": [1]}), event(2))
    events = (await ask(client, "/api/events"))["events"]
    assert events == [{**event(2), "seq": 2}, {**event(1, custom={"ü": [1]}), "seq": 1}]


async def test_pages_follow_one_another_without_hole_or_repeat(
    client: httpx.AsyncClient, hub: Hub
) -> None:
    fill(hub, *[event(n) for n in range(1, 24)])
    for order in ("newest", "oldest"):
        seen: list[int] = []
        cursor: str | None = ""
        while cursor is not None:
            page = await ask(client, "/api/events", limit=5, order=order, cursor=cursor)
            seen += [item["seq"] for item in page["events"]]
            cursor = page["next"]
        assert seen == sorted(range(1, 24), reverse=order == "newest")


async def test_filters_narrow(client: httpx.AsyncClient, hub: Hub) -> None:
    fill(
        hub,
        event(1, agent="a", content="tidal power", session_id="s"),
        event(2, agent="b", event="tool_invocation", tool="grep", content="wind"),
        event(3, agent="a", event="error", content="tidal failure", level="error"),
    )
    wanted: list[tuple[dict[str, Any], list[int]]] = [
        ({"agent": "a"}, [3, 1]),
        ({"-agent": "a"}, [2]),
        ({"agent": ["a", "b"], "-event": "error"}, [2, 1]),
        ({"tool": "grep"}, [2]),
        ({"session": "s"}, [1]),
        ({"q": "tidal"}, [3, 1]),
        ({"q": '"tidal power"'}, [1]),
        ({"q": "win*"}, [2]),
        ({"error": "true"}, [3]),
        ({"error": "false"}, [2, 1]),
        ({"level": "error"}, [3]),
        ({"since": "2026-11-23T18:00:02Z"}, [3, 2]),
        ({"until": "2026-11-23T18:00:02Z"}, [1]),
        ({"agent": "nobody"}, []),
    ]
    for parameters, seqs in wanted:
        page = await ask(client, "/api/events", **parameters)
        assert [item["seq"] for item in page["events"]] == seqs, parameters


async def test_a_plan_names_the_conditions_as_they_were_asked(
    client: httpx.AsyncClient, hub: Hub
) -> None:
    plan = await ask(client, "/api/explain", q="AGENT:coder since:15m x OR y", agent="z")
    assert [term["text"] for term in plan["terms"]] == ["(agent:coder since:15m x OR y)"]
    plan = await ask(client, "/api/explain", q='tool:"a b" since:15m x')
    assert plan["terms"] == [
        {"text": 'tool:"a b"', "field": "tool", "values": ["a b"], "negated": False},
        {"text": "since:15m", "field": "since", "values": [], "negated": False},
        {"text": "x", "field": "", "values": [], "negated": False},
    ]
    wrong = await client.get("/api/explain", params={"q": "agent:coder level>="})
    assert (wrong.status_code, wrong.json()["column"]) == (400, 20)


async def test_one_event_is_found_by_id_and_by_number(client: httpx.AsyncClient, hub: Hub) -> None:
    fill(hub, event(1), event(2, id="a/b ü?#"))
    assert (await ask(client, "/api/events/id-1"))["seq"] == 1
    assert (await ask(client, "/api/events/@2"))["id"] == "a/b ü?#"
    assert (await ask(client, "/api/events/a%2Fb%20%C3%BC%3F%23"))["seq"] == 2


@pytest.mark.parametrize("name", ["nothing", "@9999", "@0", "x" * 500])
async def test_an_event_that_is_not_there_is_404(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.get(f"/api/events/{name}")
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize("name", ["@", "@x", "@-1", "@1.5", "@" + "9" * 30])
async def test_what_is_no_number_is_400(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.get(f"/api/events/{name}")
    assert answer.status_code == 400
    assert answer.json()["code"] == "bad_query"


async def test_a_removed_part_of_the_log_is_left_out_of_pages_and_404_alone(
    client: httpx.AsyncClient, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(hub, event(1))
    monkeypatch.setattr(SqliteStore, "forget", lambda self, segment: None)
    path = hub.log_path.segment_path(1)
    os.rename(path, path + ".elsewhere")
    hub._index._reader.forget(os.path.basename(path))
    assert await ask(client, "/api/events") == {"events": [], "next": None}
    answer = await client.get("/api/events/id-1")
    assert answer.status_code == 404
    assert answer.json()["hint"]


async def test_agents_and_sessions_are_totalled(client: httpx.AsyncClient, hub: Hub) -> None:
    fill(
        hub,
        event(1, agent="lead", session_id="s1", input_tokens=10, cost_usd=0.5),
        event(2, agent="kid", parent_agent="lead", session_id="s1", event="error"),
        event(3, agent="lead"),
    )
    agents = {a["name"]: a for a in (await ask(client, "/api/agents"))["agents"]}
    assert agents["lead"]["events"] == 2
    assert agents["lead"]["input_tokens"] == 10
    assert agents["lead"]["cost_usd"] == 0.5
    assert agents["kid"]["parent"] == "lead"
    assert agents["kid"]["errors"] == 1
    assert agents["lead"]["first"] == "2026-11-23T18:00:01.000000Z"
    (session,) = (await ask(client, "/api/sessions"))["sessions"]
    assert (session["name"], session["events"], session["agents"]) == ("s1", 2, ["lead", "kid"])
    assert len((await ask(client, "/api/agents", limit=1))["agents"]) == 1


async def test_the_pulse_counts_by_step(client: httpx.AsyncClient, hub: Hub) -> None:
    fill(hub, event(0), event(1), event(2, event="error"), event(61))
    pulse = await ask(client, "/api/pulse", step="1s")
    start = 1795456800000
    assert pulse["step_ms"] == 1000
    assert pulse["buckets"] == [[start, 1, 0], [start + 1000, 2, 0], [start + 2000, 1, 1]]
    assert (await ask(client, "/api/pulse", step="1m"))["buckets"] == [[start, 4, 1]]


async def test_a_pulse_without_step_has_few_buckets(client: httpx.AsyncClient, hub: Hub) -> None:
    fill(hub, event(0), event(1, timestamp="2026-11-30T00:00:00Z"))
    pulse = await ask(client, "/api/pulse")
    assert pulse["step_ms"] == 3_600_000
    assert sum(bucket[1] for bucket in pulse["buckets"]) == 2


@pytest.mark.parametrize(
    "parameters", [{"step": "0s"}, {"step": "x"}, {"step": "1ms"}, {"q": "(word"}]
)
async def test_a_pulse_that_cannot_be_counted_is_400(
    client: httpx.AsyncClient, hub: Hub, parameters: dict[str, str]
) -> None:
    fill(hub, event(0), event(1, timestamp="2026-11-30T00:00:00Z"))
    assert (await client.get("/api/pulse", params=parameters)).status_code == 400


async def test_a_pulse_of_too_many_buckets_asks_for_a_longer_step(
    client: httpx.AsyncClient, hub: Hub
) -> None:
    fill(hub, event(0), event(1, timestamp="2026-11-30T00:00:00Z"))
    answer = await client.get("/api/pulse", params={"step": "1s"})
    assert answer.status_code == 400
    assert "longer step" in answer.json()["hint"]


@pytest.mark.parametrize("path", ["/api/events", "/api/agents", "/api/sessions", "/api/pulse"])
async def test_a_misspelt_parameter_is_400_with_a_hint(
    client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.get(path, params={"agnet": "a"})
    assert answer.status_code == 400
    assert answer.json() == {
        "code": "bad_query",
        "message": 'there is no parameter "agnet"',
        "hint": "did you mean agent?",
    }


async def test_what_there_is_not_is_told_in_the_same_shape(client: httpx.AsyncClient) -> None:
    for method, path, status in (
        ("GET", "/api/nothing", 404),
        ("POST", "/api/events", 405),
        ("DELETE", "/health", 405),
    ):
        answer = await client.request(method, path)
        assert answer.status_code == status
        assert set(answer.json()) == {"code", "message", "hint"}


async def test_the_schema_names_every_route_and_filter(client: httpx.AsyncClient) -> None:
    schema = await ask(client, "/api/openapi.json")
    wanted = {"/api/events", "/api/agents", "/api/sessions", "/api/pulse", "/health", "/metrics"}
    assert wanted | {"/auth/code", "/auth/exchange", "/auth/state", "/logs/sse"} <= set(
        schema["paths"]
    )
    names = {p["name"] for p in schema["paths"]["/api/events"]["get"]["parameters"]}
    assert {"agent", "-agent", "q", "since", "cursor", "limit"} <= names


async def test_no_page_of_the_framework_loads_scripts_from_elsewhere(
    client: httpx.AsyncClient,
) -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert (await client.get(path)).status_code == 404


async def test_health_names_no_path(stranger: httpx.AsyncClient, settings: Settings) -> None:
    answer = await stranger.get("/health")
    assert answer.json()["status"] == "ok"
    assert answer.json()["viewers"] == 0
    assert settings.home not in answer.text
    assert settings.log_path not in answer.text


@pytest.fixture
def closed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of the log that the hub may not read; as root it could."""
    directory = Path(settings.log_path)
    directory.mkdir(exist_ok=True)
    (directory / "closed.jsonl").touch()
    monkeypatch.setattr(os, "access", lambda entry, mode: entry.name != "closed.jsonl")


@pytest.mark.usefixtures("closed")
async def test_health_counts_log_files_that_the_hub_may_not_read(
    stranger: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    answer = await stranger.get("/health")
    assert answer.json()["log"]["unreadable"] == 1
    assert "laneway_log_unreadable_files 1\n" in (await client.get("/metrics")).text
    assert "closed" not in answer.text


async def test_health_answers_a_probe_that_wants_no_body(stranger: httpx.AsyncClient) -> None:
    assert (await stranger.head("/health")).status_code == 200


async def test_metrics_tell_what_was_taken_and_refused(client: httpx.AsyncClient, hub: Hub) -> None:
    secret = "ghp_" + "a1B2c3D4e5" * 3 + "f6G7h8"
    await client.post("/log", json=[event(1), event(1), {"agent": "a"}, event(2, content=secret)])
    eventually(lambda: hub.metric.duplicate.total and hub.lag_bytes() == 0)
    text = (await client.get("/metrics")).text
    assert "laneway_events_accepted_total 3\n" in text
    assert 'laneway_events_rejected_total{field="event"} 1\n' in text
    assert "laneway_events_duplicate_total 1\n" in text
    assert "laneway_events_indexed_total 2\n" in text
    assert "laneway_index_lag_bytes 0\n" in text
    assert "laneway_ingest_seconds_count 1\n" in text
    assert 'laneway_redactions_total{rule="' in text
    assert secret not in text


async def test_answers_are_not_kept_by_browsers(client: httpx.AsyncClient, hub: Hub) -> None:
    fill(hub, event(1))
    for path in ("/api/events", "/api/agents", "/api/events/id-1", "/health", "/auth/state"):
        headers = (await client.get(path)).headers
        assert headers["cache-control"] == "no-store", path
        assert headers["x-content-type-options"] == "nosniff", path


def test_the_stored_event_may_hold_a_seq_of_its_own(hub: Hub) -> None:
    from laneway.store.api import Query

    fill(hub, event(1, seq=77))
    line = hub.archive.page(Query())[0][0]
    assert orjson.loads(line)["seq"] == 1


async def test_a_search_of_the_log_out_of_time_is_a_page_that_says_how_far_it_is(
    client: httpx.AsyncClient, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(hub, *[event(n, content="a needle" if n % 20 == 1 else "hay") for n in range(1, 61)])
    monkeypatch.setattr(raw, "WINDOW_EVENTS", 4)
    monkeypatch.setattr(hub.store._searcher, "_time_box", lambda: Looks(12))
    seen: list[int] = []
    told: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await ask(client, "/api/events", q="~eedle", cursor=cursor)
        seen += [item["seq"] for item in page["events"]]
        told.append(page["scan"])
        cursor = page["next"]
    assert seen == [41, 21, 1]
    assert len(told) > 2
    assert [scan["complete"] for scan in told] == [False] * (len(told) - 1) + [True]
    passed = [scan["passed_bytes"] for scan in told]
    assert passed == sorted(passed)
    assert told[-1]["passed_bytes"] == told[-1]["total_bytes"]


class Looks(TimeBox):
    """Over after so many looks at it."""

    def __init__(self, looks: int) -> None:
        super().__init__(30.0)
        self._looks = looks

    def is_over(self) -> bool:
        self._looks -= 1
        return self._looks < 0
