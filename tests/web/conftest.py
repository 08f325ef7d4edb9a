"""The real application: over ASGI for routes, behind a real server for sockets."""

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from laneway.base.settings import Settings, resolve
from laneway.hub.hub import Hub
from laneway.web.app import App, create_app
from laneway.web.auth import Access
from laneway.web.server import Ready, serve

from .protocol import ProtocolTransport

PORT = 8001
WAYS = ("application", "protocol")


@pytest.fixture
def settings(home: Path, tmp_path: Path) -> Settings:
    return resolve({"home": home, "log_path": tmp_path / "log", "port": 0}, env={})


@pytest.fixture
def hub(settings: Settings) -> Iterator[Hub]:
    hub = Hub(settings, in_process=True)
    yield hub
    hub.close()


@pytest.fixture
def access(settings: Settings) -> Access:
    return Access.of(settings, PORT)


class Tokens(NamedTuple):
    """This machine's own, as they stand in the home."""

    ingest: str
    access: str


@pytest.fixture
def tokens(access: Access, home: Path) -> Tokens:
    names = ("ingest", "access")
    return Tokens(*((home / f"{name}.token").read_text().strip() for name in names))


@pytest.fixture
def ui_root(tmp_path: Path) -> Path:
    """Stands in for the built dashboard."""
    root = tmp_path / "ui"
    (root / "assets").mkdir(parents=True)
    (root / "index.html").write_text("<!doctype html><title>Lanes</title>")
    (root / "favicon.svg").write_text("<svg/>")
    (root / "assets" / "index-3f2a.js").write_text("1")
    return root


@pytest.fixture
def app(hub: Hub, access: Access, ui_root: Path) -> App:
    return create_app(hub, access, ui_root=ui_root)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def way() -> str:
    """How a request reaches the application; files about what is sent to it ask in each of `WAYS`."""
    return "application"


@pytest.fixture
def transport(app: App, way: str) -> httpx.AsyncBaseTransport:
    return httpx.ASGITransport(app=app) if way == "application" else ProtocolTransport(app)


@pytest.fixture
async def stranger(transport: httpx.AsyncBaseTransport) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody on this machine without any token."""
    async with httpx.AsyncClient(
        transport=transport, base_url=f"http://127.0.0.1:{PORT}"
    ) as client:
        yield client


@pytest.fixture
async def client(
    transport: httpx.AsyncBaseTransport, tokens: Tokens
) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody with the access token."""
    async with httpx.AsyncClient(
        transport=transport,
        base_url=f"http://127.0.0.1:{PORT}",
        headers=bearer(tokens.access),
    ) as client:
        yield client


@dataclass
class Running:
    """A hub behind a real server, in a thread."""

    settings: Settings
    ready: Ready | None = None
    _thread: threading.Thread | None = None
    _failure: list[BaseException] = field(default_factory=list)

    def start(self) -> None:
        is_ready = threading.Event()

        def on_ready(ready: Ready) -> None:
            self.ready = ready
            is_ready.set()

        def run() -> None:
            try:
                serve(self.settings, on_ready=on_ready)
            except BaseException as error:
                self._failure.append(error)
                is_ready.set()

        self._thread = threading.Thread(target=run)
        self._thread.start()
        assert is_ready.wait(180), "the hub did not start"
        if self._failure:
            raise self._failure[0]

    def stop(self) -> None:
        if self.ready and self._thread:
            self.ready.stop()
            self._thread.join(180)
            assert not self._thread.is_alive(), "the hub did not stop"
        self.ready = None

    @property
    def url(self) -> str:
        assert self.ready
        return self.ready.url

    @property
    def headers(self) -> dict[str, str]:
        return bearer(Path(self.settings.home, "access.token").read_text().strip())

    def post(self, *events: dict[str, Any]) -> httpx.Response:
        answer = httpx.post(f"{self.url}/log", json=list(events), headers=self.headers, timeout=180)
        assert answer.status_code == 200, answer.text
        return answer

    def get(self, path: str, **parameters: Any) -> Any:
        answer = httpx.get(
            f"{self.url}{path}", params=parameters, headers=self.headers, timeout=180
        )
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def running(settings: Settings) -> Iterator[Running]:
    running = Running(settings)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def serving(settings: Settings) -> Iterator[Callable[[], Running]]:
    """Starts a server when the test says so."""
    made: list[Running] = []

    def start() -> Running:
        made.append(Running(settings))
        made[-1].start()
        return made[-1]

    yield start
    for running in made:
        running.stop()
