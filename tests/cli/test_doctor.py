"""`laneway doctor`: what it finds wrong, and the remedy it names."""

import errno
import os
import socket
import sys
import threading
import time
from pathlib import Path

import orjson
import pytest

from laneway.base.settings import Settings, resolve
from laneway.cli import doctor
from laneway.cli.check import FAIL, NOTE, OK, WARN, Finding, disk, machine, service
from laneway.log import mount
from tests.waiting import eventually

from .conftest import Run, StartHub, Write
from .test_up import answer_nonsense


@pytest.fixture
def settings(home: Path) -> Settings:
    return resolve()


def test_a_fresh_installation_is_not_broken(run: Run) -> None:
    ended = run("doctor")
    assert ended.code == 0, ended.out
    names = [line[8:21].strip() for line in ended.out.splitlines() if line.startswith("  ok ")]
    assert {"python", "orjson", "clock", "file system", "appends"} <= set(names)


def test_json_tells_the_same(run: Run) -> None:
    ended = run("doctor", "--json")
    report = orjson.loads(ended.out)
    assert report["ok"] is True
    assert {"name", "state", "value", "remedy"} == report["checks"][0].keys()
    assert len({check["name"] for check in report["checks"]}) == len(report["checks"])


def test_with_a_hub_all_that_it_needs_is_there(run: Run, start_hub: StartHub) -> None:
    hub = start_hub()
    ended = run("doctor")
    assert ended.code == 0, ended.out
    assert f"{hub.url}, version 0.1.0, 0 viewers" in ended.out
    assert "ingest.token access.token" in ended.out
    assert "0 events, 0 B behind the log" in ended.out


def test_nothing_stays_behind(run: Run, write: Write, home: Path) -> None:
    write({})
    run("doctor")
    assert [path.name for path in (home / "logs").iterdir()] == ["events-000001.jsonl"]


def test_something_broken_exits_with_1_and_is_named(run: Run, home: Path) -> None:
    home.mkdir()
    (home / "logs").write_text("")
    ended = run("doctor")
    assert ended.code == 1
    assert "is not a directory" in ended.out
    assert ended.out.splitlines()[-1] == "Broken: log."


def test_a_setting_that_cannot_be_read_is_a_finding(run: Run) -> None:
    ended = run("doctor", LANEWAY_PORT="many")
    assert ended.code == 1
    assert 'fail  settings     port: "many"' in ended.out
    assert "Traceback" not in ended.err


def test_a_misspelt_variable_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANEWAY_LOGPATH", "/x")
    found = machine.check_environment(settings)
    assert found.state == WARN
    assert found.remedy == "did you mean LANEWAY_LOG_PATH?"


def test_a_clock_in_1970_is_broken(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    assert machine.check_clock(settings).state == FAIL


def test_a_log_from_the_future_is_told(settings: Settings, write: Write, home: Path) -> None:
    write({})
    ahead = time.time() + 3600
    os.utime(home / "logs" / "events-000001.jsonl", (ahead, ahead))
    found = machine.check_clock(settings)
    assert found.state == WARN
    assert "in the future" in found.value


def test_a_wheel_that_cannot_be_loaded_is_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "orjson", None)
    assert machine.check_encoder(settings).state == FAIL
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    found = machine.check_parts(settings)
    assert (found.state, found.remedy) == (WARN, 'pip install "laneway[hub]"')
    assert found.value == "uvicorn: not installed"


def test_a_home_that_others_can_read_is_told(settings: Settings, home: Path) -> None:
    home.mkdir(mode=0o755)
    found = disk.check_home(settings)
    assert found.state == WARN
    assert found.remedy == f"chmod 700 '{home}'"
    home.chmod(0o700)
    assert disk.check_home(settings).state == OK


def test_a_token_that_others_can_read_is_broken(settings: Settings, home: Path) -> None:
    home.mkdir(mode=0o700)
    assert disk.check_secrets(settings).state == NOTE
    for name in ("ingest.token", "access.token"):
        (home / name).write_text("x" * 32)
        (home / name).chmod(0o600)
    assert disk.check_secrets(settings).state == OK
    (home / "access.token").chmod(0o644)
    found = disk.check_secrets(settings)
    assert found.state == FAIL
    assert found.remedy == f"chmod 600 '{home / 'access.token'}'"


def test_an_empty_token_is_broken(settings: Settings, home: Path) -> None:
    home.mkdir(mode=0o700)
    for name in ("ingest.token", "access.token"):
        (home / name).touch(0o600)
    assert disk.check_secrets(settings).state == FAIL


