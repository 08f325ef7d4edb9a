"""What leaves the machine, and to whom: against a receiver that is a process of its own."""

import hashlib
import hmac
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from laneway.base.errors import HubError, SettingError
from laneway.base.settings import resolve
from laneway.hub.alert import webhook as module
from laneway.hub.alert.allow import Allowed
from laneway.hub.alert.notice import Notice
from laneway.hub.alert.webhook import QUEUE, TRIES, Webhook, Webhooks
from tests.torture.harness import Hub
from tests.waiting import eventually

KEY = b"0123456789abcdef0123456789abcdef"


class Receiver:
    """The process, and what it was sent."""

    def __init__(self, path: Path, *answers: str) -> None:
        self._path = path
        command = [sys.executable, str(Path(__file__).parent / "receiver.py"), str(path), *answers]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        self.port = int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}/hook?room=1"

    def heard(self) -> list[dict[str, Any]]:
        lines = self._path.read_text().splitlines() if self._path.exists() else []
        return [json.loads(line) for line in lines]

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()


@pytest.fixture
def receive(tmp_path: Path) -> Iterator[Callable[..., Receiver]]:
    made: list[Receiver] = []

    def start(*answers: str) -> Receiver:
        made.append(Receiver(tmp_path / f"heard-{len(made)}.jsonl", *answers))
        return made[-1]

    yield start
    for receiver in made:
        receiver.stop()


@pytest.fixture
def call() -> Iterator[Callable[..., Webhook]]:
    made: list[Webhook] = []

    def start(url: str, *allowed: str, **more: Any) -> Webhook:
        made.append(Webhook(url, Allowed(allowed or ("127.0.0.1",)), KEY, pause_s=0.01, **more))
        return made[-1]

    yield start
    for webhook in made:
        webhook.close()


NOTICE = Notice("n1", b'{"text":"errors"}')


def test_a_firing_reaches_a_receiver_signed_and_without_secrets(
    tmp_path: Path, home: Path, receive: Callable[..., Receiver]
) -> None:
    """A real hub, a real receiver, and events by HTTP."""
    receiver = receive("200")
    key = tmp_path / "hook.key"
    key.write_bytes(KEY + b"\n")
    secret = "sk-ant-api03-" + "aB3" * 31  # an agent's name may hold one
    rules = [{"name": "errors", "q": "has:error", "limit": 0, "window": "1h", "by": "agent"}]
    hub = Hub(home, tmp_path / "log")
    hub.env |= {
        "LANEWAY_ALERTS": json.dumps(rules),
        "LANEWAY_ALERT_WEBHOOKS": receiver.url,
        "LANEWAY_ALERT_HOSTS": "127.0.0.1",
        "LANEWAY_ALERT_KEY_FILE": str(key),
    }
    hub.start()
    try:
        event = {"agent": f"coder {secret}", "event": "log", "level": "error"}
        bearer = {"Authorization": f"Bearer {hub.access_token}"}
        httpx.post(f"{hub.url}/log", json=event, headers=bearer, timeout=180).raise_for_status()
        eventually(receiver.heard, "the receiver hears of it")
        (heard,) = receiver.heard()
        webhooks = hub.get("/api/alerts")["webhooks"]
    finally:
        hub.stop()
    told = json.loads(heard["body"])
    assert (told["state"], told["rule"]["id"], told["value"]) == ("firing", "settings-errors", 1)
    assert "aB3aB3aB3" not in heard["body"]
    assert len(heard["body"]) < 1000
    assert heard["path"] == "/hook?room=1"
    at, _, mac = heard["headers"]["Laneway-Signature"].partition(",v1=")
    signed = f"{at.removeprefix('t=')}.{heard['body']}".encode()
    assert mac == hmac.new(KEY, signed, hashlib.sha256).hexdigest()
    assert webhooks[0]["host"] == "127.0.0.1"


def test_a_redirect_is_not_followed_and_not_tried_again(
    receive: Callable[..., Receiver], call: Callable[..., Webhook]
) -> None:
    receiver = receive("302")
    webhook = call(receiver.url)
    webhook.send(NOTICE)
    eventually(lambda: webhook.failed)
    assert [heard["path"] for heard in receiver.heard()] == ["/hook?room=1"]
    assert "redirects are not followed" in webhook.fault


