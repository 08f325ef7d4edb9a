"""Each kind of rule by a clock that the test holds."""

import random

import pytest

from laneway.base.clock import NS_PER_S
from laneway.hub.alert.gauge import WindowGauge
from laneway.hub.alert.rule import ALERT_AGENT
from laneway.hub.alert.window import MOST_GROUPS, REST
from laneway.store.query.match import compile_matcher

from .feed import Feed, rule


def test_more_events_than_the_limit_fire_once_and_resolve_when_they_have_left_the_window() -> None:
    feed = Feed(q="has:error", limit=2, window="1m")
    for _ in range(3):
        feed.say(level="error")
    feed.wait(1)
    assert (feed.state, feed.value, feed.told) == ("firing", 3, ["firing"])
    feed.wait(58)
    assert feed.told == ["firing"]
    feed.wait(3)
    assert (feed.state, feed.value, feed.told) == ("resolved", 0, ["firing", "resolved"])
    feed.wait(900)
    assert feed.state == "ok"


def test_the_limit_itself_does_not_fire() -> None:
    feed = Feed(limit=2, window="1m")
    feed.say()
    feed.say()
    feed.wait(1)
    assert feed.state == "ok"


def test_a_rule_waits_before_it_fires_and_forgets_what_was_short() -> None:
    feed = Feed(limit=0, window="5s", **{"for": "10s"})
    feed.say()
    feed.wait(1)
    assert feed.state == "pending"
    feed.wait(6)
    assert (feed.state, feed.told) == ("ok", [])
    for _ in range(12):
        feed.say()
        feed.wait(1)
    assert feed.told == ["firing"]


def test_a_value_about_its_limit_fires_once() -> None:
    feed = Feed(limit=0, window="5s", keep="30s")
    for _ in range(5):
        feed.say()
        feed.wait(12)
    assert feed.told == ["firing"]
    feed.wait(40)
    assert feed.told == ["firing", "resolved"]


def test_fewer_than_the_least_fires_when_nothing_comes() -> None:
    feed = Feed(q="event:heartbeat", below=True, limit=1, window="1m", **{"for": "10s"})
    feed.say(event="heartbeat")
    feed.wait(50)
    assert feed.state == "ok"
    feed.wait(30)
    assert feed.told == ["firing"]
    feed.say(event="heartbeat")
    feed.wait(1)
    assert feed.state == "resolved"


def test_events_count_at_their_own_time_and_old_ones_not_at_all() -> None:
    feed = Feed(limit=0, window="1m")
    feed.say(ago_s=3600)
    feed.wait(1)
    assert (feed.state, feed.evaluator.watched["r"].gauge.late) == ("ok", 1)
    feed.say(ago_s=55)
    feed.wait(1)
    assert feed.state == "firing"
    feed.wait(6)
    assert feed.state == "resolved"


def test_what_claims_to_come_from_the_future_counts_as_now() -> None:
    feed = Feed(limit=0, window="1m")
    feed.say(ago_s=-86_400)
    feed.wait(1)
    assert feed.state == "firing"
    feed.wait(61)
    assert feed.state == "resolved"


def test_a_rate_needs_enough_events_to_mean_something() -> None:
    feed = Feed(kind="error_rate", q="event:tool_result", limit=20, floor=10, window="1m")
    for _ in range(3):
        feed.say(event="tool_result", error={"message": "no"})
    feed.wait(1)
    assert (feed.state, feed.value) == ("ok", 0)
    for _ in range(7):
        feed.say(event="tool_result")
    feed.wait(1)
    assert (feed.state, feed.value) == ("firing", 30)


def test_each_agent_has_a_budget_of_its_own_and_the_greatest_is_named() -> None:
    feed = Feed(kind="tokens", by="agent", limit=1000, window="1h")
    feed.say("planner", "llm_response", input_tokens=600, output_tokens=100)
    feed.say("coder", "llm_response", input_tokens=400)
    feed.wait(1)
    assert (feed.state, feed.value, feed.standing.top) == ("ok", 700, "planner")
    feed.say("coder", "llm_response", output_tokens=601)
    feed.wait(1)
    assert (feed.state, feed.value, feed.standing.top) == ("firing", 1001, "coder")


def test_tokens_by_model_are_those_of_the_model_and_not_of_the_tool() -> None:
    feed = Feed(kind="tokens", by="model", limit=10, window="1h")
    feed.say(event="llm_response", model="qwen3", tool="chat", input_tokens=11)
    feed.wait(1)
    assert feed.standing.top == "qwen3"


def test_a_thousand_groups_are_counted_in_bounded_memory() -> None:
    feed = Feed(by="agent", limit=10, window="1m")
    for n in range(1000):
        feed.say(f"agent{n}")
    gauge = feed.evaluator.watched["r"].gauge
    assert isinstance(gauge, WindowGauge)
    assert len(gauge.windows.groups) == MOST_GROUPS + 1
    feed.wait(1)
    assert (feed.standing.top, feed.value) == (REST, 1000 - MOST_GROUPS)
    feed.wait(61)
    assert not gauge.windows.groups


