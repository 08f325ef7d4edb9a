import itertools
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from laneway.base.errors import HubError
from laneway.base.settings import Settings, resolve
from laneway.hub.hub import Hub
from laneway.log.append import Appender
from laneway.log.segment import LogPath
from laneway.web.server import Ready, bind, serve, warnings
from tests.waiting import eventually

from ..hub.event import event
from .conftest import Running, bearer


@contextmanager
def hub_process(settings: Settings) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A hub to be killed, and its address."""
    command = [sys.executable, "-m", "tests.web.hub_process", settings.home, settings.log_path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def token(settings: Settings) -> dict[str, str]:
    return bearer(Path(settings.home, "access.token").read_text().strip())


def ids(url: str, settings: Settings) -> list[str]:
    """Every id that the hub knows, one for each event that has it."""
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        parameters = {"limit": "1000", "cursor": cursor}
        answer = httpx.get(f"{url}/api/events", params=parameters, headers=token(settings)).json()
        found += [item["id"] for item in answer["events"]]
        cursor = answer["next"]
    return found


def is_level(url: str) -> bool:
    health = httpx.get(f"{url}/health").json()
    return bool(health["status"] == "ok" and health["index"]["lag_bytes"] == 0)


def test_a_free_port_is_found_and_told(running: Running) -> None:
    assert running.ready
    assert running.ready.link.startswith(f"{running.url}/logs#code=")
    assert running.ready.warnings == ()
    assert not running.url.endswith(":0")


def test_the_link_opens_the_door_once(running: Running) -> None:
    assert running.ready
    code = {"code": running.ready.link.partition("#code=")[2]}
    with httpx.Client(base_url=running.url) as browser:
        assert browser.post("/auth/exchange", json=code).status_code == 200
        assert browser.get("/auth/state").json() == {"ok": True}
    assert httpx.post(f"{running.url}/auth/exchange", json=code).status_code == 401


def test_what_is_not_indexed_when_it_begins_to_listen_is_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Hub, "lag_bytes", lambda hub: 123)
    told: list[int] = []

    def note(ready: Ready) -> None:
        told.append(ready.lag_bytes)
        ready.stop()

    serve(settings, on_ready=note)
    assert told == [123]


def test_a_port_that_is_taken_is_told_with_a_way_out(settings: Settings) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        settings.port = other.getsockname()[1]
        with pytest.raises(HubError) as caught:
            serve(settings)
    assert str(settings.port) in caught.value.message
    assert "--port" in caught.value.hint


def test_an_address_of_another_machine_is_told() -> None:
    with pytest.raises(HubError, match=r"192\.0\.2\.1"):
        bind("192.0.2.1", 0)
    with pytest.raises(HubError, match=r"nowhere\.invalid"):
        bind("nowhere.invalid", 0)


def test_a_second_hub_on_the_same_log_is_told_where_the_first_one_is(
    running: Running, settings: Settings
) -> None:
    with pytest.raises(HubError) as caught:
        serve(settings)
    assert running.url in caught.value.message


def test_a_hub_that_could_not_start_leaves_nothing_behind(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    settings.index_path = str(tmp_path / "file")
    with pytest.raises(Exception, match="file"):
        serve(settings)
    settings.index_path = ""
    ready: list[Ready] = []

    def stop_at_once(now: Ready) -> None:
        ready.append(now)
        now.stop()

    serve(settings, on_ready=stop_at_once)
    assert ready


def test_what_lets_others_in_is_said(home: Path) -> None:
    given = {"home": home, "host": "0.0.0.0", "bind_all": True, "open_ingest": True}
    exposed, opened = warnings(resolve(given, env={}))
    assert "every machine" in exposed
    assert "without a token" in opened
    assert warnings(resolve({"home": home}, env={})) == ()


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGINT])
def test_a_hub_told_to_stop_ends_well_and_keeps_everything(
    settings: Settings, kind: signal.Signals
) -> None:
    with hub_process(settings) as (process, url):
        answer = httpx.post(f"{url}/log", json=[event(1), event(2)], headers=token(settings))
        assert answer.status_code == 200
        process.send_signal(kind)
        assert process.wait(180) == 0
    with hub_process(settings) as (process, url):
        eventually(lambda: is_level(url))
        assert sorted(ids(url, settings)) == ["id-1", "id-2"]


def test_what_agents_append_while_the_hub_is_away_is_found_at_its_start(
    settings: Settings, serving: Callable[[], Running]
) -> None:
    appender = Appender(LogPath.parse(settings.log_path))
    appender.append([b'{"timestamp":"2026-11-23T18:00:01Z","agent":"a","event":"x","id":"early"}'])
    appender.close()
    running = serving()
    eventually(lambda: is_level(running.url))
    assert ids(running.url, settings) == ["early"]


class Sender(threading.Thread):
    """Sends events until the hub dies; remembers which ones were acknowledged."""

    def __init__(self, url: str, headers: dict[str, str], name: str) -> None:
        super().__init__()
        self._url, self._headers, self._name = url, headers, name
        self.acknowledged: list[str] = []
        self.unsure: list[dict[str, Any]] = []

    def run(self) -> None:
        with httpx.Client(base_url=self._url, headers=self._headers) as client:
            for number in itertools.count():
                batch = [event(id=f"{self._name}-{number}-{i}") for i in range(1 + number % 20)]
                try:
                    answer = client.post("/log", json=batch)
                except httpx.HTTPError:
                    self.unsure = batch
                    return
                assert answer.status_code == 200
                self.acknowledged += [item["id"] for item in batch]


@pytest.mark.torture
def test_every_acknowledged_event_is_once_in_the_index_after_the_hub_was_killed(
    settings: Settings,
) -> None:
    senders: list[Sender] = []
    for round_ in range(3):
        with hub_process(settings) as (process, url):
            fresh = [Sender(url, token(settings), f"r{round_}s{n}") for n in range(4)]
            for sender in fresh:
                sender.start()
            eventually(lambda fresh=fresh: sum(len(s.acknowledged) for s in fresh) > 1500)
            process.kill()
            for sender in fresh:
                sender.join()
            senders += fresh
    acknowledged = [name for sender in senders for name in sender.acknowledged]
    with hub_process(settings) as (process, url):
        again = [item for sender in senders for item in sender.unsure]
        answer = httpx.post(f"{url}/log", json=again, headers=token(settings))
        assert answer.json()["rejected"] == 0
        eventually(lambda: is_level(url))
        found = ids(url, settings)
    assert len(found) == len(set(found))
    assert set(acknowledged) <= set(found)
    assert {item["id"] for item in again} <= set(found)
