"""HTTP mode: events wait in a spool until the hub has them, whatever happens on the way."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import laneway
from laneway import log_event
from laneway.sdk import answer as answer_module
from laneway.sdk import post as post_module
from laneway.sdk import recorder as recorder_module
from laneway.sdk import shipper as shipper_module
from laneway.sdk import spool as spool_module
from laneway.sdk.drop import drop_oldest, read_dropped, segments_held
from laneway.sdk.shipper import Shipper
from laneway.sdk.spool import Spool
from tests.port import free_port
from tests.sdk.hub_stub import running
from tests.waiting import DEADLINE_S, eventually


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that a busy machine has late would have the events sent twice."""
    monkeypatch.setattr(post_module, "TIMEOUT_S", DEADLINE_S)
    monkeypatch.setattr(answer_module, "EXCHANGE_S", DEADLINE_S)


def sent(hub) -> list[object]:
    return [event["n"] for event in hub.received]


def test_events_reach_the_hub_in_order() -> None:
    with running() as hub:
        laneway.configure(logging_url=hub.url, token="t0ken")
        for n in range(1200):
            log_event("a", "log", n=n)
        assert laneway.flush(180)

        assert sent(hub) == list(range(1200))
        assert hub.requests[0]["Authorization"] == "Bearer t0ken"
        assert hub.requests[0]["Content-Type"] == "application/x-ndjson"
        assert laneway.stats()["spool_bytes"] == 0


def test_the_ingest_token_of_this_machine_is_found(home: Path) -> None:
    home.mkdir()
    (home / "ingest.token").write_text("from-the-home\n")
    with running() as hub:
        laneway.configure(logging_url=hub.url)
        log_event("a", "log")
        assert laneway.flush(180)

        assert hub.requests[0]["Authorization"] == "Bearer from-the-home"


def test_an_address_without_a_path_means_log() -> None:
    with running() as hub:
        laneway.configure(logging_url=hub.url.removesuffix("/log"))
        log_event("a", "log")
        assert laneway.flush(180)

        assert hub.requests[0]["path"] == "/log"


@pytest.mark.parametrize(
    "faults", [[500, 503], ["reset", "reset"], [429, "reset", 502], [401]], ids=str
)
def test_a_failing_hub_gets_everything_later_and_once(faults: list[object], capfd) -> None:
    with running() as hub:
        hub.faults = list(faults)
        laneway.configure(logging_url=hub.url)
        for n in range(20):
            log_event("a", "log", n=n)
        assert laneway.flush(180)

        assert sent(hub) == list(range(20))


def test_a_lost_reply_is_repeated_with_the_same_ids(capfd) -> None:
    with running() as hub:
        hub.faults = ["lost_reply"]
        laneway.configure(logging_url=hub.url)
        ids = [log_event("a", "log", n=n) for n in range(3)]
        assert laneway.flush(180)

        got = [event["id"] for event in hub.received]
        assert set(got) == set(ids)
        assert len(got) > 3


def test_a_batch_that_is_too_large_is_halved(monkeypatch) -> None:
    with running() as hub:
        hub.max_lines = 7
        laneway.configure(logging_url=hub.url)
        for n in range(40):
            log_event("a", "log", n=n)
        assert laneway.flush(180)

        assert sent(hub) == list(range(40))


def test_what_the_hub_never_takes_is_put_aside_and_counted(home: Path) -> None:
    with running() as hub:
        hub.rejects = {"bad"}
        laneway.configure(logging_url=hub.url)
        for n, name in enumerate(["good", "bad", "good"]):
            log_event(name, "log", n=n)
        assert laneway.flush(180)

        assert sent(hub) == [0, 2]
        assert laneway.stats()["rejected"] == 1
        (aside,) = home.glob("spool/*/rejected.jsonl")
        assert '"agent":"bad"' in aside.read_text()


def test_a_hub_that_asks_for_patience_gets_it_however_much_is_logged_meanwhile(capfd) -> None:
    with running() as hub:
        hub.faults = [(429, 1), (429, 1)]
        laneway.configure(logging_url=hub.url)
        count = 0
        while len(hub.times_s) < 3:
            log_event("a", "log", n=count)
            count += 1
            time.sleep(0.01)
        assert laneway.flush(180)

        assert sent(hub) == list(range(count))
        first, second, third = hub.times_s[:3]
        assert second - first >= 1
        assert third - second >= 1
    assert capfd.readouterr().err == ""


def test_a_hub_that_comes_late_gets_everything(capfd) -> None:
    port = free_port()
    laneway.configure(logging_url=f"http://127.0.0.1:{port}/log")
    for n in range(50):
        log_event("a", "log", n=n)
    assert not laneway.flush(0.2)

    with running(port) as hub:
        assert laneway.flush(180)
        assert sent(hub) == list(range(50))


