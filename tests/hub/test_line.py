import random
from pathlib import Path

import orjson
import pytest

from laneway.base.limits import LINE_BYTES
from laneway.hub.line import LineReader
from laneway.hub.pipeline import Recent
from laneway.log.side import SideFiles
from laneway.model.cut import put_back
from laneway.model.redact import Redactor
from tests.model.redact.secret import SHAPES, make

from .event import event

SECRET = "ghp_" + "a1B2c3D4e5" * 3 + "f6G7h8"


@pytest.fixture
def reader() -> LineReader:
    return LineReader(Redactor(), Recent())


def test_a_line_of_ours_is_shown_byte_for_byte(reader: LineReader) -> None:
    data = orjson.dumps(event(1, content="hé"))
    line = reader.read(data, "f", 0, 0)
    assert line.shown is data
    assert line.event == event(1, content="hé")


def test_a_foreign_line_is_shown_in_normal_form(reader: LineReader) -> None:
    data = b'{"timestamp": 1700000000, "agent": "A", "event_type": "x", "level": "WARN"}'
    line = reader.read(data, "print", 40, 0)
    shown = orjson.loads(line.shown)
    assert shown == line.event
    assert shown["timestamp"] == "2023-11-14T22:13:20.000000Z"
    assert shown["event"] == "x"
    assert shown["level"] == "warning"


def test_a_line_without_an_id_gets_the_same_one_each_time(reader: LineReader) -> None:
    data = b'{"timestamp": 1700000000, "agent": "A", "event": "x"}'
    ids = [
        orjson.loads(reader.read(data, print_, offset, 0).shown)["id"]
        for print_, offset in [("p", 40), ("p", 40), ("p", 41), ("q", 40)]
    ]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


def test_a_line_without_a_time_gets_the_one_it_is_given(reader: LineReader) -> None:
    line = reader.read(b'{"agent": "A", "event": "x"}', "p", 0, 1_700_000_000_000_000_000)
    assert line.ts_ns == 1_700_000_000_000_000_000


def test_of_a_line_only_the_field_that_cannot_be_taken_is_set_aside(reader: LineReader) -> None:
    line = reader.read(orjson.dumps(event(1, level="loud", input_tokens=-3)), "p", 0, 0)
    assert line.problem is None
    assert (
        orjson.loads(line.shown)
        == line.event
        == event(1, given_level="loud", given_input_tokens=-3)
    )


def test_an_id_that_cannot_be_makes_way_for_one_of_the_place(reader: LineReader) -> None:
    data = orjson.dumps(event(1, id="i" * 300))
    first, second = (reader.read(data, "p", 40, 0).event for _ in range(2))
    assert first == second
    assert reader.read(data, "p", 41, 0).event != first


def test_a_time_that_is_none_is_that_of_the_line_before(reader: LineReader) -> None:
    lines = [(0, orjson.dumps(event(1))), (200, orjson.dumps(event(2, timestamp="never")))]
    first, second = reader.read_all(lines, "p", 0, is_shown=True)
    assert first.event
    assert second.event
    assert second.event["timestamp"] == first.event["timestamp"]
    assert second.event["given_timestamp"] == "never"  # type: ignore[typeddict-item]


def test_a_secret_in_a_foreign_line_is_masked(reader: LineReader) -> None:
    data = orjson.dumps(event(1, content=f"token {SECRET}"))
    line = reader.read(data, "p", 0, 0)
    assert line.is_masked
    assert line.is_redacted
    assert SECRET.encode() not in line.shown
    assert line.event is not None
    assert SECRET not in str(line.event)


def test_a_secret_in_the_first_of_two_equal_keys_is_not_shown(reader: LineReader) -> None:
    data = b'{"content":"%b",%b' % (SECRET.encode(), orjson.dumps(event(1, content="x"))[1:])
    assert SECRET.encode() not in reader.read(data, "p", 0, 0).shown