def test_a_log_that_may_not_be_written_is_broken(
    settings: Settings, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**options: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    (home / "logs").mkdir(parents=True)
    assert disk.check_log_directory(settings).state == OK
    monkeypatch.setattr(disk.tempfile, "NamedTemporaryFile", refuse)
    found = disk.check_log_directory(settings)
    assert found.state == FAIL
    assert "Read-only file system" in found.value
    assert "LOG_PATH" in found.remedy


def test_a_file_of_the_log_that_may_not_be_read_is_broken(
    settings: Settings, write: Write, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write({"agent": "a", "event": "x"})
    monkeypatch.setattr(os, "access", lambda entry, mode: not isinstance(entry, os.DirEntry))
    found = disk.check_log_directory(settings)
    assert found.state == FAIL
    assert found.value == f"{home}/logs: you may not read events-000001.jsonl"


def test_a_check_that_may_not_look_says_where_and_what_to_do(settings: Settings) -> None:
    def check_damage(settings: Settings) -> Finding:
        raise PermissionError(errno.EACCES, "Permission denied", "/var/log/agents")

    found = doctor.run_check(check_damage, settings)
    assert found == Finding(
        "damage", FAIL, "/var/log/agents: Permission denied",
        "`ls -ld '/var/log/agents'` tells whose it is: be that user, or let yours read it",
    )  # fmt: skip


def test_lines_lost_by_two_writers_are_broken(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        disk,
        "WRITER",
        "import sys, os\n"
        "with open(os.path.join(sys.argv[1], 'x.jsonl'), 'w') as f:\n"
        '    f.write(\'{"from":"%s","n":1}\\n{torn\\n\' % sys.argv[2])',
    )
    found = disk.check_appends(settings)
    assert found.state == FAIL
    assert "lines of two processes lost" in found.value
    assert "LOGGING_URL" in found.remedy


def test_a_writer_that_dies_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "WRITER", "raise SystemExit('no fcntl here')")
    found = disk.check_appends(settings)
    assert (found.state, found.value) == (FAIL, "no fcntl here")


@pytest.mark.parametrize(
    "kind", ["fuse.sshfs", "fuse", "nfs4", "nfs", "9p", "cifs", "smb3", "virtiofs"]
)
def test_a_file_system_without_honest_locks_is_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(mount, "kind_of", lambda path: kind)
    found = disk.check_file_system(settings)
    assert found.state == NOTE
    assert found.value.startswith(f"{kind}: ")
    assert "a file of its own" in found.value
    assert "LOGGING_URL" in found.remedy


def test_one_file_for_all_where_locks_do_not_hold_is_warned_of(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mount, "kind_of", lambda path: "nfs4")
    settings.shared_log = "yes"
    found = disk.check_file_system(settings)
    assert found.state == WARN
    assert "SHARED_LOG=auto" in found.remedy


@pytest.mark.parametrize(
    ("kind", "state"), [("ext4", OK), ("tmpfs", WARN), ("", NOTE), ("newfs", NOTE)]
)
def test_other_file_systems_are_judged_by_name(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, kind: str, state: str
) -> None:
    monkeypatch.setattr(mount, "kind_of", lambda path: kind)
    assert disk.check_file_system(settings).state == state


def test_a_full_disk_is_broken(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for free, state in ((1, FAIL), (500 * 2**20, WARN), (5 * 2**30, OK)):
        usage = type("Usage", (), {"free": free, "total": 2**40})
        monkeypatch.setattr(disk.shutil, "disk_usage", lambda path, usage=usage: usage)
        assert disk.check_space(settings).state == state


def test_another_program_at_the_hubs_address_is_told(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=answer_nonsense, args=(server,), daemon=True).start()
        found = service.check_hub(resolve({"port": server.getsockname()[1]}))
    assert found.state == WARN
    assert "another program" in found.value


def test_what_waits_in_the_spool_and_what_was_refused_is_told(
    settings: Settings, home: Path
) -> None:
    spool = home / "spool" / "abc"
    spool.mkdir(parents=True)
    assert service.check_sending(settings).state == OK
    (spool / "spool-000001.jsonl").write_text('{"a":1}\n')
    found = service.check_sending(settings)
    assert (found.state, "8 B wait in the spool" in found.value) == (WARN, True)
    (spool / "dropped").write_text("12 3\n")
    assert "12 events dropped for newer ones" in service.check_sending(settings).value
    (spool / "rejected.jsonl").write_text("{}\n{}\n")
    assert "2 events refused" in service.check_sending(settings).value


def test_bad_lines_of_the_log_are_counted(
    run: Run, write: Write, start_hub: StartHub, home: Path
) -> None:
    write({})
    with open(home / "logs" / "events-000001.jsonl", "ab") as file:
        file.write(b"{torn\n")
    start_hub()
    eventually(lambda: "1 line not readable as an event" in run("doctor").out)
