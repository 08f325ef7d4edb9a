"""A real browser: what a page of ours does with hostile content, and what foreign pages can do to a hub."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

import laneway
from laneway import bind, log_event
from tests.e2e.conftest import PATIENCE_MS, browser, find_link, hub, open_page
from tests.security.payload import page_payloads
from tests.torture.harness import Hub
from tests.waiting import eventually

__all__ = ["browser", "hub", "open_page"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

WATCH = """
window.__violations = [];
document.addEventListener("securitypolicyviolation", e => window.__violations.push(e.violatedDirective));
window.__before = [Object, Array, String, Function].map(o => Object.getOwnPropertyNames(o.prototype).length);
"""
POLLUTED = """() => {
  const now = [Object, Array, String, Function].map(o => Object.getOwnPropertyNames(o.prototype).length);
  return JSON.stringify(now) !== JSON.stringify(window.__before)
    || ({}).polluted !== undefined || Object.keys({}).length > 0 || [].polluted !== undefined;
}"""


def name_of(payload: str) -> str:
    """A name that an event may bear: not blank, not too long."""
    return payload[:250] if payload[:250].strip() else "blank"


def hostile_event(payload: str) -> dict[str, object]:
    name = name_of(payload)
    fields: dict[str, object] = {"tool": name, "session_id": name, "pod": name, "model": name}
    fields |= {"parent_agent": name, "role": name, "host": name, "provider": name}
    fields["input"] = {payload: payload, "__proto__": {"polluted": payload}, "list": [payload]}
    fields["output"] = json.dumps(
        {"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}
    )
    fields["error"] = {"type": name, "message": payload, "stack": payload}
    fields["tags"] = [payload]
    fields[name] = payload
    return fields


def test_two_hundred_hostile_texts_in_every_field_stay_text(
    open_page: Callable[..., Page], hub: Hub
) -> None:
    payloads = page_payloads()
    assert len(payloads) >= 190
    laneway.configure(log_path=hub.env["LOG_PATH"], home=str(hub.home))
    page = open_page()
    page.add_init_script(WATCH)
    page.reload()
    page.wait_for_function("() => window.__laneway?.state().link === 'live'")
    dialogs: list[str] = []
    outside: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.context.on(
        "request",
        lambda r: outside.append(r.url) if not r.url.startswith(("data:", hub.url)) else None,
    )
    for payload in payloads:
        name = name_of(payload)
        with bind(session_id=name):
            log_event(name, name, payload, **hostile_event(payload))
    page.wait_for_function(f"() => window.__laneway.visible().total >= {len(payloads)}")
    rows = page.locator("[data-testid=row]:visible")
    # open details of what is on the screen
    rows.evaluate_all("all => all.filter((_, n) => n % 4 === 0).forEach(one => one.click())")
    for query in ("__proto__", "constructor", "<img src=x onerror=alert(1)>"):
        page.get_by_test_id("filter-input").fill(query)
        page.keyboard.press("Enter")
    page.get_by_test_id("filter-clear").click()
    page.mouse.move(600, 200)  # a tooltip, if there is a bar
    page.wait_for_timeout(500)

    assert dialogs == []
    assert outside == []
    assert page.evaluate("() => window.__violations") == []
    assert not page.evaluate(POLLUTED)
    assert (
        page.locator("iframe, object, embed, [onerror], [onload], a[href^=javascript]").count() == 0
    )
    assert page.evaluate("() => document.scripts.length") == 1


@pytest.mark.parametrize(
    "payload", ["<img src=x onerror=alert(1)>", "__proto__", "</script><script>alert(1)</script>"]
)
def test_the_detail_of_a_hostile_event_is_text(
    open_page: Callable[..., Page], hub: Hub, payload: str
) -> None:
    laneway.configure(log_path=hub.env["LOG_PATH"], home=str(hub.home))
    page = open_page()
    page.add_init_script(WATCH)
    page.reload()
    page.wait_for_function("() => window.__laneway?.state().link === 'live'")
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    event_id = log_event(payload, payload, payload, **hostile_event(payload))
    page.wait_for_function("() => window.__laneway.visible().total >= 1")
    page.goto(f"{hub.url}/logs?sel={event_id}")
    page.get_by_test_id("detail").wait_for()
    page.get_by_test_id("json-toggle").click()
    page.wait_for_timeout(300)

    assert dialogs == []
    expect(page.get_by_test_id("detail")).to_contain_text(payload)
    assert not page.evaluate(POLLUTED)
    assert page.evaluate("() => window.__violations") == []


ATTACK = """async hub => {
  const seen = {frames: 0, readable: 0, opened: 0};
  const event = JSON.stringify({agent: "attacker", event: "csrf"});
  const quiet = promise => Promise.race([promise.catch(() => null), new Promise(r => setTimeout(r, 1500))]);
  const read = async answer => { if (answer && answer.type !== "opaque") seen.readable++; };
  for (const mode of ["cors", "no-cors", "same-origin"])
    for (const type of ["text/plain", "application/json", "application/x-www-form-urlencoded", ""])
      for (const credentials of ["include", "omit"])
        await read(await quiet(fetch(hub + "/log", {method: "POST", mode, credentials, body: event,
          headers: type ? {"Content-Type": type} : {}})));
  for (const path of ["/api/events", "/health", "/logs", "/auth/state", "/metrics"])
    for (const mode of ["cors", "no-cors"])
      await read(await quiet(fetch(hub + path, {mode, credentials: "include"})));
  navigator.sendBeacon?.(hub + "/log", event);
  navigator.sendBeacon?.(hub + "/log", new Blob([event], {type: "application/json"}));
  for (const path of ["/log?agent=attacker", "/auth/logout", "/api/events"]) {
    for (const tag of ["img", "script", "iframe", "audio", "embed"]) {
      const one = document.createElement(tag); one.src = hub + path; document.body.append(one);
    }
  }
  for (const enctype of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
    const frame = document.createElement("iframe"); frame.name = "f" + enctype; document.body.append(frame);
    const form = document.createElement("form");
    Object.assign(form, {method: "POST", action: hub + "/log", target: frame.name, enctype});
    const field = document.createElement("input");
    field.name = '{"agent":"attacker","event":"csrf","x":"'; field.value = '"}';
    form.append(field); document.body.append(form);
    try { form.submit(); } catch { }
  }
  const sockets = [];
  for (const query of ["", "?format=json", "?since=0"]) {
    const socket = new WebSocket(hub.replace("http", "ws") + "/logs/ws" + query);
    socket.onopen = () => seen.opened++; socket.onmessage = () => seen.frames++;
    sockets.push(socket);
  }
  for (const withCredentials of [true, false]) {
    const source = new EventSource(hub + "/logs/sse", {withCredentials});
    source.onopen = () => seen.opened++; source.onmessage = () => seen.frames++;
    sockets.push(source);
  }
  await new Promise(r => setTimeout(r, 2500));
  sockets.forEach(one => one.close());
  return seen;
}"""


class Foreign(http.server.BaseHTTPRequestHandler):
    """Somebody else's page, on another port of this machine."""

    requests: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        body = b"<!doctype html><title>foreign</title><body>"
        if self.path == "/sandboxed":
            body += b"<iframe sandbox='allow-scripts allow-forms' src=/></iframe>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        self.requests.append(self.path)


