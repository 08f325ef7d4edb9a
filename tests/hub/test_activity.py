"""Agents, tools and models in `/metrics`."""

import pickle

import pytest

from laneway.hub.activity import AGENTS, Activity
from laneway.hub.follower import Follower
from tests.waiting import eventually
from tests.web.conftest import Running

from .event import event

NOW_NS = 1_790_000_000_000_000_000


def count(*events: dict[str, object]) -> set[str]:
    activity = Activity()
    activity.count((one, NOW_NS) for one in events)
    return {line for line in activity.lines() if line[0] != "#"}


def test_calls_durations_tokens_and_cost_are_told_by_name() -> None:
    lines = count(
        {"agent": "a", "event": "tool_result", "tool": "search", "duration_ms": 250},
        {"agent": "a", "event": "error", "tool": "search", "duration_ms": 50, "level": "error"},
        {"agent": "b", "event": "llm_response", "model": "m", "duration_ms": 61_000,
         "input_tokens": 10, "output_tokens": 2, "cost_usd": 0.25},
        {"agent": "b", "event": "llm_response", "model": "m", "error": {"type": "Timeout"}},
    )  # fmt: skip
    assert lines >= {
        'laneway_agent_events_total{agent="a",event="tool_result"} 1',
        'laneway_agent_errors_total{agent="a"} 1',
        'laneway_agent_errors_total{agent="b"} 1',
        'laneway_tool_calls_total{tool="search",outcome="ok"} 1',
        'laneway_tool_calls_total{tool="search",outcome="error"} 1',
        'laneway_tool_duration_seconds_bucket{tool="search",le="0.05"} 1',
        'laneway_tool_duration_seconds_bucket{tool="search",le="0.5"} 2',
        'laneway_tool_duration_seconds_bucket{tool="search",le="+Inf"} 2',
        'laneway_tool_duration_seconds_sum{tool="search"} 0.300000',
        'laneway_tool_duration_seconds_count{tool="search"} 2',
        'laneway_model_calls_total{model="m",outcome="ok"} 1',
        'laneway_model_calls_total{model="m",outcome="error"} 1',
        'laneway_model_duration_seconds_bucket{model="m",le="60.0"} 0',
        'laneway_model_duration_seconds_bucket{model="m",le="300.0"} 1',
        'laneway_model_tokens_total{model="m",kind="input"} 10',
        'laneway_agent_tokens_total{agent="b",kind="output"} 2',
        'laneway_model_cost_usd_total{model="m"} 0.250000',
        'laneway_agent_cost_usd_total{agent="b"} 0.250000',
        'laneway_agent_last_event_timestamp_seconds{agent="a"} 1790000000',
    }


def test_names_that_nobody_expected_do_not_grow_without_end() -> None:
    lines = count(
        *({"agent": f"a{n}", "event": f"custom-{n}", "input_tokens": 1} for n in range(5_000)),
        *({"agent": "a", "event": "tool_result", "tool": f"t{n}"} for n in range(5_000)),
    )
    assert len(lines) < 3 * AGENTS + 450
    assert 'laneway_agent_events_total{agent="other",event="other"} 4900' in lines
    assert 'laneway_tool_calls_total{tool="other",outcome="ok"} 4800' in lines


@pytest.mark.parametrize("value", ["many", -1, True, None, [1], {}, 1e300, float("nan")], ids=repr)
def test_figures_that_are_none_are_not_counted(value: object) -> None:
    lines = count(
        {"agent": "a", "event": "llm_response", "model": "m", "input_tokens": value,
         "cost_usd": value, "duration_ms": value}
    )  # fmt: skip
    assert 'laneway_model_calls_total{model="m",outcome="ok"} 1' in lines
    assert not [line for line in lines if "tokens" in line or "cost" in line or "duration" in line]


def test_a_name_cannot_break_out_of_its_label_and_is_cut() -> None:
    lines = count(
        {"agent": 'a"} 9\nfake_total 1', "event": "log"}, {"agent": "x" * 500, "event": "log"}
    )
    assert 'laneway_agent_events_total{agent="a\\"} 9\\nfake_total 1",event="log"} 1' in lines
    assert all(len(line) < 200 for line in lines)


def test_it_goes_to_another_process() -> None:
    activity = Activity()
    activity.count(
        [({"agent": "a", "event": "tool_result", "tool": "t", "duration_ms": 1}, NOW_NS)]
    )
    copy = pickle.loads(pickle.dumps(activity))
    assert list(copy.lines()) == list(activity.lines())
    copy.count([({"agent": "b", "event": "log"}, NOW_NS)])
    assert list(copy.lines()) != list(activity.lines())


def test_the_hub_counts_each_event_once_whatever_becomes_of_its_index(running: Running) -> None:
    import httpx

    def told(agent: str) -> float:
        text = httpx.get(f"{running.url}/metrics", headers=running.headers, timeout=180).text
        rows = [
            line for line in text.splitlines() if f'agent_events_total{{agent="{agent}"' in line
        ]
        return sum(float(line.rpartition(" ")[2]) for line in rows)

    running.post(*[event(n) for n in range(20)])
    running.post(*[event(n) for n in range(10)])  # repeats
    agent = str(event(0)["agent"])
    eventually(lambda: told(agent) == 20)
    running.stop()
    running.start()
    eventually(lambda: running.get("/health")["index"]["events"] == 20)
    assert told(agent) == 0  # counters begin anew with the process, as Prometheus expects
    running.post(event(20))
    eventually(lambda: told(agent) == 1)


def test_an_index_that_is_built_again_counts_nothing_twice(settings, tmp_path) -> None:  # type: ignore[no-untyped-def]
    from laneway.hub.hub import Hub

    hub = Hub(settings, in_process=True)
    try:
        follower: Follower = hub.follower
        hub.append(hub.intake.take([event(n) for n in range(5)]).lines)
        eventually(lambda: hub.store.last_seq == 5)
        follower.reindex()
        eventually(lambda: hub.store.last_seq == 5 and follower.wait_level(0.1))
        hub.append(hub.intake.take([event(9)]).lines)
        eventually(lambda: hub.live.seq == 6)  # shown after it is counted
        assert sum(hub.metric.activity.events.values()) == 6
    finally:
        hub.close()
