"""No name in an event becomes a path, and no link in the log's directory is followed."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

import laneway
from laneway import log_event
from laneway.log import listing
from laneway.log.append import Appender
from laneway.log.segment import LogPath
from laneway.log.tail import Tail
from tests.torture.harness import Hub
from tests.waiting import eventually

NAMES = [
    "../../etc/passwd", "..", "../", "/etc/passwd", "..\\..\\x", "a/../../b", "%2e%2e%2f%2e%2e%2fx",
    "..%2f..%2fx", "%252e%252e%252f", "..;/x", "\x00", "a\x00b", "~root", "C:\\x", "\\\\host\\share",
    "file:///etc/passwd", "events-000999.jsonl", ".index", ".hub.lock", "-rf", "a\nb", "nul", "…/…/x",
    "x" * 256,
]  # fmt: skip


def tree(*roots: Path) -> set[str]:
    return {str(path) for root in roots for path in root.rglob("*")}


def test_names_that_look_like_paths_stay_names(tmp_path: Path, home: Path) -> None:
    """By every field that holds a name, through SDK and HTTP; no file but the log's own appears."""
    (tmp_path / "outside").mkdir()
    hub = Hub(home, tmp_path / "log")
    hub.start()
    try:
        log_event("first", "log")
        before = {path for path in tree(tmp_path) if "observ" not in path}
        laneway.configure(log_path=hub.env["LOG_PATH"], home=str(home))
        events = []
        for name in NAMES:
            fields = {"session_id": name, "tool": name, "pod": name, "host": name, "model": name}
            fields |= {"parent_agent": name, "trace_id": name, "span_id": name, "id": name}
            log_event(name, name, name, **fields)
            events.append({"agent": name, "event": name, **fields, "id": f"{name[:99]}!"})
        headers = {"Authorization": f"Bearer {hub.access_token}"}
        answer = httpx.post(f"{hub.url}/log", json=events, headers=headers, timeout=180)
        assert answer.json()["accepted"] == len(NAMES)
        eventually(lambda: len(list(hub.iter_events())) >= 2 * len(NAMES), "the events")
        made = tree(tmp_path) - before
        assert {Path(path).suffix for path in made} <= {".jsonl", ".db", ".db-wal", ".db-shm", ""}
        assert [
            path for path in made if not path.startswith((str(home), str(tmp_path / "log")))
        ] == []
        assert not list((tmp_path / "outside").iterdir())
    finally:
        hub.stop()


@pytest.mark.parametrize(
    "path",
    [
        "/logs/../../../../etc/passwd", "/logs/%2e%2e/%2e%2e/etc/passwd", "/logs/..%2f..%2fetc/passwd",
        "/logs/assets/../index.html", "/logs/assets/..%2findex.html", "/logs/assets/%2e%2e",
        "/logs/assets/....//index.html", "/logs/assets/.hidden", "/logs/assets/x%00.js",
        "/logs/index.html%00.js", "/logs/assets//etc/passwd", "/logs//etc/passwd", "/logs/..;/x.js",
        "/logs/%252e%252e%252findex.html", "/logs/assets/..%5c..%5cx.js", "/api/events/../../etc/passwd",
        "/api/events/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/api/events/%00", "/logs/link.js",
    ],
)  # fmt: skip
def test_no_address_leads_out_of_the_page_s_files(hub_of_files: tuple[str, str], path: str) -> None:
    """Raw: a client's library would tidy such an address up."""
    import socket

    host, token = hub_of_files
    with socket.create_connection(host.split(":")) as raw:  # type: ignore[arg-type]
        request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
        raw.sendall(f"{request}Connection: close\r\n\r\n".encode())
        data = b""
        while part := raw.recv(65_536):
            data += part
    assert data[9:12] in (b"404", b"400", b"403"), data[:200]
    assert b"root:" not in data
    assert b"secret outside" not in data