@pytest.fixture
def foreign() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Foreign)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://localhost:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("path", ["/", "/sandboxed"])
def test_a_foreign_page_stores_nothing_and_sees_nothing(
    browser: Browser, hub: Hub, foreign: str, name: str, path: str, home: Path
) -> None:
    """In a browser that is let in: its cookie is there to be abused."""
    laneway.configure(log_path=hub.env["LOG_PATH"], home=str(home))
    log_event("victim", "log", "a secret")
    eventually(lambda: len(list(hub.iter_events())) == 1, "the event")
    context = browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    own = context.new_page()
    own.goto(find_link(hub.output.read_text()).replace("127.0.0.1", name))
    own.wait_for_function("() => window.__laneway?.state().link === 'live'")
    page = context.new_page()
    page.goto(foreign + path)
    frame = page.frames[-1]
    frame.wait_for_load_state()
    seen = frame.evaluate(ATTACK, f"http://{name}:{hub.port}")

    assert seen == {"frames": 0, "readable": 0, "opened": 0}
    assert [event["agent"] for event in hub.iter_events()] == ["victim"]
    own.reload()  # and nobody was logged out
    own.wait_for_function("() => window.__laneway?.state().link === 'live'")
    context.close()


def test_a_page_behind_a_rebound_name_gets_nothing(hub: Hub, browser: Browser) -> None:
    """The attacker's name leads to this machine now: the browser takes the hub for the same origin."""
    rebound = browser.browser_type.launch(
        executable_path=browser_path(),
        args=["--no-sandbox", f"--host-resolver-rules=MAP rebind.example 127.0.0.1:{hub.port}"],
    )
    try:
        page = rebound.new_page()
        answer = page.goto("http://rebind.example/health")
        assert answer
        assert answer.status == 403
        send = """fetch('/log', {method: 'POST', body: '{"agent":"a","event":"x"}'})"""
        status = page.evaluate(f"() => {send}.then(r => r.status)")
        assert status == 403
        opened = page.evaluate(
            "() => new Promise(done => { const s = new WebSocket('ws://rebind.example/logs/ws');"
            " s.onopen = () => done(true); s.onerror = () => done(false); })"
        )
        assert not opened
    finally:
        rebound.close()
    assert list(hub.iter_events()) == []


