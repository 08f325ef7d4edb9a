"""A hundred secrets through every door (in the short form ten), and then a look everywhere: none is found.

Each row of `DOORS` sends the secrets that it is given; a later door is one row more. Every door has its
own secrets, so that whatever is found tells where it came in.
"""

import gzip
import http.client
import json
import os
import random
import re
import socket
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Callable
from pathlib import Path

import pytest
from websockets.sync.client import connect

from tests.model.redact.secret import SHAPES, make
from tests.torture.harness import Hub

COUNT = 100 if os.environ.get("LANEWAY_TORTURE") == "long" else 10
SHOWN = {"slack-webhook", "discord-webhook", "teams-webhook", "telegram-token"}
"""Of these a part stays in clear on purpose; they are tried elsewhere."""

AGENT = r"""
import json, logging, sys
import laneway

class Holder:
    def __init__(self, secret): self.secret = secret
    def __repr__(self): return f"Holder({self.secret})"

@laneway.tool
def call(question, **kw): return {"answer": kw["secret"]}

doors = json.load(sys.stdin)
log = laneway.log_event
for c in doors["content"]: log("a", "log", f"we use {c} here")
for c in doors["fields"]: log("a", "log", "x", note=c, summary=f"it is {c}", input={"q": [{"deep": c}]}, output=json.dumps({"v": c}))
for c in doors["object keys"]: log("a", "log", input={c: 1, "x": {c: [2]}})
for c in doors["field names"]: log("a", "log", **{c: 1})
for c in doors["objects"]: log("a", "log", Holder(c), input=Holder(c), output={"o": [Holder(c)]}, raw=c.encode())
for c in doors["names"]: log(c, c, tool=c, session_id=c, model=c, parent_agent=c)
for c in doors["errors"]:
    try:
        local = c
        raise ValueError(f"bad {c}")
    except ValueError as error:
        log("a", "error", error=error, exc=error)
for c in doors["spans"]:
    with laneway.span(c, agent="a", input={"q": c}) as span:
        span.result = {"answer": c}
    try:
        with laneway.span("s", kind=c, agent="a", note=c) as span:
            span.set(more=c)
            raise RuntimeError(c) from ValueError(f"because of {c}")
    except RuntimeError:
        pass
for c in doors["tools"]: call(c, secret=c)
large = doors["large payloads"]
for i in range(0, len(large), 20): log("a", "log", "x " * 100_000 + " ".join(large[i:i + 20]) + " y" * 50_000, output=[f"{'z' * 70_000} {c}" for c in large[i:i + 4]])
for i, c in enumerate(doors["cuts"][::5]): log("a", "log", "x" * (256 * 1024 - 2_000 - 10 * i) + f" {c} " * 40 + "y" * 9_000)
for c in doors["bad fields"]: log("a", "log", timestamp=c, duration_ms=c, level=c, trace_id=c)
assert laneway.flush(180), laneway.stats()
"""
SDK_DOORS = tuple(dict.fromkeys(re.findall(r'doors\["([a-z ]+)"\]', AGENT)))


class Scene:
    """The hub, and what came out of it."""

    def __init__(self, hub: Hub, log: Path) -> None:
        self.hub = hub
        self.log = log
        self.heard: list[bytes] = []

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> None:
        """The answer is heard, whatever it is."""
        head = {"Authorization": f"Bearer {self.hub.access_token}", **{k.replace("_", "-"): v for k, v in headers.items()}}  # fmt: skip
        connection = http.client.HTTPConnection("127.0.0.1", self.hub.port, timeout=180)
        try:
            connection.request(method, path, body or None, head)
            answer = connection.getresponse()
            self.heard.append(str(answer.headers).encode() + answer.read())
        finally:
            connection.close()

    def post(self, body: object, **headers: str) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.request("POST", "/log", data, **{"Content_Type": "application/json", **headers})


def event(secret: str) -> dict[str, object]:
    return {"agent": "poster", "event": "log", "content": f"is {secret}", "input": {secret: [secret]}, "headers": {"Cookie": f"a={secret}"}}  # fmt: skip


def run_agent(scene: Scene, secrets: dict[str, list[str]], **env: str) -> None:
    command = [sys.executable, "-c", AGENT]
    done = subprocess.run(
        command,
        input=json.dumps(secrets),
        text=True,
        capture_output=True,
        env={**scene.hub.env, **env},
    )
    scene.heard.append((done.stdout + done.stderr).encode())
    assert done.returncode == 0, done.stderr[-2000:]


def emit(scene: Scene, arguments: list[str], text: str = "") -> None:
    done = subprocess.run(
        [sys.executable, "-m", "laneway", "emit", *arguments],
        input=text, text=True, capture_output=True, env=scene.hub.env,
    )  # fmt: skip
    scene.heard.append((done.stdout + done.stderr).encode())


def post_one(scene: Scene, secrets: list[str]) -> None:
    for secret in secrets:
        scene.post(event(secret))


