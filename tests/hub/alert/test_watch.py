"""The alerts of a real hub: over a restart, from the index, into the log and to the viewers."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from laneway.base.errors import LogError, QueryError
from laneway.base.settings import Settings, resolve
from laneway.hub.alert.book import RULES
from laneway.hub.alert.rule import ALERT_AGENT
from laneway.hub.hub import Hub
from laneway.store.api import Query
from laneway.store.query.parse import parse
from tests.waiting import eventually


def said(ago_s: float = 0, **fields: Any) -> bytes:
    """A line of the log, as an agent appends it."""
    time = datetime.now(UTC) - timedelta(seconds=ago_s)
    event = {"timestamp": time.isoformat(), "agent": "coder", "event": "log", **fields}
    return orjson.dumps(event) + b"\n"


def say(hub: Hub, *lines: bytes) -> None:
    wanted = hub.live.seq + len(lines)
    hub.append(lines)
    eventually(lambda: hub.live.seq >= wanted, "the lines are live")


def state(hub: Hub, rule_id: str) -> str:
    return str(hub.alerts.one(rule_id)["state"])


def found(hub: Hub, q: str) -> list[dict[str, Any]]:
    page = hub.archive.page(Query(parse(q), newest_first=False))
    return [orjson.loads(line) for line in page.lines]


DRAFT = {"name": "errors", "q": "has:error", "limit": 1, "window": "1h", "keep": "0s"}


def test_a_rule_fires_from_the_live_stream_and_the_log_says_so(hub: Hub) -> None:
    rule_id = hub.alerts.add(DRAFT)["id"]
    say(hub, said(level="error"), said(level="error"), said())
    eventually(lambda: state(hub, rule_id) == "firing")
    eventually(lambda: found(hub, f"agent:{ALERT_AGENT}"))
    (event,) = found(hub, f"agent:{ALERT_AGENT}")
    assert (event["event"], event["alert"], event["value"]) == ("alert_firing", "errors", 2)
    assert event["content"] == "errors: 2 events in 1h, more than 1"
    assert hub.alerts.report()["firing"] == 1


def test_a_new_rule_knows_what_was_before_it(hub: Hub) -> None:
    say(hub, said(level="error"), said(level="error", ago_s=600), said(level="error", ago_s=7200))
    told = hub.alerts.add(DRAFT)
    assert told["value"] == 2
    assert (
        hub.alerts.add({**DRAFT, "name": "b", "q": "", "kind": "silent", "agent": "coder"})["value"]
        < 600
    )
    assert hub.alerts.add({"name": "c", "kind": "tokens", "limit": 5})["value"] == 0


def test_a_restart_forgets_nothing(make_hub: Callable[[], Hub]) -> None:
    hub = make_hub()
    rule_id = hub.alerts.add(DRAFT)["id"]
    hub.alerts.add({"name": "slow", "kind": "open", "window": "1h"})
    say(hub, said(level="error"), said(level="error"))
    say(hub, said(event="tool_invocation", tool="shell", span_id="00f067aa0ba902b7", ago_s=60))
    eventually(lambda: state(hub, rule_id) == "firing")
    before = hub.alerts.one(rule_id)
    hub.close()

    hub = make_hub()
    eventually(lambda: hub.alerts.report()["rules"][1]["value"] >= 60, "it was read anew")
    after = hub.alerts.one(rule_id)
    assert {name: after[name] for name in ("state", "since", "value", "fired")} == {
        name: before[name] for name in ("state", "since", "value", "fired")
    }
    slow = hub.alerts.report()["rules"][1]
    assert (slow["top"], slow["value"] >= 60) == ("shell of coder", True)
    eventually(lambda: len(found(hub, f"agent:{ALERT_AGENT}")) == 1, "it fired once")


def test_a_firing_that_no_hub_came_to_tell_of_is_told_after_the_next_start_and_once(
    make_hub: Callable[[], Hub], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = make_hub()
    rule_id = hub.alerts.add(DRAFT)["id"]
    with monkeypatch.context() as patch:
        patch.setattr(hub.alerts, "_send", lambda: None)  # as if it was killed then
        say(hub, said(level="error"), said(level="error"))
        eventually(lambda: state(hub, rule_id) == "firing")
        assert found(hub, f"agent:{ALERT_AGENT}") == []
        hub.close()

    for _ in range(2):
        hub = make_hub()
        eventually(lambda: found(hub, f"agent:{ALERT_AGENT}"))  # noqa: B023
        eventually(lambda: hub.alerts.one(rule_id)["fired"] == 1)  # noqa: B023
        hub.close()
    hub = make_hub()
    assert len(found(hub, f"agent:{ALERT_AGENT}")) == 1


def test_a_firing_that_was_written_and_not_noted_so_is_in_the_index_once(
    make_hub: Callable[[], Hub], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = make_hub()
    hub.alerts.add(DRAFT)
    with monkeypatch.context() as patch:
        patch.setattr(hub.alerts._outbox, "note_written", lambda due: None)
        say(hub, said(level="error"), said(level="error"))
        eventually(lambda: found(hub, f"agent:{ALERT_AGENT}"))
        hub.close()
    hub = make_hub()
    eventually(lambda: hub.metric.duplicate.total, "it is written again")
    assert len(found(hub, f"agent:{ALERT_AGENT}")) == 1


def test_a_log_that_cannot_be_written_gets_the_firing_later(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.alerts.add(DRAFT)
    write, is_full = hub.alerts._write, [True]

    def write_or_fail(lines: Any) -> None:
        if is_full:
            raise LogError("there is no space")
        write(lines)

    monkeypatch.setattr(hub.alerts, "_write", write_or_fail)
    say(hub, said(level="error"), said(level="error"))
    eventually(lambda: hub.alerts.report()["fault"] == "there is no space")
    is_full.clear()
    eventually(lambda: found(hub, f"agent:{ALERT_AGENT}"))
    eventually(lambda: hub.alerts.report()["fault"] == "")


def test_what_was_written_while_no_hub_ran_counts(
    make_hub: Callable[[], Hub], settings: Settings
) -> None:
    hub = make_hub()
    rule_id = hub.alerts.add(DRAFT)["id"]
    say(hub, said(level="error"))
    hub.close()
    newest = max(Path(settings.log_path).glob("events-*.jsonl"))
    with newest.open("ab") as file:
        file.write(said(level="error"))

    hub = make_hub()
    eventually(lambda: state(hub, rule_id) == "firing")
    assert hub.alerts.one(rule_id)["value"] == 2


def test_viewers_are_told_at_once_and_when_they_join(hub: Hub) -> None:
    def told(frames: list[dict[str, Any]]) -> dict[str, Any]:
        return [frame for frame in frames if frame["type"] == "alerts"][-1]

    early = hub.live.join(lambda: None)
    hub.alerts.add(DRAFT)
    say(hub, said(level="error"), said(level="error"))
    heard: list[dict[str, Any]] = []

    def listen() -> list[dict[str, Any]]:
        while frame := early.take():
            heard.append(orjson.loads(frame.data))
        return [frame for frame in heard if frame["type"] == "alerts" and frame["rules"]]

    eventually(listen, "the viewer hears of it")
    assert told(heard)["rules"][0]["state"] == "firing"
    late = hub.live.join(lambda: None)
    frames = []
    while frame := late.take():
        frames.append(orjson.loads(frame.data))
    assert frames[0]["type"] == "hello"
    assert told(frames)["rules"][0]["name"] == "errors"


def test_a_muted_rule_is_evaluated_and_counts_for_nobody(hub: Hub) -> None:
    rule_id = hub.alerts.add(DRAFT)["id"]
    assert hub.alerts.mute(rule_id, "1h")["muted"]
    say(hub, said(level="error"), said(level="error"))
    eventually(lambda: state(hub, rule_id) == "firing")
    assert hub.alerts.report()["firing"] == 0
    hub.alerts.mute(rule_id, "")
    assert hub.alerts.report()["firing"] == 1


def test_a_changed_rule_keeps_how_it_stands_and_a_removed_one_is_gone(
    make_hub: Callable[[], Hub],
) -> None:
    hub = make_hub()
    rule_id = hub.alerts.add(DRAFT)["id"]
    say(hub, said(level="error"), said(level="error"))
    eventually(lambda: state(hub, rule_id) == "firing")
    assert hub.alerts.replace(rule_id, {**DRAFT, "limit": 5})["state"] == "firing"
    eventually(lambda: state(hub, rule_id) == "resolved")
    hub.alerts.remove(rule_id)
    with pytest.raises(Exception, match="there is no rule"):
        hub.alerts.one(rule_id)
    hub.close()
    assert make_hub().alerts.report()["rules"] == []


def test_rules_of_the_settings_are_muted_and_not_edited_and_a_broken_one_stops_nobody(
    settings: Settings,
) -> None:
    rules = [DRAFT, {"name": "bad", "q": "agnet:x"}]
    given = {"home": settings.home, "log_path": settings.log_path, "alerts": rules}
    hub = Hub(resolve(given, env={}), in_process=True)
    try:
        good, bad = hub.alerts.report()["rules"]
        assert (good["origin"], good["id"]) == ("settings", "settings-errors")
        assert (bad["state"], bad["column"]) == ("broken", 1)
        with pytest.raises(QueryError, match="settings"):
            hub.alerts.remove("settings-errors")
        hub.alerts.mute("settings-errors", "forever")
        assert hub.alerts.one("settings-errors")["muted"] == "forever"
    finally:
        hub.close()


def test_a_file_of_rules_that_cannot_be_read_is_left_as_it_stands(
    make_hub: Callable[[], Hub], settings: Settings
) -> None:
    path = Path(settings.log_path) / RULES
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text('{"version": 2}')
    hub = make_hub()
    assert "cannot be read" in hub.alerts.report()["fault"]
    with pytest.raises(LogError):
        hub.alerts.add(DRAFT)
    assert path.read_text() == '{"version": 2}'


def test_two_rules_have_two_names(hub: Hub) -> None:
    hub.alerts.add(DRAFT)
    with pytest.raises(QueryError, match="already"):
        hub.alerts.add(DRAFT)


def test_a_hub_without_rules_listens_to_nothing(hub: Hub) -> None:
    assert hub.live.tap is None
    rule_id = hub.alerts.add(DRAFT)["id"]
    assert hub.live.tap is not None
    hub.alerts.remove(rule_id)
    assert hub.live.tap is None


def test_a_trial_tells_what_a_rule_would_have_done(hub: Hub) -> None:
    for ago_s in (7200, 7190, 7180, 3600, 300, 290, 280):
        say(hub, said(level="error", ago_s=ago_s))
    now_ns = int(datetime.now(UTC).timestamp() * 1e9)
    told = hub.alerts.trial({**DRAFT, "limit": 2, "window": "2m"}, now_ns - 86_400 * 10**9, now_ns)
    assert (told["fired"], told["events"], told["complete"]) == (2, 7, True)
    assert [one["peak"] for one in told["firings"]] == [3, 3]
    assert all(one["until"] for one in told["firings"])
    assert max(told["course"]["values"]) == 3


def test_a_trial_of_open_work_and_of_silence_reads_the_events(hub: Hub) -> None:
    span = {"span_id": "00f067aa0ba902b7", "tool": "shell"}
    say(
        hub,
        said(ago_s=3000, event="tool_invocation", **span),
        said(ago_s=2000, event="tool_result", **span),
    )
    now_ns = int(datetime.now(UTC).timestamp() * 1e9)
    since_ns = now_ns - 3500 * 10**9
    slow = hub.alerts.trial({"name": "s", "kind": "open", "window": "10m"}, since_ns, now_ns)
    assert slow["fired"] == 1
    assert 590 <= slow["firings"][0]["peak"] <= 1001
    silent = hub.alerts.trial(
        {"name": "q", "kind": "silent", "agent": "coder", "window": "20m"}, since_ns, now_ns
    )
    assert silent["fired"] == 1
    assert silent["firings"][0]["until"] is None