def test_a_receiver_that_is_away_or_busy_is_tried_again_with_the_same_notice(
    receive: Callable[..., Receiver], call: Callable[..., Webhook]
) -> None:
    receiver = receive("503", "away", "429", "200")
    webhook = call(receiver.url)
    webhook.send(NOTICE)
    eventually(lambda: webhook.sent)
    heard = receiver.heard()
    assert {one["headers"]["Laneway-Delivery"] for one in heard} == {"n1"}
    assert [one["headers"]["Laneway-Attempt"] for one in heard] == ["1", "2", "3", "4"]
    assert (webhook.failed, webhook.fault) == (0, "")


def test_tries_end(receive: Callable[..., Receiver], call: Callable[..., Webhook]) -> None:
    receiver = receive("500")
    webhook = call(receiver.url)
    webhook.send(NOTICE)
    eventually(lambda: webhook.failed)
    assert len(receiver.heard()) == TRIES


def test_a_receiver_that_answers_byte_by_byte_is_left(
    receive: Callable[..., Receiver],
    call: Callable[..., Webhook],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "ANSWER_S", 0.5)
    monkeypatch.setattr(module, "TRIES", 1)
    webhook = call(receive("slow").url)
    webhook.send(NOTICE)
    eventually(lambda: webhook.failed)


def test_a_slow_receiver_costs_a_bounded_queue_and_nobody_waits(
    call: Callable[..., Webhook],
) -> None:
    import threading

    held = threading.Event()

    def resolve_slowly(host: str, port: int) -> list[str]:
        held.wait(180)
        return []

    webhook = call("http://127.0.0.1:1/", resolve=resolve_slowly)
    for n in range(3 * QUEUE):
        webhook.send(Notice(str(n), b"{}"))
    assert webhook.report()["waiting"] == QUEUE
    assert webhook.report()["dropped"] == 2 * QUEUE
    held.set()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "100.64.0.1", "0.0.0.0",
        "::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "64:ff9b:1::1", "224.0.0.1",
    ],
)  # fmt: skip
def test_a_name_that_leads_to_a_private_address_is_not_called(
    address: str, call: Callable[..., Webhook], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TRIES", 1)
    dialled: list[object] = []
    monkeypatch.setattr(module, "_dial", lambda *given: dialled.append(given))
    webhook = call(
        "http://hooks.example.com/",
        "hooks.example.com",
        resolve=lambda *_: ["93.184.215.14", address],
    )
    webhook.send(NOTICE)
    eventually(lambda: webhook.failed)
    assert "not public" in webhook.fault
    assert dialled == []


def test_a_listed_network_lets_a_name_lead_there() -> None:
    Allowed(["hooks.corp", "10.1.0.0/16"]).check_address("10.1.2.3")
    with pytest.raises(HubError):
        Allowed(["hooks.corp", "10.1.0.0/16"]).check_address("10.2.2.3")


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://other.example.com/", "hooks.example.com"),
        ("http://hooks.example.com:8080/", "hooks.example.com:443"),
        ("http://hooks.example.com.evil.net/", "hooks.example.com"),
        ("http://127.0.0.1/", "hooks.example.com"),
        ("http://2130706433/", "127.0.0.2"),
        ("ftp://hooks.example.com/", "hooks.example.com"),
        ("http://me:pw@hooks.example.com/", "hooks.example.com"),
        ("http://hooks.example.com:x/", "hooks.example.com"),
        ("http://hooks.example.com/", "http://hooks.example.com"),
        ("http://hooks.example.com/", ""),
    ],
)
def test_whoever_is_not_listed_is_refused_at_the_start(url: str, allowed: str) -> None:
    given = {"alert_webhooks": (url,), "alert_hosts": (allowed,) if allowed else ()}
    with pytest.raises(SettingError):
        Webhooks(resolve(given, env={}))


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://hooks.example.com/x", "hooks.example.com"),
        ("https://HOOKS.example.com./x", "hooks.example.com"),
        ("https://hooks.example.com:8443/x", "hooks.example.com:8443"),
        ("http://127.0.0.1:9000/", "127.0.0.1"),
        ("http://[::1]:9000/", "[::1]"),
        ("http://10.1.2.3/", "10.1.0.0/16"),
    ],
)
def test_whoever_is_listed_is_taken(url: str, allowed: str) -> None:
    Webhooks(resolve({"alert_webhooks": (url,), "alert_hosts": (allowed,)}, env={}))


def test_a_key_that_is_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("short\n")
    given = {"alert_webhooks": ("http://127.0.0.1/",), "alert_hosts": ("127.0.0.1",)}
    with pytest.raises(SettingError, match="at least 16"):
        Webhooks(resolve({**given, "alert_key_file": str(path)}, env={}))
