"""The proxies' files pass their programs' own checks, and a hub behind them works as it does without."""

import asyncio
import json
import os
import re
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from websockets.asyncio.client import connect

from tests.port import free_port
from tests.torture.harness import Hub
from tests.waiting import eventually

PROXY = Path(__file__).parents[2] / "deploy" / "proxy"
NAME = "logs.example.com"
PATIENCE_S = 180.0
PATHS = f"{os.environ['PATH']}{os.pathsep}/usr/sbin{os.pathsep}{PROXY.parents[1] / '.programs/bin'}"


def find(program: str) -> str:
    return shutil.which(program, path=PATHS) or ""


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        not find(program), reason=f"{program} is not installed (tools/bootstrap programs)"
    )


class Behind(NamedTuple):
    """A hub, and the port at which a proxy with TLS stands before it."""

    hub: Hub
    port: int
    trust: ssl.SSLContext
    certificate: Path

    def ask(
        self, path: str, *, host: str = "", body: object = None, **headers: str
    ) -> tuple[int, bytes]:
        data = None if body is None else json.dumps(body).encode()
        url = f"https://localhost:{self.port}{path}"
        sent = {"Host": host or f"{NAME}:{self.port}", **headers}
        request = urllib.request.Request(url, data, sent)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S, context=self.trust) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read()

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.hub.access_token}"}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("certificate")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={NAME}",
         "-addext", f"subjectAltName=DNS:{NAME},DNS:localhost", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