def post_array(scene: Scene, secrets: list[str]) -> None:
    scene.post([event(secret) for secret in secrets])


def post_lines(scene: Scene, secrets: list[str]) -> None:
    scene.post(
        b"\n".join(json.dumps(event(secret)).encode() for secret in secrets),
        Content_Type="application/x-ndjson",
    )


def post_gzip(scene: Scene, secrets: list[str]) -> None:
    body = gzip.compress(json.dumps([event(secret) for secret in secrets]).encode())
    scene.post(body, Content_Encoding="gzip")


def post_bad(scene: Scene, secrets: list[str]) -> None:
    for secret in secrets:
        scene.post({"agent": "a", "event": "log", "timestamp": secret, "level": f"is {secret}"})
        scene.post({"agent": [secret], "event": {"x": secret}, "duration_ms": secret})
        scene.post([secret, f"is {secret}", {secret: secret}])
        scene.post(f'{{"agent": "{secret}", '.encode())
        scene.post(secret.encode(), Content_Type=f"text/{secret}")


def write_foreign(scene: Scene, secrets: list[str]) -> None:
    lines = [json.dumps(event(secret)) for secret in secrets] + [
        f"no JSON {secret}" for secret in secrets
    ]
    (scene.log / "foreign.jsonl").write_text("\n".join(lines) + "\n")


def ask(scene: Scene, secrets: list[str]) -> None:
    for secret in secrets:
        value = urllib.parse.quote(secret, safe="")
        for path in (f"/api/events?q={value}", f"/api/events?{value}=1", f"/api/events?since={value}",
                     f"/api/events/{value}", f"/api/pulse?step={value}&agent={value}", f"/{value}", f"/logs/{value}",
                     f"/api/agents?cursor={value}", f"/api/events?limit={value}&token={value}"):  # fmt: skip
            scene.request("GET", path)
        scene.request(
            secret.split(".")[0].replace("/", "").replace("+", "").replace("=", "")[:20], "/log"
        )


def send_headers(scene: Scene, secrets: list[str]) -> None:
    for secret in secrets:
        scene.request("GET", "/api/events", Authorization=f"Bearer {secret}")
        scene.request("GET", "/api/events", Authorization=secret)
        scene.request("GET", "/api/events", Cookie=f"laneway={secret}; sid={secret}")
        scene.request(
            "GET", "/health", User_Agent=secret, Referer=f"http://x/{secret}", X_Key=secret
        )
        scene.post(event("none"), Origin=f"http://{secret}", User_Agent=secret)
        scene.request("GET", "/health", Host=secret.replace("/", ""))


def send_noise(scene: Scene, secrets: list[str]) -> None:
    """Bytes that are no HTTP, and sockets with a secret in their address."""
    for secret in secrets:
        with socket.create_connection(("127.0.0.1", scene.hub.port), timeout=180) as raw:
            raw.sendall(f"{secret} / HTTP/9.9\r\n{secret}\r\n\r\n".encode())
            raw.shutdown(socket.SHUT_WR)
            scene.heard.append(raw.recv(65_536))
    for secret in secrets:
        value = urllib.parse.quote(secret, safe="")
        upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        for path, more in (
            (f"/logs/ws?since={value}&{value}=1", upgrade),
            (f"/logs/sse?agent={value}&since={value}", ""),
        ):
            with socket.create_connection(("127.0.0.1", scene.hub.port), timeout=180) as raw:
                raw.sendall(
                    f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{scene.hub.port}\r\nAuthorization: Bearer {scene.hub.access_token}\r\n{more}\r\n".encode()
                )
                scene.heard.append(raw.recv(65_536))


def emit_arguments(scene: Scene, secrets: list[str]) -> None:
    half = secrets[:10]
    emit(
        scene,
        [
            "shell",
            "log",
            "--content",
            " ".join(half),
            *(f"f{i}={s}" for i, s in enumerate(secrets)),
        ],
    )
    emit(scene, [half[0], half[1], half[2], f"{half[3]}=x", f"n:={half[4]}", f"--{half[5]}"])
    emit(
        scene,
        ["a", "log", "x", f"duration_ms={half[6]}", f"timestamp={half[7]}", f"--timeout={half[8]}"],
    )


def emit_stdin(scene: Scene, secrets: list[str]) -> None:
    emit(scene, ["shell", "log", "--stdin"], "\n".join(secrets))
    lines = [json.dumps(event(secret)) for secret in secrets] + [
        f"{{bad {secret}" for secret in secrets
    ]
    emit(scene, ["--json"], "\n".join(lines))


DOORS: dict[str, Callable[[Scene, list[str]], None]] = {
    "POST one": post_one,
    "POST array": post_array,
    "POST lines": post_lines,
    "POST gzip": post_gzip,
    "POST bad": post_bad,
    "foreign file": write_foreign,
    "questions": ask,
    "headers": send_headers,
    "noise": send_noise,
    "emit arguments": emit_arguments,
    "emit stdin": emit_stdin,
}


