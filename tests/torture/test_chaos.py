"""Everything at once: the hub and its indexer are killed, the disk fills up, senders send rubbish, a spool
overflows. At the end: emitted = stored + counted by reason, to the last event (P14)."""

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.torture.conftest import Report
from tests.torture.harness import Hub
from tests.torture.test_hub_disk import health, start
from tests.torture.test_memory import children
from tests.torture.volume import ext4, fill
from tests.waiting import eventually

pytestmark = [pytest.mark.torture, pytest.mark.timeout(900)]

IS_LONG = os.environ.get("LANEWAY_TORTURE") == "long"
ROUNDS = 12 if IS_LONG else 3
SETTLE_S = 240.0

LOGGER = """
import json, random, sys, threading, time
import laneway
name, seed = sys.argv[1], int(sys.argv[2])
draw = random.Random(seed)
is_over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.readline(), is_over.set()), daemon=True).start()
emitted = 0
while not is_over.is_set():
    laneway.log_event(name, "log", "x" * draw.choice((10, 400, 9000)), n=emitted)
    emitted += 1
    time.sleep(0.002)
is_flushed = laneway.flush(200)
print(json.dumps({"emitted": emitted, "is_flushed": is_flushed, **laneway.stats()}))
"""


class Sender:
    """Posts good and bad events by hand; repeats each until it is answered for good."""

    def __init__(self, hub: Hub, name: str, seed: int) -> None:
        self.stored: set[str] = set()
        self.counts: Counter[str] = Counter()
        self._hub, self._name, self._draw = hub, name, random.Random(seed)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        n = 0
        while not self._is_over.is_set():
            id_ = f"{self._name}-{n}"
            event = {
                "agent": self._name,
                "event": "log",
                "id": id_,
                "content": "y" * (n * 37 % 2000),
            }
            if self._draw.random() < 0.2:
                event["timestamp"] = "yesterday"
            self.counts["sent"] += 1
            self._settle(id_, event)
            n += 1

    def _settle(self, id_: str, event: dict) -> None:
        while True:
            status = self._try(event)
            if status == 200:
                self.stored.add(id_)
                return
            if status == 422:
                self.counts["rejected"] += 1
                return
            self.counts[f"tried again after {status or 'no answer'}"] += 1
            time.sleep(0.05)

    def _try(self, event: dict) -> int:
        """The status, or 0 where the hub is gone."""
        connection = http.client.HTTPConnection("127.0.0.1", self._hub.port, timeout=180)
        try:
            head = {"Authorization": f"Bearer {self._hub.access_token}"}
            connection.request("POST", "/log", json.dumps(event), head)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()


def start_logger(
    name: str, hub: Hub, directory: Path, seed: int, **more: str
) -> subprocess.Popen[str]:
    env = {**hub.env, "LANEWAY_SEGMENT_BYTES": "256KiB", **more}
    return subprocess.Popen(
        [sys.executable, "-c", LOGGER, name, str(seed)],
        env=env,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def disturb(hub: Hub, volume: Path, draw: random.Random) -> str:
    """Do one bad thing, and undo it."""
    deed = draw.choice(("kill the hub", "kill the indexer", "fill the disk"))
    assert hub.process
    if deed == "kill the hub":
        hub.kill()
        time.sleep(draw.uniform(0, 0.5))
        start(hub)
    elif deed == "kill the indexer":
        for pid in children(hub.process.pid):
            os.kill(pid, signal.SIGKILL)
    else:
        filler = fill(volume)
        time.sleep(draw.uniform(0.1, 1.0))
        filler.unlink()
    return deed


def test_emitted_is_stored_plus_counted_whatever_happens(
    tmp_path: Path, seed: int, report: Report
) -> None:
    draw = random.Random(seed)
    deeds: Counter[str] = Counter()
    with ext4(tmp_path / "disk", 192 << 20) as volume:
        hub = Hub(tmp_path / "home", volume / "log")
        hub.env |= {"LANEWAY_RESERVE_BYTES": "2MiB", "LANEWAY_SEGMENT_BYTES": "256KiB"}
        hub.start()
        url = f"{hub.url}/log"
        loggers = {
            "file": start_logger("file", hub, tmp_path, seed),
            "http": start_logger("http", hub, tmp_path, seed, LOGGING_URL=url),
            "small": start_logger(
                "small", hub, tmp_path, seed, LOGGING_URL=url + "?", LANEWAY_SPOOL_BYTES="64KiB"
            ),
        }
        senders = [Sender(hub, f"s{n}", seed + n) for n in range(2)]
        try:
            for _ in range(ROUNDS):
                time.sleep(draw.uniform(0.3, 1.5))
                deeds[disturb(hub, volume, draw)] += 1
            for sender in senders:
                sender.stop()
            reports = {}
            for name, logger in loggers.items():
                out, errors = logger.communicate("\n", timeout=SETTLE_S)
                assert logger.returncode == 0, errors
                assert "Traceback" not in errors
                reports[name] = json.loads(out)
            eventually(lambda: health(hub).get("status") == "ok", "the hub to be well", SETTLE_S)
            hub.wait_level()
            stored = Counter((event["agent"], event["id"]) for event in hub.iter_events())
        finally:
            for sender in senders:
                sender.stop()
            for logger in loggers.values():
                logger.kill()
                logger.communicate()
            hub.stop()

    assert max(stored.values()) == 1
    by_agent = Counter(agent for agent, _ in stored)
    for name, told in reports.items():
        lost = sum(told["lost"].values())
        assert told["is_flushed"], (name, told)
        assert told["waiting"] == 0, (name, told)
        assert told["emitted"] == by_agent[name] + lost + told.get("rejected", 0), (name, told)
    for sender in senders:
        kept = {id_ for agent, id_ in stored if agent == sender._name}
        assert kept == sender.stored
        assert sender.counts["sent"] == len(kept) + sender.counts["rejected"]
    print(f"{dict(deeds)}; {dict(senders[0].counts)}")
    report(
        "chaos", deeds=sum(deeds.values()), logged=sum(told["emitted"] for told in reports.values()),
        sent=sum(sender.counts["sent"] for sender in senders), stored=len(stored),
        counted=sum(sum(told["lost"].values()) for told in reports.values()),
        rejected=sum(sender.counts["rejected"] for sender in senders),
    )  # fmt: skip