def nginx_command(
    folder: Path, port: int, hub_port: int, grpc_port: int, certificate: tuple[Path, Path]
) -> list[str]:
    """The shipped file with ports and paths of this test, inside what a distribution puts around it."""
    cert, key = certificate
    server = (PROXY / "nginx.conf").read_text()
    for ours, theirs in (
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("127.0.0.1:8001", f"127.0.0.1:{hub_port}"),
        ("127.0.0.1:4317", f"127.0.0.1:{grpc_port}"),
        ("/etc/letsencrypt/live/logs.example.com/fullchain.pem", str(cert)),
        ("/etc/letsencrypt/live/logs.example.com/privkey.pem", str(key)),
    ):
        assert ours in server
        server = server.replace(ours, theirs)
    places = "".join(
        f"    {kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "server.conf").write_text(server)
    user = "user root;\n" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"{user}daemon off;\npid {folder}/pid;\nerror_log stderr;\nworker_processes 1;\n"
        f"events {{}}\nhttp {{\n    access_log off;\n{places}    include {folder}/server.conf;\n}}\n"
    )
    return [find("nginx"), "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]


def caddy_command(
    folder: Path, port: int, hub_port: int, grpc_port: int, certificate: tuple[Path, Path]
) -> list[str]:
    cert, key = certificate
    site = (PROXY / "Caddyfile").read_text()
    for ours, theirs in (("127.0.0.1:8001", hub_port), ("127.0.0.1:4317", grpc_port)):
        assert ours in site
        site = site.replace(ours, f"127.0.0.1:{theirs}")
    site = re.sub(
        r"^logs\.example\.com \{",
        f"logs.example.com:{port} {{\n\ttls {cert} {key}\n\tbind 127.0.0.1",
        site,
        flags=re.M,
    )
    options = (
        "{\n\tadmin off\n\tauto_https off\n\tdefault_sni logs.example.com\n\tgrace_period 1s\n}\n"
    )
    (folder / "Caddyfile").write_text(options + site)
    return [find("caddy"), "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


COMMANDS = {"nginx": nginx_command, "caddy": caddy_command}


@needs("nginx")
def test_nginx_finds_no_fault_with_its_file(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    command = nginx_command(tmp_path, free_port(), 8001, 4317, certificate)

    checked = subprocess.run([*command, "-t"], capture_output=True, text=True)

    assert checked.returncode == 0, checked.stderr
    assert "warn" not in checked.stderr


@needs("caddy")
def test_caddy_finds_no_fault_with_its_file_as_it_is(tmp_path: Path) -> None:
    checked = subprocess.run(
        [find("caddy"), "validate", "--adapter", "caddyfile", "--config", str(PROXY / "Caddyfile")],
        capture_output=True,
        text=True,
        env={**os.environ, "HOME": str(tmp_path)},
    )

    assert "Valid configuration" in checked.stdout, checked.stderr


@pytest.fixture(scope="module", params=[pytest.param(name, marks=needs(name)) for name in COMMANDS])
def behind(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    certificate: tuple[Path, Path],
) -> Iterator[Behind]:
    folder = tmp_path_factory.mktemp(request.param)
    hub = Hub(folder / "home", folder / "log")
    port, grpc_port = free_port(), free_port()
    hub.env["LANEWAY_PUBLIC_URL"] = f"https://{NAME}:{port}"
    hub.env["LANEWAY_GRPC_PORT"] = str(grpc_port)
    hub.start()
    command = COMMANDS[request.param](folder, port, hub.port, grpc_port, certificate)
    trust = ssl.create_default_context(cafile=str(certificate[0]))
    found = Behind(hub, port, trust, certificate[0])
    output = folder / "proxy.out"
    with output.open("wb") as out:
        proxy = subprocess.Popen(
            command, stdout=out, stderr=out, env={**os.environ, "HOME": str(folder)}
        )

    def answers() -> bool:
        assert proxy.poll() is None, output.read_text()
        try:
            return found.ask("/health")[0] == 200
        except OSError:
            return False

    try:
        eventually(answers, "the proxy")
        yield found
    finally:
        proxy.terminate()
        proxy.wait(PATIENCE_S)
        hub.stop()


def test_a_hub_behind_the_proxy_shows_its_page_takes_events_and_answers(behind: Behind) -> None:
    status, page = behind.ask("/logs")
    sent, _ = behind.ask(
        "/log",
        body={"agent": "planner", "event": "log", "content": "through the proxy"},
        **behind.bearer,
    )

    assert (status, sent) == (200, 200)
    assert b"<html" in page
    eventually(
        lambda: b"through the proxy" in behind.ask("/api/events", **behind.bearer)[1], "the event"
    )


def test_a_link_of_the_hub_lets_a_browser_in_at_the_proxy(behind: Behind) -> None:
    origin = f"https://{NAME}:{behind.port}"
    made = json.loads(behind.ask("/auth/code", body={}, **behind.bearer)[1])
    assert made["url"].startswith(f"{origin}/logs#code=")

    exchange = urllib.request.Request(
        f"https://localhost:{behind.port}/auth/exchange",
        json.dumps({"code": made["code"]}).encode(),
        {
            "Host": f"{NAME}:{behind.port}",
            "Origin": origin,
            "Sec-Fetch-Site": "same-origin",
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(exchange, timeout=PATIENCE_S, context=behind.trust) as answer:
        session = answer.headers["Set-Cookie"].partition(";")[0]

    assert behind.ask("/api/events", Origin=origin, Cookie=session)[0] == 200
    assert behind.ask("/api/events", Origin=origin, Cookie="laneway-web=x")[0] == 401


async def test_an_event_comes_live_by_websocket_through_the_proxy(behind: Behind) -> None:
    origin = f"https://{NAME}:{behind.port}"
    async with (
        asyncio.timeout(PATIENCE_S),
        connect(
            f"wss://{NAME}:{behind.port}/logs/ws?format=json",
            host="127.0.0.1",
            port=behind.port,
            ssl=behind.trust,
            origin=origin,  # type: ignore[arg-type]
            additional_headers=behind.bearer,
            proxy=None,
        ) as socket,
    ):
        sent = {"agent": "planner", "event": "log", "content": "by socket"}
        await asyncio.to_thread(behind.ask, "/log", body=sent, **behind.bearer)
        while "by socket" not in (message := str(await socket.recv())):
            pass
    assert "planner" in message


def test_an_event_comes_live_by_server_sent_events_through_the_proxy(behind: Behind) -> None:
    request = urllib.request.Request(
        f"https://localhost:{behind.port}/logs/sse",
        headers={"Host": f"{NAME}:{behind.port}", **behind.bearer},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE_S, context=behind.trust) as stream:
        behind.ask(
            "/log", body={"agent": "a", "event": "log", "content": "by stream"}, **behind.bearer
        )
        assert any(b"by stream" in line for line in stream)


def test_opentelemetry_comes_by_grpc_through_the_proxy(behind: Behind) -> None:
    """On the address that all else has, with TLS; the token is asked for as ever."""
    message = ExportTraceServiceRequest()
    scope = message.resource_spans.add().scope_spans.add()
    trace_id = bytes.fromhex("5b8efff798038103d269b633813fc60c")
    scope.spans.add(trace_id=trace_id, span_id=b"12345678", name="by grpc")
    body = message.SerializeToString()
    credentials = grpc.ssl_channel_credentials(behind.certificate.read_bytes())
    name = [("grpc.default_authority", f"{NAME}:{behind.port}")]
    name += [("grpc.ssl_target_name_override", NAME)]
    with grpc.secure_channel(f"127.0.0.1:{behind.port}", credentials, name) as channel:
        call = channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")
        with pytest.raises(grpc.RpcError) as refused:
            call(body, timeout=PATIENCE_S)
        bearer = ("authorization", behind.bearer["Authorization"])
        assert call(body, metadata=[bearer], timeout=PATIENCE_S) == b""
    assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
    eventually(
        lambda: b"by grpc" in behind.ask(f"/api/events?trace={trace_id.hex()}", **behind.bearer)[1],
        "the span",
    )


def test_names_and_pages_that_the_hub_does_not_know_are_shut_out_behind_the_proxy(
    behind: Behind,
) -> None:
    _, at_foreign_host = behind.ask("/api/events", host=f"localhost:{behind.port}", **behind.bearer)
    foreign_page, _ = behind.ask("/api/events", Origin="https://evil.example", **behind.bearer)
    no_token, _ = behind.ask("/api/events")

    assert (
        b'"events"' not in at_foreign_host
    )  # the hub refuses; Caddy has no such site to begin with
    assert (foreign_page, no_token) == (403, 401)
    assert b'"events"' in behind.ask("/api/events", **behind.bearer)[1]