def test_a_killed_process_leaves_its_events_to_the_next(home: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/log"
    code = (
        "import os, signal; from laneway import log_event\n"
        "for n in range(30): log_event('killed', 'log', n=n)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "LOGGING_URL": url}, check=False
    )
    assert done.returncode == -signal.SIGKILL

    with running(port) as hub:
        laneway.configure(logging_url=url)
        log_event("next", "log", n=30)
        assert laneway.flush(180)
        assert sent(hub) == list(range(31))


@pytest.mark.parametrize("listens", [False, True], ids=["nobody listens", "nobody answers"])
def test_an_exit_does_not_wait_for_a_hub_that_is_down(home: Path, listens: bool) -> None:
    code = "from laneway import log_event; log_event('a', 'log')"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1] if listens else free_port()
        env = {**os.environ, "LOGGING_URL": f"http://127.0.0.1:{port}/log"}
        subprocess.run([sys.executable, "-c", code], env=env, check=True, timeout=180)

    assert [p.read_bytes().count(b"\n") for p in home.glob("spool/*/spool-*.jsonl")] == [1]


def test_an_exit_gives_a_hub_that_is_down_two_seconds_in_all(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited = []

    def wait(shipper: Shipper, limit_s: float = 60.0) -> bool:
        waited.append(limit_s)
        return False

    laneway.configure(logging_url=f"http://127.0.0.1:{free_port()}/log")
    log_event("a", "log")
    with monkeypatch.context() as patch:
        patch.setattr(recorder_module, "monotonic", lambda: sum(waited))
        patch.setattr(Shipper, "drain", wait)
        patch.setattr(Shipper, "stop", wait)
        recorder_module.shared.end()

    assert waited == [2.0, 0.0]


def test_several_processes_share_one_spool_and_each_event_arrives(home: Path) -> None:
    with running() as hub:
        code = (
            "import sys; import laneway\n"
            "for n in range(100): laneway.log_event(sys.argv[1], 'log', n=n)\n"
            "assert laneway.flush(180)"
        )
        env = {**os.environ, "LOGGING_URL": hub.url}
        processes = [
            subprocess.Popen([sys.executable, "-c", code, f"p{i}"], env=env) for i in range(4)
        ]
        assert [process.wait(180) for process in processes] == [0] * 4

        assert sorted((e["agent"], e["n"]) for e in hub.received) == [
            (f"p{i}", n) for i in range(4) for n in range(100)
        ]


def test_a_forked_child_ships_too() -> None:
    with running() as hub:
        laneway.configure(logging_url=hub.url)
        log_event("parent", "log", n=0)
        pid = os.fork()
        if not pid:
            try:
                log_event("child", "log", n=1)
                laneway.flush(180)
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
        assert laneway.flush(180)

        assert sorted(sent(hub)) == [0, 1]


def test_a_full_spool_keeps_the_oldest_and_counts_the_rest(capfd, monkeypatch) -> None:
    from laneway.sdk import spool

    monkeypatch.setattr(spool, "SIZE_CHECK_S", 0)
    laneway.configure(logging_url=f"http://127.0.0.1:{free_port()}/log", spool_bytes=5_000)
    kept = [bool(log_event("a", "log", "x" * 400)) for _ in range(30)]

    first_refusal = kept.index(False)
    assert not any(kept[first_refusal:])
    assert laneway.stats()["lost"] == {"spool_full": kept.count(False)}


def test_a_full_spool_can_drop_the_oldest_instead_and_counts_them(capfd, monkeypatch) -> None:
    from laneway.sdk import spool

    monkeypatch.setattr(spool, "SIZE_CHECK_S", 0)
    port = free_port()
    laneway.configure(
        logging_url=f"http://127.0.0.1:{port}/log", spool_bytes=20_000, spool_policy="drop_oldest"
    )
    assert all(log_event("a", "log", "x" * 400, n=n) for n in range(300))
    stats = laneway.stats()
    assert stats["lost"] == {}
    assert 0 < stats["dropped"] < 300
    assert stats["spool_bytes"] < 21_000

    with running(port) as hub:
        assert laneway.flush(180)
        arrived = sent(hub)
    assert len(arrived) == 300 - stats["dropped"] == laneway.stats()["shipped"]
    newest = [n for n in arrived if n >= 300 - len(arrived) // 2]
    assert newest == list(range(300 - len(arrived) // 2, 300))
    assert arrived == sorted(set(arrived))


def test_what_is_being_sent_is_not_dropped(tmp_path: Path) -> None:
    made = spool_of(tmp_path, lines=40)
    made.write_position(2, 0)
    assert drop_oldest(made)
    assert [n for n in range(1, 5) if os.path.exists(made.log_path.segment_path(n))] == [1, 2, 4]
    assert read_dropped(made.directory) == 4


def test_nothing_is_dropped_while_the_shipper_goes_to_the_next_segment(tmp_path: Path) -> None:
    made = spool_of(tmp_path, lines=40)
    with segments_held(made.directory), pytest.raises(BlockingIOError):
        drop_oldest(made)
    assert read_dropped(made.directory) == 0


def test_side_files_go_with_the_last_line_that_refers_to_them(tmp_path: Path) -> None:
    made = Spool(str(tmp_path / "spool"), 16_000, drops_oldest=True)
    once, twice = made.side.keep(b"once" * 1000), made.side.keep(b"twice" * 1000)
    for digest in ("0" * 64, once, twice, twice, "0" * 64, "0" * 64):  # a segment each
        line = f'{{"side_files":[{{"sha256":"{digest}"}}],"x":"{"x" * 2_000}"}}'
        made.appender.append([line.encode()])
    left = []
    while drop_oldest(made):
        left.append({path.name[:64] for path in (tmp_path / "spool" / "side").rglob("*.*")})
    assert left == [{twice}, {twice}, set(), set()]
    assert read_dropped(made.directory) == 4


def spool_of(tmp_path: Path, *, lines: int) -> Spool:
    """Segments of four lines."""
    made = Spool(str(tmp_path / "spool"), 16_000, drops_oldest=True)
    for n in range(lines):
        made.appender.append([b'{"n":%d,"x":"%b"}' % (n, b"x" * 480)])
    return made


def test_an_address_that_is_none_harms_nobody(capfd) -> None:
    laneway.configure(logging_url="logger:8000")

    assert log_event("a", "log") == ""
    assert "is not an http://" in capfd.readouterr().err


@pytest.mark.parametrize(
    "note", ["1 300\n", "1 0 00000000\n", "", "x y z", "é" * 99], ids=lambda note: note[:12]
)
def test_a_damaged_note_of_the_place_passes_over_nothing(home: Path, note: str) -> None:
    port = free_port()
    laneway.configure(logging_url=f"http://127.0.0.1:{port}/log")
    for n in range(20):
        log_event("a", "log", n=n)
    laneway.configure(logging_url=f"http://127.0.0.1:{port}/log")
    (directory,) = home.glob("spool/*")
    (directory / "ship.position").write_text(note)
    with running(port) as hub:
        log_event("a", "log", n=20)
        assert laneway.flush(180)
        assert sent(hub) == list(range(21))


def test_the_note_of_the_place_stands_whatever_was_there(tmp_path: Path) -> None:
    spool = Spool(str(tmp_path / "spool"), 10**6)
    spool.appender.append((b"x" * 99,) * 9)
    for before in (b"", b"1 100 %b\n" % spool_module._sign(1, 100).encode(), b"\xff" * 200):
        (tmp_path / "spool" / "ship.position").write_bytes(before)
        spool.write_position(1, 500)
        assert spool.read_position() == (1, 500)
        spool.write_position(1, 7)
        assert spool.read_position() == (1, 7)


def test_a_note_that_is_read_half_written_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(str(tmp_path / "spool"), 10**6)
    spool.appender.append((b"x" * 99,) * 9)
    spool.write_position(1, 500)
    place = tmp_path / "spool" / "ship.position"
    whole = place.read_bytes()
    place.write_bytes(whole[:4] + b"0" + whole[5:])
    read = spool_module._read_place

    def read_and_write_on(text: str) -> tuple[int, int]:
        place.write_bytes(whole)
        return read(text)

    monkeypatch.setattr(spool_module, "_read_place", read_and_write_on)
    assert spool.read_position() == (1, 500)


def test_the_first_event_goes_at_once_and_the_next_ones_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shipper_module, "GATHER_S", 3600)
    with running() as hub:
        laneway.configure(logging_url=hub.url)
        log_event("a", "log", n=0)
        eventually(lambda: hub.received, "the first event")
        for n in range(1, 50):
            log_event("a", "log", n=n)
        assert laneway.flush(180)

        assert sent(hub) == list(range(50))
        assert len(hub.requests) == 2


def test_nobody_who_waits_for_the_hub_waits_for_more_events(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shipper_module, "GATHER_S", 3600)
    with running() as hub:
        laneway.configure(logging_url=hub.url)
        for n in range(5):
            log_event("a", "log", n=n)
            assert laneway.flush(180)

        assert sent(hub) == list(range(5))
