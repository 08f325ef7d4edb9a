"""`laneway up` and `laneway open`."""

import http.client
import os
import re
import signal
import socket
import threading
from pathlib import Path

import orjson
import pytest

from laneway.base.settings import resolve
from laneway.cli.terminal import Terminal
from laneway.cli.up import greeting
from laneway.web.server import Ready

from .conftest import PATIENCE_S, Run, Show, StartHub, Write


def ask(
    url: str, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, dict[str, object]]:
    host = url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=PATIENCE_S)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, orjson.loads(response.read())
    finally:
        connection.close()


def exchange(url: str, link: str) -> int:
    code = link.rpartition("#code=")[2].strip()
    headers = {"Content-Type": "application/json", "Origin": url}
    return ask(url, "POST", "/auth/exchange", orjson.dumps({"code": code}), headers)[0]


def greet(home: Path, lag_bytes: int = 0) -> str:
    ready = Ready("http://127.0.0.1:8001", "link", (), lambda: None, lag_bytes=lag_bytes)
    return "\n".join(greeting(ready, resolve({"home": home}), Terminal()))


def test_files_that_the_hub_may_not_read_are_told_loudly(
    write: Write, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write({"agent": "a", "event": "x"})
    monkeypatch.setattr(os, "access", lambda entry, mode: not isinstance(entry, os.DirEntry))
    told = greet(home)
    assert "WARNING" in told
    assert "may not read" in told
    assert "events-000001.jsonl" in told


def test_it_says_where_it_is_and_how_to_send_the_first_event(
    start_hub: StartHub, home: Path
) -> None:
    hub = start_hub()
    shown = (
        re.sub(r"code=\S+", "code=CODE", hub.text)
        .replace(hub.url, "URL")
        .replace(str(home), "HOME")
    )
    assert shown == (
        "Laneway 0.1.0\n"
        "\n"
        "  Dashboard  URL/logs#code=CODE\n"
        "             lets in one browser, once; more: laneway open\n"
        "  Log        HOME/logs\n"
        "\n"
        "  The log is empty. Send it something, from another terminal:\n"
        "\n"
        '    shell   laneway emit me hello "is this on?"\n'
        '    Python  python -c \'import laneway; laneway.log_event("me", "hello")\'\n'
        '    HTTP    curl URL/log -H "Authorization: Bearer $(cat HOME/ingest.token)" '
        '-d \'{"agent": "me", "event": "hello"}\'\n'
        "\n"
        "  Ctrl-C stops it.\n"
    )


def test_the_first_events_that_it_suggests_work(start_hub: StartHub, home: Path) -> None:
    import subprocess
    import sys

    from .conftest import environment

    hub = start_hub()
    for label in ("shell", "Python", "HTTP"):
        line = next(x for x in hub.text.splitlines() if x.strip().startswith(label))
        command = line.strip().removeprefix(label).strip()
        command = re.sub(r"(^| )laneway emit", f" {sys.executable} -m laneway emit", command)
        command = re.sub(r"(^| )python -c", f" {sys.executable} -c", command)
        done = subprocess.run(
            ["bash", "-c", command], capture_output=True, text=True, env=environment(home)
        )
        assert done.returncode == 0, (command, done.stderr)
    text = (home / "logs" / "events-000001.jsonl").read_text()
    assert text.count('"event":"hello"') == 3


def test_with_events_in_the_log_it_is_brief(start_hub: StartHub, write: Write) -> None:
    write({"content": "x"})
    text = start_hub().text
    assert "1 segment, 83 B" in text
    assert "is empty" not in text


def test_files_of_others_are_no_empty_log(home: Path) -> None:
    folder = home / "logs"
    folder.mkdir(parents=True)
    (folder / "observability.jsonl").write_bytes(b'{"agent":"a","event":"x"}\n' * 100)
    (folder / "old.jsonl.1").write_bytes(b'{"agent":"a","event":"x"}\n')
    (folder / "notes.txt").write_bytes(b"not of the log")
    text = greet(home)
    assert "logs  2 other files, 2.6 KiB\n" in text
    assert "is empty" not in text
    (folder / "events-000001.jsonl").write_bytes(b'{"agent":"a","event":"x"}\n')
    assert "logs  1 segment, 26 B; 2 other files, 2.6 KiB\n" in greet(home)


def test_files_that_hold_nothing_yet_are_an_empty_log(home: Path) -> None:
    (home / "logs").mkdir(parents=True)
    (home / "logs" / "observability.jsonl").touch()
    assert "The log is empty." in greet(home)


def test_what_is_not_indexed_yet_is_told(write: Write, home: Path) -> None:
    write({"agent": "a", "event": "x"})
    assert "200 MiB of it not indexed yet" in greet(home, lag_bytes=200 * 2**20)
    assert "not indexed" not in greet(home, lag_bytes=100)


def test_the_link_lets_in_one_browser_once(start_hub: StartHub) -> None:
    hub = start_hub()
    link = next(word for word in hub.text.split() if "#code=" in word)
    assert exchange(hub.url, link) == 200
    assert exchange(hub.url, link) == 401


def test_open_makes_another_link_to_the_hub_wherever_it_listens(
    start_hub: StartHub, run: Run
) -> None:
    hub = start_hub()
    ended = run("open")
    assert ended.code == 0
    assert ended.out.startswith(f"{hub.url}/logs#code=")
    assert exchange(hub.url, ended.out) == 200


def test_open_without_a_hub_says_how_to_start_one(run: Run) -> None:
    ended = run("open", "--port", "9")
    assert ended.code == 3
    assert "`laneway up` starts one" in ended.err


def test_open_as_another_user_says_whose_token_is_wanted(
    start_hub: StartHub, run: Run, home: Path
) -> None:
    start_hub()
    (home / "access.token").rename(home / "away.token")
    ended = run("open")
    assert ended.code == 3
    assert "access.token: No such file" in ended.err
    assert "run this as the user who runs the hub" in ended.err


def test_open_with_browser_where_there_is_none_says_so(start_hub: StartHub, run: Run) -> None:
    start_hub()
    ended = run("open", "--browser")
    assert ended.code == 3
    assert "#code=" in ended.out
    assert "open the link above by hand" in ended.err


def test_ctrl_c_stops_it_cleanly(start_hub: StartHub) -> None:
    hub = start_hub()
    hub.process.send_signal(signal.SIGINT)
    out, _ = hub.process.communicate(timeout=PATIENCE_S)
    assert hub.process.returncode == 0
    assert out == "Stopped; everything received is in the log.\n"


def test_on_a_terminal_ctrl_c_is_clean_too(show: Show) -> None:
    screen = show("up", "--port", "0")
    screen.wait_for("Ctrl-C stops it")
    screen.press_ctrl_c()
    assert screen.end() == 0
    assert "Traceback" not in screen.text
    assert "Stopped" in screen.text


def test_a_stop_of_its_whole_group_is_clean_too(show: Show) -> None:
    screen = show("up", "--port", "0")
    screen.wait_for("Ctrl-C stops it")
    os.killpg(screen.process.pid, signal.SIGTERM)
    assert screen.end() == 0
    assert "indexer" not in screen.text
    assert "Stopped" in screen.text


def test_a_token_of_the_settings_is_not_looked_for_in_a_file(start_hub: StartHub) -> None:
    hub = start_hub(LANEWAY_TOKEN="one-of-my-own-making")
    assert '-H "Authorization: Bearer $LANEWAY_TOKEN"' in hub.text
    assert "ingest.token" not in hub.text


def test_a_second_hub_on_the_port_is_told_how_to_see_the_first(
    start_hub: StartHub, run: Run, tmp_path: Path
) -> None:
    hub = start_hub()
    port = hub.url.rpartition(":")[2]
    ended = run("up", "--port", port, "--log", str(tmp_path / "other"))
    assert ended.code == 3
    assert ended.err == (
        f"error: a Laneway hub runs at {hub.url} already (hint: `laneway open --port {port}` "
        "prints a link to its page; for another log: `laneway up --log PATH --port 0`)\n"
    )


def test_a_second_hub_on_the_log_is_refused(start_hub: StartHub, run: Run) -> None:
    hub = start_hub()
    ended = run("up", "--port", "0")
    assert ended.code == 3
    assert f"{hub.url}) serves this log already" in ended.err


def test_a_port_that_another_program_has_is_told_so(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=answer_nonsense, args=(server,), daemon=True).start()
        port = server.getsockname()[1]
        ended = run("up", "--port", str(port))
    assert ended.code == 3
    assert ended.err == (
        f"error: port {port} is taken by another program "
        f"(hint: `laneway up --port {port + 1}`, or --port 0 for any free one)\n"
    )


def answer_nonsense(server: socket.socket) -> None:
    try:
        connection, _ = server.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    except OSError:
        pass


def test_open_ingest_and_a_wildcard_are_said_loudly(start_hub: StartHub) -> None:
    hub = start_hub("--open-ingest", "--host", "0.0.0.0", "--bind-all")
    warnings = [line for line in hub.text.splitlines() if "WARNING" in line]
    assert len(warnings) == 2
    assert "0.0.0.0" in warnings[0]
    assert "open ingest" in warnings[1]
    assert "Authorization" not in hub.text
    assert ask(hub.url, "POST", "/log", b'{"agent":"a","event":"b"}')[0] == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "0", "0x0", "000.0.0.0", "::ffff:0.0.0.0"])
