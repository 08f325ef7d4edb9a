"""Old secrets leave a log that is written already, whatever happens meanwhile."""

import gzip
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from laneway.base.settings import Settings, resolve
from laneway.hub.scrub import Scrub
from laneway.log.append import Appender
from laneway.log.compress import compress
from laneway.log.segment import LogPath

RULES = json.dumps([{"name": "acme", "pattern": "ACME-[0-9a-f]{10}"}])
SECRET = re.compile(rb"ACME-[0-9a-f]{10}|acme-?[0-9a-f]{10}")
PAD = "the planner asks for three sources on tidal power " * 4


def line_of(number: int) -> bytes:
    today = datetime.now(UTC).strftime("%Y-%m-%d")  # writers begin a new segment for a new day
    event = {
        "timestamp": f"{today}T00:00:00.{number:06d}Z",
        "agent": "planner",
        "event": "log",
        "id": f"0192f0c1-7a3b-7c4d-8e5f-{number:012x}",
        "session_id": f"ACME-{number:010x}" if number == 6 else "s",
        "content": f"it is ACME-{number:010x} {PAD}" if number % 3 == 0 else PAD,
        "n": number,
    }
    return json.dumps(event, separators=(",", ":")).encode()


class Log:
    """A log of several segments with a secret in every third line, and without the rule at first."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.directory = root / "log"
        self.env = {
            **os.environ,
            "LANEWAY_HOME": str(root / "home"),
            "LOG_PATH": str(self.directory),
            "LANEWAY_REDACT_RULES": RULES,
        }
        self.env.pop("LOGGING_URL", None)

    @property
    def settings(self) -> Settings:
        return resolve({}, self.env)

    def fill(self, count: int = 300, segment_bytes: int = 20_000) -> None:
        appender = Appender(
            LogPath.parse(str(self.directory)), segment_bytes=segment_bytes, shared="yes"
        )
        for number in range(count):
            appender.append([line_of(number)])
        appender.close()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "laneway", *arguments]
        return subprocess.run(command, env=self.env, capture_output=True, text=True)

    def query(self) -> list[dict[str, object]]:
        found: list[dict[str, object]] = json.loads(
            self.run("query", "--json", "--limit", "1000").stdout
        )
        return found

    def secrets(self) -> dict[str, int]:
        """Files under the root that hold one, in any spelling."""
        files = (path for path in self.root.rglob("*") if path.is_file() and not path.is_symlink())
        found = {str(path): len(SECRET.findall(path.read_bytes())) for path in files}
        return {path: count for path, count in found.items() if count}

    def events(self) -> list[dict[str, object]]:
        paths = sorted(self.directory.glob("events-*.jsonl"))
        return [
            json.loads(line)
            for path in paths
            for line in path.read_bytes().splitlines()
            if line.strip()
        ]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


def numbers_of(text: bytes) -> list[int]:
    """The blank line that seals a segment counts for nothing."""
    return [json.loads(line)["n"] for line in text.splitlines() if line.strip()]


def check_old_or_new(log: Log, old: dict[str, bytes]) -> None:
    for path in sorted(log.directory.glob("events-*")):
        data = path.read_bytes()
        before = old.get(path.name, b"")  # the live one is sealed, and gets an empty successor
        is_old = data in (before, before + b"\n")
        is_new = not SECRET.search(data) and numbers_of(data) == numbers_of(before)
        assert is_old or is_new, path


def check_kept(log: Log, count: int) -> None:
    events = log.events()
    assert [event["n"] for event in events] == list(range(count))
    assert [event["id"] for event in events] == [
        f"0192f0c1-7a3b-7c4d-8e5f-{n:012x}" for n in range(count)
    ]
    assert sum("[redacted:acme:" in str(event["content"]) for event in events) == len(
        range(0, count, 3)
    )


def test_old_secrets_are_gone_from_log_and_index_and_ids_and_order_stay(log: Log) -> None:
    log.fill()
    del log.env["LANEWAY_REDACT_RULES"]
    assert "ACME-" in log.run("query", "--json", "--limit", "5").stdout
    log.run("reindex")
    assert any(".index" in path for path in log.secrets())
    log.env["LANEWAY_REDACT_RULES"] = RULES

    done = log.run("scrub")

    assert done.returncode == 0, done.stderr
    assert " rewritten" in done.stdout
    assert log.secrets() == {}
    check_kept(log, 300)
    assert len(log.query()) == 300
    assert log.run("scrub").stdout == "nothing to replace\n"


def test_a_dry_run_tells_rules_segments_and_first_ids_and_changes_nothing(log: Log) -> None:
    log.fill(30)
    before = {path: path.read_bytes() for path in log.directory.glob("events-*")}

    for arguments in (("redact", "--scan", "--json"), ("scrub", "--dry-run", "--json")):
        rows = [json.loads(row) for row in log.run(*arguments).stdout.splitlines()]
        assert sum(row["rules"]["acme"] for row in rows) == 11
        assert rows[0]["first_ids"][0] == "0192f0c1-7a3b-7c4d-8e5f-000000000000"

    assert {path: path.read_bytes() for path in log.directory.glob("events-*")} == before


def test_a_compressed_segment_stays_compressed(log: Log) -> None:
    log.fill()
    packed = compress(str(log.directory), "events-000001.jsonl")
    assert packed is not None

    rows = [json.loads(row) for row in log.run("scrub", "--json").stdout.splitlines()]

    assert rows[0]["segment"] == "events-000001.jsonl"
    assert not rows[0]["left"]
    assert (log.directory / "events-000001.jsonl.zst").exists()
    assert not (log.directory / "events-000001.jsonl").exists()
    assert log.run("redact", "--scan").stdout.startswith("0 events")
    found = log.query()
    assert len(found) == 300
    assert sum("[redacted:acme:" in str(event["content"]) for event in found) == 100


def test_lines_without_an_id_keep_the_one_they_had(log: Log) -> None:
    log.directory.mkdir()
    lines = [
        json.dumps({"agent": "a", "event": "log", "content": f"ACME-{n:010x}"}) for n in range(3)
    ]
    (log.directory / "events-000001.jsonl").write_text(
        "\n".join([*lines, "no JSON ACME-0000000007"]) + "\n"
    )
    before = [event["id"] for event in log.query()]

    assert log.run("scrub").returncode == 0

    after = [event["id"] for event in log.query()]
    assert len(after) == 3
    assert after == before
    assert log.secrets() == {}


def test_a_file_of_another_program_is_left_unless_it_is_asked_for(log: Log) -> None:
    log.directory.mkdir()
    path = log.directory / "foreign.jsonl"
    path.write_text(
        '{"agent": "a", "event": "log", "content": "ACME-0000000001"}\n{"agent": "b", "x": "ACME-00'
    )

    done = log.run("scrub")
    assert done.returncode == 3
    assert "--foreign" in done.stdout
    assert b"ACME-0000000001" in path.read_bytes()

    assert log.run("scrub", "--foreign").returncode == 0
    assert log.secrets() == {}
    assert path.read_bytes().endswith(b'{"agent": "b", "x": "ACME-00\n')


def test_a_compressed_file_of_another_program_stays_compressed_and_keeps_its_time(log: Log) -> None:
    log.directory.mkdir()
    path = log.directory / "foreign.jsonl.2.gz"
    lines = b"".join(line_of(number) + b"\n" for number in range(300))
    with path.open(
        "wb"
    ) as file:  # of several parts, as `gzip >>` leaves them; and without a last newline
        file.write(gzip.compress(lines) + gzip.compress(b'{"agent": "b", "x": "ACME-00'))
    path.chmod(0o640)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    before = log.query()
    assert len(before) == 300

    done = log.run("scrub")
    assert (done.returncode, "--foreign" in done.stdout) == (3, True)
    assert log.run("scrub", "--foreign").returncode == 0

    text = gzip.decompress(path.read_bytes())
    assert not SECRET.search(text)
    assert text.count(b"[redacted:acme:") == 101
    assert text.endswith(b'{"agent": "b", "x": "ACME-00\n')
    assert (path.stat().st_mode & 0o777, path.stat().st_mtime) == (0o640, 1_700_000_000)
    assert os.listdir(log.directory).count(path.name) == 1
    assert log.secrets() == {}
    after = log.query()
    assert [event["id"] for event in after] == [event["id"] for event in before]
    assert "nothing to replace" in log.run("scrub", "--foreign").stdout


def test_a_damaged_file_of_another_program_stays_as_it_is(log: Log) -> None:
    """What can be read of it is not all that somebody might get out of it."""
    log.directory.mkdir()
    path = log.directory / "foreign.jsonl.1.gz"
    data = gzip.compress(random.Random(1).randbytes(30_000).hex().encode() + b"\n" + line_of(6))
    whole = gzip.compress(line_of(3) + b"\n") + data
    path.write_bytes(whole[: len(whole) // 2])

    done = log.run("scrub", "--foreign")
    assert (done.returncode, "it is damaged" in done.stdout) == (3, True)
    assert path.read_bytes() == whole[: len(whole) // 2]
    assert [name for name in os.listdir(log.directory) if "scrub" in name] == []


@pytest.mark.parametrize("seed", range(6))
def test_killed_at_any_moment_each_segment_is_the_old_or_the_new_one(log: Log, seed: int) -> None:
    log.fill(600)
    old = {path.name: path.read_bytes() for path in log.directory.glob("events-*")}
    draw = random.Random(seed)
    for _ in range(3):
        command = [sys.executable, "-m", "laneway", "scrub"]
        process = subprocess.Popen(command, env=log.env, stdout=subprocess.PIPE)
        assert process.stdout
        for _ in range(draw.randrange(1, 8)):
            process.stdout.readline()
        time.sleep(draw.random() * 0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        check_old_or_new(log, old)

    assert log.run("scrub").returncode == 0
    check_old_or_new(log, old)
    assert log.secrets() == {}
    check_kept(log, 600)


def test_writers_go_on_while_the_live_segment_is_rewritten(log: Log) -> None:
    log.fill(60, segment_bytes=10**9)
    appender = Appender(LogPath.parse(str(log.directory)), shared="yes")
    appender.append([line_of(60)])
    job = Scrub(log.settings)
    job.begin()
    try:
        found = job.clean(job.inspect("events-000001.jsonl"))
        appender.append([line_of(61).replace(b"ACME", b"none")])
    finally:
        job.close()
        appender.close()

    assert not found.left
    assert log.secrets() == {}
    assert [event["n"] for event in log.events()] == list(range(62))