def browser_path() -> str:
    from tests.e2e.conftest import find_chromium

    return find_chromium()


HOSTS = [
    "", " ", "evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "127.0.0.1:{port}.",
    "127.0.0.1:0{port}", "127.0.0.1:{port}:{port}", "127.0.0.1.:{port}", "127.1:{port}",
    "127.0.1:{port}", "127.0.0.2:{port}", "0.0.0.0:{port}", "0:{port}", "0x7f.0.0.1:{port}",
    "0x7f000001:{port}", "2130706433:{port}", "017700000001:{port}", "[::]:{port}",
    "[::ffff:127.0.0.1]:{port}", "::1:{port}", "[::1%25lo]:{port}", "[0:0:0:0:0:0:0:1]:{port}",
    "localhost", "localhost.:{port}", "localhost:{port}.evil.example",
    "localhost.evil.example:{port}", "evil.localhost:{port}", "user@localhost:{port}",
    "localhost:{port}@evil.example", "localhost:{port}/x", "localhost:{port}?x",
    "localhost:{port}#x", "localhost:{port},evil.example", "localhost:{port} evil.example",
    "localhost\\:{port}", "http://localhost:{port}", "localhost%3a{port}", "localtest.me:{port}",
    "127.0.0.1.nip.io:{port}", "a.127.0.0.1.sslip.io:{port}", "localhost:{port}\x0bx", "LOCALHOST",
]  # fmt: skip


def test_forty_values_of_host_are_refused_by_the_real_server(hub: Hub) -> None:
    import socket

    assert len(HOSTS) >= 40
    targets = ("/health", "/log", "/logs/ws", f"http://127.0.0.1:{hub.port}/health")
    for host in HOSTS:
        for target in targets:
            with socket.create_connection(("127.0.0.1", hub.port), 30) as raw:
                value = host.format(port=hub.port)
                head = f"GET {target} HTTP/1.1\r\nHost: {value}\r\n"
                head += f"Authorization: Bearer {hub.access_token}\r\nConnection: close\r\n\r\n"
                raw.sendall(head.encode())
                answer = raw.makefile("rb").readline()
            assert answer[9:12] in (b"403", b"400"), (value, target, answer)
    with socket.create_connection(("127.0.0.1", hub.port), 30) as raw:
        own = f"Host: 127.0.0.1:{hub.port}\r\n"
        raw.sendall(f"GET /health HTTP/1.1\r\n{own}Host: evil.example\r\n\r\n".encode())
        assert raw.recv(12)[9:12] == b"400"


def test_no_address_of_an_event_is_called(hub: Hub, foreign: str, home: Path) -> None:
    """URLs in every field, through file and HTTP; their owner hears nothing."""
    Foreign.requests.clear()
    laneway.configure(log_path=hub.env["LOG_PATH"], home=str(home))
    url = f"{foreign}/called"
    fields = {
        "webhook": url,
        "url": url,
        "callback": url,
        "tool": url,
        "input": {"url": url, "$ref": url},
    }
    log_event("a", "log", f"{url} <img src={url}> ![x]({url})", **fields)
    headers = {
        "Authorization": f"Bearer {hub.access_token}",
        "Referer": url,
        "X-Forwarded-For": url,
    }
    answer = httpx.post(
        f"{hub.url}/log", json={"agent": "a", "event": "x", **fields}, headers=headers
    )
    assert answer.status_code == 200
    eventually(lambda: len(list(hub.iter_events())) == 2, "the events")
    assert Foreign.requests == []