def canaries(door: str) -> list[str]:
    draw = random.Random(f"{door} 20261126")
    shapes = [shapes[0] for rule, shapes in SHAPES.items() if rule not in SHOWN]
    return [make(shapes[i % len(shapes)], draw) for i in range(COUNT)]


def needles(secret: str) -> list[bytes]:
    """Both ends of its longest word, as the index spells it: that finds it cut, and percent-encoded."""
    longest = max(re.findall("[A-Za-z0-9]+", secret), key=len).lower().encode()
    return [longest[:END_CHARS], longest[-END_CHARS:]]


END_CHARS = 12
"""Of the shortest word among the secrets: the last part of a UUID."""


def find_leaks(
    secrets: dict[str, list[str]], places: dict[str, bytes]
) -> list[tuple[str, str, str]]:
    """(door, place, what stands there), in whatever case it is spelt."""
    found = []
    for place, data in places.items():
        low = data.lower()
        words = b" ".join(set(re.findall(b"[a-z0-9]{%d,}" % END_CHARS, low)))
        for door, values in secrets.items():
            for value in values:
                for needle in needles(value):
                    if needle in words:
                        at = low.find(needle)
                        found.append((door, place, repr(data[max(0, at - 80) : at + 20])))
    return found


def files_of(*directories: Path, but: str = "") -> dict[str, bytes]:
    return {
        str(path): path.read_bytes()
        for directory in directories
        for path in sorted(directory.rglob("*"))
        if path.is_file() and not path.is_symlink() and path.name != but
    }


class Listener:
    """Every byte that a live stream sends."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.is_done = False
        self._threads = [
            threading.Thread(target=self._listen, daemon=True, args=(kind,))
            for kind in ("ws", "sse")
        ]
        for thread in self._threads:
            thread.start()

    def _listen(self, kind: str) -> None:
        address = f"127.0.0.1:{self._scene.hub.port}"
        headers = {"Authorization": f"Bearer {self._scene.hub.access_token}"}
        if kind == "ws":
            with connect(
                f"ws://{address}/logs/ws?history=100000", additional_headers=headers, max_size=None
            ) as live:
                while not self.is_done:
                    try:
                        self._scene.heard.append(str(live.recv(timeout=0.5)).encode())
                    except TimeoutError:
                        continue
            return
        connection = http.client.HTTPConnection(address, timeout=180)
        connection.request("GET", "/logs/sse?history=100000", headers=headers)
        answer = connection.getresponse()
        while not self.is_done and (line := answer.readline()):
            self._scene.heard.append(line)
        connection.close()

    def stop(self) -> None:
        self.is_done = True
        self._threads[0].join(30)


@pytest.mark.torture
@pytest.mark.timeout(1800 if COUNT == 100 else 600)
def test_secrets_through_every_door_are_found_nowhere(tmp_path: Path) -> None:
    home, log = tmp_path / "home", tmp_path / "log"
    hub = Hub(home, log)
    scene = Scene(hub, log)
    in_file = {name: canaries(f"file {name}") for name in SDK_DOORS}
    in_http = {name: canaries(f"http {name}") for name in SDK_DOORS}
    posted = {name: canaries(name) for name in DOORS}
    hub.start()
    listener = Listener(scene)
    try:
        run_agent(scene, in_file)
        run_agent(scene, in_http, LOGGING_URL=f"{hub.url}/log", LANEWAY_TOKEN=hub.access_token)
        for name, send in DOORS.items():
            send(scene, posted[name])
        hub.wait_level()
        stored = list(hub.iter_events())
        for path in ("/metrics", "/api/agents", "/api/sessions", "/api/pulse?step=60s", "/health"):
            scene.request("GET", path)
        secrets = {
            **{f"file: {name}": values for name, values in in_file.items()},
            **{f"http: {name}": values for name, values in in_http.items()},
            **posted,
        }
        places = files_of(home, log, but="foreign.jsonl")
    finally:
        listener.stop()
        hub.stop()
    places |= {
        f"stopped {name}": data for name, data in files_of(home, log, but="foreign.jsonl").items()
    }
    places["answers"] = b"\n".join(scene.heard) + json.dumps(stored).encode()
    places["the hub's output"] = hub.output.read_bytes()

    leaks = find_leaks(secrets, places)
    told = "\n".join(
        f"{door} | {place} | {text}"
        for (door, place), text in {leak[:2]: leak[2] for leak in leaks}.items()
    )
    assert not leaks, f"{len(leaks)} leaks:\n{told}"
    assert len(stored) > 2 * COUNT * len(SDK_DOORS)
    assert json.dumps(stored).count("[redacted:") > 2 * COUNT * len(SDK_DOORS)


def test_the_look_finds_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "x").write_text(f"… {canaries('POST one')[3].upper()} …")

    leaks = find_leaks({"door": canaries("POST one")}, files_of(tmp_path))

    assert {(door, place) for door, place, _ in leaks} == {("door", str(tmp_path / "x"))}
    assert os.listdir(tmp_path) == ["x"]