def test_a_silent_agent_fires_and_is_heard_again() -> None:
    feed = Feed(kind="silent", agent="coder", window="1m")
    feed.say("coder")
    feed.wait(59)
    feed.say("planner")
    assert feed.state == "ok"
    feed.wait(1)
    assert (feed.told, feed.value) == (["firing"], 60)
    feed.say("coder", ago_s=4000)  # an old event, and a sign of life all the same
    feed.wait(1)
    assert feed.told == ["firing", "resolved"]


def test_an_agent_that_was_never_heard_is_silent_since_the_rule_was_made() -> None:
    feed = Feed(kind="silent", agent="nobody", window="2m")
    feed.wait(119)
    assert feed.state == "ok"
    feed.wait(1)
    assert (feed.state, feed.standing.top) == ("firing", "never heard")


def test_work_that_stays_open_too_long_fires_until_it_ends() -> None:
    feed = Feed(kind="open", window="30s")
    feed.say(event="tool_invocation", span_id="a", tool="shell")
    feed.say(event="session_start", span_id="s")
    feed.wait(20)
    feed.say(event="tool_invocation", span_id="b", tool="grep")
    feed.wait(10)
    assert (feed.told, feed.standing.top) == (["firing"], "shell of coder")
    feed.say(event="tool_result", span_id="a")
    feed.wait(1)
    assert (feed.told, feed.value) == (["firing", "resolved"], 11)


def test_an_end_that_comes_before_its_start_leaves_nothing_open() -> None:
    feed = Feed(kind="open", window="30s")
    feed.say(event="tool_result", span_id="a")
    feed.say(event="tool_invocation", span_id="a", tool="shell")
    feed.wait(60)
    assert feed.told == []


def test_an_imported_history_opens_nothing() -> None:
    feed = Feed(kind="open", window="30s")
    feed.say(event="tool_invocation", span_id="a", ago_s=86_400)
    feed.wait(60)
    assert (feed.told, feed.evaluator.watched["r"].gauge.late) == ([], 1)


def test_a_clock_of_an_agent_that_is_wrong_does_not_age_its_work() -> None:
    feed = Feed(kind="open", window="30s")
    feed.say(event="tool_invocation", span_id="a", ago_s=1800)
    feed.wait(10)
    assert (feed.state, feed.value) == ("ok", 10)


@pytest.mark.parametrize("hours", [8, -8])
def test_a_machine_that_slept_or_a_clock_that_was_set_makes_nobody_silent(hours: int) -> None:
    silent, open_ = Feed(kind="silent", agent="coder", window="1m"), Feed(kind="open", window="1m")
    silent.say("coder")
    open_.say(event="tool_invocation", span_id="a")
    for feed in (silent, open_):
        feed.wait(30)
        feed.now_ns += hours * 3600 * NS_PER_S
        feed.tick()
        assert (feed.told, feed.value) == ([], 30)
        feed.wait(29)
        assert feed.told == []
        feed.wait(1)
        assert feed.told == ["firing"]


def test_what_the_hub_says_of_alerts_feeds_no_rule() -> None:
    feed = Feed(limit=0, window="1m")
    feed.say(ALERT_AGENT, "alert_firing", level="warning")
    feed.wait(1)
    assert feed.value == 0


QUERIES = (
    "",
    "agent:coder",
    "event:log agent:(coder,planner)",
    "has:error",
    "level>=error -agent:planner",
    "level>=warning",
    "event:lo*",
    "-event:log",
    "timeout OR agent:coder",
    "tool:shell has:error",
    "attr.code:500",
)


@pytest.mark.parametrize("q", QUERIES)
def test_a_rule_counts_just_what_the_query_finds(q: str) -> None:
    """The short way past most events, against the matcher alone."""
    feed, dice = Feed(q=q, limit=1e9, window="1h"), random.Random(q)
    matches = compile_matcher(rule(q=q).where)
    wanted = 0
    from laneway.store.query.match import Subject

    for _ in range(400):
        told = {
            "agent": dice.choice(["coder", "planner"]),
            "event": dice.choice(["log", "error", "tool_result"]),
            **dice.choice([{}, {"level": "error"}, {"level": "warning"}, {"error": {"type": "E"}}]),
            **dice.choice([{}, {"content": "a timeout"}, {"tool": "shell"}, {"code": 500}]),
        }
        wanted += matches(Subject(told, feed.now_ns))
        feed.say(**told)
    feed.tick()
    assert feed.value == wanted


def test_a_window_holds_what_a_list_of_all_events_says() -> None:
    """Within one step of the window, which moves in sixtieths."""
    feed, dice = Feed(limit=1e9, window="2m"), random.Random(7)
    times: list[int] = []
    for _ in range(600):
        for _ in range(dice.randrange(4)):
            ago_s = dice.choice([0, 1, 5, 100])
            feed.say(ago_s=ago_s)
            times.append(feed.now_ns - ago_s * NS_PER_S)
        feed.wait(1)
        newer, older = (feed.now_ns - s * NS_PER_S for s in (118, 120))
        assert (
            sum(time > newer for time in times)
            <= feed.value
            <= sum(time >= older for time in times)
        )