@pytest.fixture(scope="module")
def hub_of_files(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    """A hub whose page's folder has a link that leads out."""
    import threading

    from laneway.base.settings import resolve
    from laneway.hub.hub import Hub as Core
    from laneway.web.app import create_app
    from laneway.web.auth import Access
    from laneway.web.runner import Server, run
    from laneway.web.server import bind

    root = tmp_path_factory.mktemp("files")
    (root / "ui" / "assets").mkdir(parents=True)
    (root / "ui" / "index.html").write_text("page")
    (root / "outside.js").write_text("secret outside")
    (root / "ui" / "link.js").symlink_to(root / "outside.js")
    settings = resolve({"home": root / "home", "log_path": root / "log", "port": 0}, env={})
    core = Core(settings, in_process=True)
    listener = bind("127.0.0.1", 0)
    port = listener.getsockname()[1]
    access = Access.of(settings, port)
    server = Server(create_app(core, access, ui_root=root / "ui"))
    started = threading.Event()
    server.on_started = started.set
    thread = threading.Thread(target=run, args=(server, listener))
    thread.start()
    assert started.wait(180)
    yield f"127.0.0.1:{port}", (root / "home" / "access.token").read_text().strip()
    server.stop()
    thread.join()
    listener.close()
    core.close()


def test_a_farm_of_links_is_neither_read_nor_written(tmp_path: Path) -> None:
    """Somebody who may write in a shared log's directory, and would like to read or write elsewhere."""
    log, victim = tmp_path / "log", tmp_path / "victim"
    log.mkdir()
    victim.mkdir()
    for n in range(1, 40):
        (victim / f"{n}").write_text('{"agent":"victim","event":"secret"}\n')
        (log / f"events-{n:06d}.jsonl").symlink_to(victim / f"{n}")
    (log / "foreign.jsonl").symlink_to(victim / "1")
    (log / "folder.jsonl").symlink_to(victim)
    (log / "nowhere.jsonl").symlink_to(tmp_path / "nowhere")
    (log / "loop.jsonl").symlink_to("loop.jsonl")
    appender = Appender(LogPath.parse(str(log)))
    appender.append([b'{"agent":"a","event":"x"}'])
    appender.close()
    tail = Tail(LogPath.parse(str(log)), {})
    lines = [line for chunk in tail.poll() for _, line in chunk.lines]
    tail.close()
    assert lines == [b'{"agent":"a","event":"x"}']
    texts = {path.read_text() for path in victim.iterdir()}
    assert texts == {'{"agent":"victim","event":"secret"}\n'}
    assert not (tmp_path / "nowhere").exists()


def test_a_link_that_takes_a_file_s_name_after_it_was_listed_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    log.mkdir()
    (tmp_path / "victim").write_text('{"agent":"victim","event":"secret"}\n')
    (log / "foreign.jsonl").write_text('{"agent":"a","event":"x"}\n')
    tail = Tail(LogPath.parse(str(log)), {})
    real = listing.iter_entries

    def swap(directory: str):  # type: ignore[no-untyped-def]
        found = list(real(directory))
        if directory != str(log):  # another test's hub, which is not done yet
            return iter(found)
        (log / "foreign.jsonl").unlink(missing_ok=True)
        (log / "foreign.jsonl").symlink_to(tmp_path / "victim")
        return iter(found)

    monkeypatch.setattr(listing, "iter_entries", swap)
    assert [line for chunk in tail.poll() for _, line in chunk.lines] == []
    tail.close()


def test_a_pipe_in_the_log_s_directory_stops_nobody(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.mkdir()
    os.mkfifo(log / "foreign.jsonl")
    code = (
        "import sys; from laneway.log.tail import Tail; from laneway.log.segment import LogPath\n"
        "print(Tail(LogPath.parse(sys.argv[1]), {}).poll())"
    )
    done = subprocess.run([sys.executable, "-c", code, str(log)], capture_output=True, timeout=180)
    assert done.stdout == b"[]\n"


def test_what_is_made_is_for_its_owner_only(tmp_path: Path, home: Path) -> None:
    """With the most generous umask there is."""
    before = os.umask(0)
    try:
        hub = Hub(home, tmp_path / "log")
        hub.start()
        laneway.configure(log_path=hub.env["LOG_PATH"], home=str(home))
        log_event("a", "log")
        eventually(lambda: len(list(hub.iter_events())) == 1, "the event")
        hub.stop()
    finally:
        os.umask(before)
    for path in [home, tmp_path / "log", *home.rglob("*"), *(tmp_path / "log").rglob("*")]:
        if not path.is_symlink():
            assert path.stat().st_mode & 0o077 == 0, path