def test_what_only_python_calls_json_is_shown_as_json(reader: LineReader) -> None:
    data = b'{"timestamp": 1, "agent": "A", "event": "x", "id": "i", "score": NaN}'
    line = reader.read(data, "p", 0, 0)
    assert orjson.loads(line.shown)["agent"] == "A"


def test_a_mark_left_by_the_sender_counts_as_redacted_but_not_as_masked(reader: LineReader) -> None:
    data = orjson.dumps(event(1, content="[redacted:github-token:7f3a9c]"))
    line = reader.read(data, "p", 0, 0)
    assert line.is_redacted
    assert not line.is_masked


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\x00\xff",
        b"[]",
        b'"text"',
        b'{"agent":"a"}',
        b'{"a":' * 200 + b"1" + b"}" * 200,
    ],
)
def test_what_is_no_event_is_told_and_not_raised(reader: LineReader, data: bytes) -> None:
    line = reader.read(data, "p", 0, 0)
    assert line.event is None
    assert line.problem


def test_a_long_foreign_line_is_shown_with_its_beginning_and_kept_whole(tmp_path: Path) -> None:
    side = SideFiles(str(tmp_path))
    reader = LineReader(Redactor(), Recent(), side)
    text = "0123456789 " * 100_000
    data = orjson.dumps({"agent": "a", "event": "x", "content": f"{text} {SECRET} {text}"})

    line = reader.read(data, "p", 40, 1)

    assert len(line.shown) <= LINE_BYTES
    assert line.is_redacted
    shown = orjson.loads(line.shown)
    assert shown == line.event
    assert put_back(shown, side.read) == 0
    assert shown["content"].startswith(text)
    assert shown["content"].endswith(text)
    assert SECRET not in shown["content"]


@pytest.mark.parametrize("place", [0, 7, 15, 16, 39])
def test_a_secret_in_any_of_many_lines_looked_through_together_is_suspected(
    reader: LineReader, place: int
) -> None:
    redactor = Redactor()
    clean = [orjson.dumps(event(n, content=f"step {n} of the plan")) for n in range(40)]
    for shape in [shape for some in SHAPES.values() for shape in some]:
        secret = make(shape, random.Random(place))
        lines = [*clean]
        lines[place] = orjson.dumps(event(place, content=secret))
        alone = [redactor.is_suspicious(line) for line in lines]
        assert any(alone)
        assert list(reader.iter_suspicious(lines)) == alone


def test_a_line_that_is_told_to_be_clean_is_not_looked_through(reader: LineReader) -> None:
    data = orjson.dumps(event(1, content=SECRET))
    assert reader.read_new(data, "f", 0, 0, is_suspicious=False).shown is data
    assert SECRET.encode() not in reader.read_new(data, "f", 0, 0, is_suspicious=True).shown
    assert SECRET.encode() not in reader.read_new(data, "f", 0, 0).shown


@pytest.mark.parametrize(
    "odd",
    [
        b'{"event":"log","agent":"b","content":"no id, no time"}',
        b'{"timestamp":"2026-11-23T12:00:00.000000Z","agent":"a","event":"log","id":"x", "content":"spaced"}',
        b'{"timestamp":"2026-11-23T12:00:00.000000Z","agent":"a","event":"log","id":"x",'
        b'"content":"sk-ant-api03-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdEfGh"}',
        b"no event",
        b"",
    ],
)
def test_some_lines_read_together_are_those_read_one_by_one(reader: LineReader, odd: bytes) -> None:
    plain = [
        b'{"timestamp":"2026-11-23T12:00:0%d.000000Z","agent":"a","event":"log","id":"e%d","content":"x"}'
        % (i, i)
        for i in range(5)
    ]
    for lines in ([], plain[:1], plain, [*plain, odd], [odd]):
        given = [(data, "f", 100 * i, 7) for i, data in enumerate(lines)]
        found, alone = reader.read_shown(given), [reader.read(*one) for one in given]
        assert [one._replace(problem=None) for one in found] == [
            one._replace(problem=None) for one in alone
        ]
        assert [str(one.problem) for one in found] == [str(one.problem) for one in alone]