def test_a_wildcard_without_its_flag_is_refused_in_one_line(run: Run, host: str) -> None:
    ended = run("up", "--host", host, "--port", "0")
    assert ended.code == 2
    assert ended.err.count("\n") == 1
    assert "LANEWAY_BIND_ALL=1" in ended.err


def test_a_container_binds_all_by_the_environment(start_hub: StartHub) -> None:
    hub = start_hub(LANEWAY_HOST="0.0.0.0", LANEWAY_BIND_ALL="1")
    assert "every machine" in hub.text
    assert ask(hub.url, "POST", "/log", b"{}")[0] == 401


def test_a_home_in_which_anybody_may_write_is_refused(run: Run, home: Path) -> None:
    home.mkdir()
    home.chmod(0o777)
    ended = run("up", "--port", "0")
    assert ended.code == 2
    assert f"chmod 700 '{home}'" in ended.err
    assert list(home.iterdir()) == []


def test_what_others_may_read_or_write_is_said(start_hub: StartHub, home: Path) -> None:
    logs = home / "logs"
    logs.mkdir(parents=True)
    logs.chmod(0o777)
    home.chmod(0o775)
    (home / "ingest.token").write_text("a-token-0123456789\n")
    (home / "ingest.token").chmod(0o644)
    warnings = start_hub().text.replace("\n             ", " ")
    assert warnings.count("WARNING") == 3
    for said in ("group may put tokens", "may write and remove the log", "can read it"):
        assert said in warnings


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--port", "99999"], 'port: "99999" (from argument) is not a port from 0 to 65535'),
        (["--retention-age", "soon"], 'retention_age: "soon" (from argument) is not a duration'),
        (["--retention-bytes", "much"], 'retention_bytes: "much" (from argument) is not a size'),
    ],
)
def test_a_wrong_value_is_wrong_usage(run: Run, args: list[str], said: str) -> None:
    ended = run("up", *args)
    assert ended.code == 2
    assert said in ended.err


def test_an_address_of_another_machine_is_one_line(run: Run) -> None:
    ended = run("up", "--host", "192.0.2.1")
    assert ended.code == 3
    assert ended.err.count("\n") == 1
    assert "(hint: `host` is an address of this machine" in ended.err
