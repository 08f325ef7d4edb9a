"""A hub is killed while it tells of alerts: each firing is told, and twice only as docs/alerts.md says."""

import json
import os
import random
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.hub.alert.test_webhook import Receiver
from tests.torture.conftest import Report
from tests.torture.harness import Hub
from tests.waiting import eventually

pytestmark = [pytest.mark.torture, pytest.mark.timeout(600)]

IS_LONG = os.environ.get("LANEWAY_TORTURE") == "long"
ROUNDS, KILLS = (12, 4) if IS_LONG else (1, 3)
RULES = 25


def post(hub: Hub, *events: dict) -> None:
    bearer = {"Authorization": f"Bearer {hub.access_token}"}
    httpx.post(f"{hub.url}/log", json=events, headers=bearer, timeout=180).raise_for_status()


def firings(hub: Hub) -> Counter[str]:
    """The events of the log that tell of one, by rule."""
    page = hub.get("/api/events?event=alert_firing&limit=1000")
    return Counter(event["alert_id"] for event in page["events"])


def test_a_hub_that_is_killed_while_it_tells_loses_no_firing(
    tmp_path: Path, seed: int, report: Report
) -> None:
    dice = random.Random(seed)
    fired = repeated = 0
    for turn in range(ROUNDS):
        place = tmp_path / str(turn)
        place.mkdir()
        receiver = Receiver(place / "heard.jsonl", "200+0.02")
        rules = [
            {"name": f"r{n}", "q": f"agent:a{n}", "limit": 0, "window": "1h"} for n in range(RULES)
        ]
        hub = Hub(place / "home", place / "log")
        hub.env |= {
            "LANEWAY_ALERTS": json.dumps(rules),
            "LANEWAY_ALERT_WEBHOOKS": receiver.url,
            "LANEWAY_ALERT_HOSTS": "127.0.0.1",
        }
        hub.start()
        try:
            post(hub, *({"agent": f"a{n}", "event": "log"} for n in range(RULES)))
            kills = 0
            for _ in range(KILLS):
                # Anywhere from before the first rule is looked at to behind the last answer.
                time.sleep(dice.uniform(0, 2))
                hub.kill()
                kills += 1
                hub.start()
            wanted = {f"settings-r{n}" for n in range(RULES)}
            eventually(lambda: set(firings(hub)) == wanted, "all are in the log")  # noqa: B023
            eventually(
                lambda: {told["rule"]["id"] for told in heard(receiver)} == wanted,  # noqa: B023
                "all were told",
            )
            eventually(lambda: not waiting(hub), "nothing is due")  # noqa: B023
            assert firings(hub) == Counter(wanted)
            ids = Counter(told["id"] for told in heard(receiver))
            assert len(ids) == RULES, "a firing has one id, however often it is told"
            fired += RULES
            repeated += sum(ids.values()) - RULES
            # A kill repeats what was on its way: one notice to one receiver.
            assert sum(ids.values()) - RULES <= kills
        finally:
            hub.kill()
            receiver.stop()
    report("alerts", kills=ROUNDS * KILLS, firings=fired, lost=0, told_twice=repeated)


def heard(receiver: Receiver) -> list[dict]:
    return [json.loads(one["body"]) for one in receiver.heard()]


def waiting(hub: Hub) -> int:
    (webhook,) = hub.get("/api/alerts")["webhooks"]
    return int(webhook["waiting"])
