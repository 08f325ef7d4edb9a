"""`laneway side` and `laneway query --full`: long payloads, with a hub and without one."""

import json
from hashlib import sha256
from pathlib import Path

import orjson
import pytest

from laneway.log.side import SideFiles
from laneway.model.cut import SIDE_FIELD, fit

from .conftest import Run, StartHub, Write

TEXT = "what the tool gave back \x1b[31mred\n" * 20_000
DIGEST = sha256(TEXT.encode()).hexdigest()


@pytest.fixture
def log(home: Path, write: Write) -> Path:
    """A log with one long event."""
    directory = home / "logs"
    event = {"timestamp": "2026-11-23T12:00:00.000000Z", "agent": "a", "event": "tool_result",
             "id": "01a209c5-4f04-7c08-abe8-2ac177394a7c", "output": TEXT}  # fmt: skip
    write(orjson.loads(fit(event, 10_000, SideFiles(str(directory)))))
    return directory


@pytest.fixture(params=["hub", "files"])
def answering(request: pytest.FixtureRequest, log: Path, start_hub: StartHub) -> Path:
    if request.param == "hub":
        start_hub()
    return log


@pytest.mark.usefixtures("answering")
def test_a_payload_is_printed_as_it_was_recorded(call: Run) -> None:
    ended = call("side", DIGEST)

    assert ended.code == 0, ended.err
    assert ended.out == TEXT


@pytest.mark.usefixtures("answering")
def test_full_puts_payloads_back_into_their_events(call: Run) -> None:
    (short,) = map(json.loads, call("query", "--jsonl").out.splitlines())
    (whole,) = map(json.loads, call("query", "--jsonl", "--full").out.splitlines())

    assert short[SIDE_FIELD][0]["sha256"] == DIGEST
    assert whole["output"] == TEXT
    assert not {SIDE_FIELD, "truncated"} & whole.keys()


def test_it_goes_into_a_file(call: Run, log: Path, tmp_path: Path) -> None:
    assert call("side", DIGEST, "-o", str(tmp_path / "out")).code == 0
    assert (tmp_path / "out").read_bytes() == TEXT.encode()


def test_one_that_is_gone_or_damaged_says_so(call: Run, log: Path) -> None:
    path = log / "side" / DIGEST[:2] / f"{DIGEST}.txt"
    path.write_text("damaged")
    ended = call("side", DIGEST)
    assert ended.code == 3
    assert "damaged" in ended.err

    path.unlink()
    ended = call("side", DIGEST)
    assert ended.code == 3
    assert "there is no side file" in ended.err
    assert "[cut: " in call("query", "--jsonl", "--full").out
