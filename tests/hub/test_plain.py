"""Lines that are read many at a time come to the same as one by one."""

import json
import random
from typing import Any

import orjson
import pytest

from laneway.base.errors import EventError, Problem
from laneway.base.ids import new_event_id, new_span_id, new_trace_id
from laneway.hub import pipeline, plain
from laneway.hub.line import Line, LineReader
from laneway.hub.metric import Metric
from laneway.hub.pipeline import Intake
from laneway.hub.plain import PlainReader
from laneway.model.event import normalise
from laneway.model.redact import Redactor
from laneway.model.redact.custom import make_extra
from tests.model.redact.secret import SHAPES, make

from .event import event

NOW_NS = 1_700_000_000_000_000_000
ALL_SHAPES = [shape for some in SHAPES.values() for shape in some]
HALVES = ("my key=", "the password:", "token: ", "sk-", "Authorization: Bearer ", "--token", "pwd")
"""Ends of texts, after which a rule looks at what comes next."""


def ours(number: int, **fields: Any) -> bytes:
    """As the SDK leaves it."""
    known = {
        "id": new_event_id(NOW_NS + number),
        "trace_id": new_trace_id(),
        "span_id": new_span_id(),
        "session_id": f"session-{number % 3}",
    }
    return orjson.dumps(
        event(number, **{**known, "content": f"step {number} of the plan", **fields})
    )


def odd_lines() -> list[bytes]:
    whole = ours(1)
    return [
        b'{"agent": "A", "event": "x"}',
        b'{"timestamp": 1700000000, "agent": "A", "event_type": "x", "level": "WARN"}',
        b'["timestamp","agent","event","id","content"]',
        b"no JSON",
        b"",
        b"null",
        b'{"content":"ghp_a1B2c3D4e5a1B2c3D4e5f6G7h8a1B2c3",%b' % whole[1:],
        b'{"timestamp":"2026-11-23T18:00:00.000000Z",%b' % whole[1:],
        whole.replace(b":", b": "),
        whole.replace(b"step", b"\\u0073tep"),
        whole[:-1] + b',"score":NaN}',
        whole[:-1] + b',"score":1e999}',
        whole[:-1] + b',"deep":' + b"[" * 80 + b"]" * 80 + b"}",
        ours(2, id="own id"),
        ours(3, id=""),
        ours(3, id=7),
        ours(4, trace_id="AB" * 16),
        ours(4, trace_id="fc-" + "0123456789abcdef" * 2),
        ours(5, span_id="not hex"),
        ours(5, span_id="ABCDEF0123456789"),
        ours(5, span_id=" "),
        ours(5, span_id="ü"),
        ours(5, span_id=["a"]),
        ours(5, id="A" * 300),
        ours(5, trace_id=None),
        ours(6, agent=5),
        ours(6, agent=["a"]),
        ours(6, agent=" padded "),
        ours(6, agent="x" * 300),
        ours(6, agent=""),
        ours(7, tool=None, duration_ms="12"),
        ours(7, duration_ms=-1),
        ours(7, duration_ms=3.5, input_tokens=12, cost_usd=0.01),
        ours(7, input_tokens=True),
        ours(8, level="warning"),
        ours(8, level="WARN"),
        ours(8, level=[]),
        ours(9, error="it failed"),
        ours(9, error={"type": "E", "message": "m"}),
        ours(10, content={"a": [1, {"b": "text", "c": None}], "d": True}),
        ours(10, content={"password": "hunter2hunter2"}),
        ours(10, content='{"password": "hunter2hunter2"}'),
        ours(10, content='{"note": "\\u0067hp_a1B2c3D4e5a1B2c3D4e5f6G7h8a1B2c3"}'),
        ours(11, content=None),
        ours(11, content=5, note=1.5),
        ours(12, api_key="abcdefgh12345678"),
        ours(12, **{f"field {number}": number for number in range(100)}),
        ours(13, content="[redacted:github-token:7f3a9c]"),
        ours(14, timestamp="2026-11-23T19:00:00+01:00"),
        ours(14, timestamp="2026-02-30T19:00:00.000000Z"),
        ours(14, timestamp=1_700_000_000),
        ours(15, content="x" * 300_000),
        ours(16, content="a \u0000 b \u2028 ü \U0001f600"),
    ]


def one_by_one(reader: LineReader, lines: list[tuple[int, bytes]]) -> list[Line]:
    found: list[Line] = []
    last_ns = NOW_NS
    for offset, data in lines:
        found.append(reader.read(data, "f", offset, last_ns))
        last_ns = found[-1].ts_ns if found[-1].event else last_ns
    return found


def told(lines: list[Line], *, is_shown: bool) -> list[dict[str, Any]]:
    return [
        {
            **line._asdict(),
            "problem": str(line.problem),
            "shown": line.shown if is_shown else b"",
            "is_redacted": is_shown and line.is_redacted,
        }
        for line in lines
    ]


def assert_same(redactor: Redactor, datas: list[bytes], case: object = "") -> None:
    lines = [(offset * 1_000, data) for offset, data in enumerate(datas)]
    alone = one_by_one(LineReader(redactor), lines)
    for is_shown in (True, False):
        together = LineReader(redactor).read_all(lines, "f", NOW_NS, is_shown=is_shown)
        assert told(together, is_shown=is_shown) == told(alone, is_shown=is_shown), case


def taken(redactor: Redactor, datas: list[bytes]) -> list[tuple[object, ...]]:
    """What an intake makes of them, in order; without an id where it made that."""
    took = Intake(redactor, Metric(), None).take(datas)
    places = {place for place, _, _ in took.rejections}
    assert took.rejected_count == len(places)
    rest = iter(took.lines)
    found: list[tuple[object, ...]] = []
    for place, data in enumerate(datas):
        if place in places:
            found.append(
                tuple((field, text) for one, field, text in took.rejections if one == place)
            )
            continue
        event = orjson.loads(next(rest))
        if not json.loads(data).get("id"):
            assert len(event.pop("id")) == 36
        found.append(tuple(event.items()))
    assert sum(took.agents.values()) == len(took.lines)
    return found


def assert_taken_same(redactor: Redactor, datas: list[bytes], case: object = "") -> None:
    alone = [one for data in datas for one in taken(redactor, [data])]
    assert taken(redactor, datas) == alone, case


def bare(number: int, **fields: Any) -> bytes:
    """As a program sends it that knows nothing of ids."""
    return orjson.dumps({"event": "log", "agent": f"agent-{number % 3}", "n": number, **fields})


@pytest.fixture
def fixed_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "now_ns", lambda: NOW_NS)


def test_ids_that_others_made_are_plain_too() -> None:
    lines = [
        ours(1, span_id="toolu_01AbCdEf", trace_id="request 7"),
        ours(2, id="msg-2", parent_span_id="a:b/c"),
        ours(3, id="0123456789abcdef" * 4, trace_id="0123456789abcdef" * 4),
    ]
    assert PlainReader(Redactor()).try_read(lines, is_shown=True) is not None
    assert_same(Redactor(), lines)


@pytest.mark.usefixtures("fixed_time")
@pytest.mark.parametrize("place", range(len(odd_lines())))
def test_an_odd_event_among_many_is_taken_as_it_is_alone(place: int) -> None:
    clean = [ours(number) for number in range(20)]
    assert_taken_same(Redactor(), [*clean[:7], odd_lines()[place], *clean[7:]])
    clean = [bare(number) for number in range(20)]
    assert_taken_same(Redactor(), [*clean[:7], odd_lines()[place], *clean[7:]])


@pytest.mark.usefixtures("fixed_time")
def test_odd_events_in_any_mixture_are_taken_as_they_are_alone() -> None:
    draw = random.Random(7)
    some = [*odd_lines(), bare(1, timestamp="2026-11-23T18:00:00.000000Z"), bare(2, id="x")]
    some += [bare(3, timestamp=None), bare(4, content={"b": [1.5, "x"]}), bare(5, agent=" ")]
    for _ in range(30):
        pool = [*some, *(ours(n) for n in range(60)), *(bare(n) for n in range(60))]
        assert_taken_same(Redactor(), draw.choices(pool, k=draw.randint(1, 90)))


@pytest.mark.parametrize("make_one", [ours, bare])
def test_what_was_just_sent_is_plain(make_one: Any) -> None:
    lines = [make_one(number, content="hello", input={"a": 1}) for number in range(9)]
    made = PlainReader(Redactor()).try_complete(lines, NOW_NS)
    assert made is not None
    for (line, found, ts_ns), sent in zip(made, lines, strict=True):
        assert orjson.loads(line) == found
        assert orjson.loads(sent).items() <= found.items()
        assert normalise(found) == (found, ts_ns)
        assert next(iter(found)) == "timestamp"
    assert len({found["id"] for _, found, _ in made}) == 9


def test_what_a_sender_may_not_send_is_refused_among_what_it_may() -> None:
    def check(agent: object, pod: object) -> None:
        if agent == "agent-1":
            raise EventError([Problem("agent", "is another's")])

    took = Intake(Redactor(), Metric(), None).take([bare(n) for n in range(9)], check)
    assert [place for place, _, _ in took.rejections] == [1, 4, 7]
    assert took.agents == {"agent-0": 3, "agent-2": 3}


def test_lines_of_ours_are_plain() -> None:
    reader = PlainReader(Redactor())
    lines = [ours(number, tool="grep", duration_ms=1.5) for number in range(32)]
    read = reader.try_read(lines, is_shown=True)
    assert read is not None
    assert [event for event, _ in read] == [orjson.loads(line) for line in lines]
    assert_same(Redactor(), lines)


@pytest.mark.parametrize("place", range(len(odd_lines())))
def test_an_odd_line_among_lines_of_ours_is_read_as_it_is_alone(place: int) -> None:
    clean = [ours(number) for number in range(20)]
    assert_same(Redactor(), [*clean[:7], odd_lines()[place], *clean[7:]])


def test_odd_lines_in_any_mixture_are_read_as_they_are_alone() -> None:
    draw = random.Random(5)
    for _ in range(40):
        pool = [*odd_lines(), *(ours(number) for number in range(60))]
        assert_same(Redactor(), draw.choices(pool, k=draw.randint(1, 90)))


@pytest.mark.parametrize("shape", ALL_SHAPES)
def test_a_secret_in_any_place_of_a_line_among_others_is_masked(shape: str) -> None:
    draw = random.Random(shape)
    secret = make(shape, draw)
    places: list[dict[str, Any]] = [
        {"content": secret},
        {"content": f"before {secret} after"},
        {"output": {"found": ["x", secret]}},
        {"note": secret},
        {secret: "x"},
        {"tool": secret[:256]},
        {"session_id": secret[:256]},
        {"trace_id": secret[:32]},
        {"id": secret},
        {"error": {"message": secret}},
    ]
    redactor = Redactor()
    for fields in places:
        lines = [ours(number, content=f"step {draw.choice(HALVES)}") for number in range(9)]
        lines.insert(draw.randrange(10), ours(50, **fields))
        assert_same(redactor, lines, fields)
        assert_taken_same(redactor, lines, fields)


def test_a_secret_of_the_environment_is_found_in_ids_and_names_too() -> None:
    secret = "0123456789abcdef0123456789abcdef"
    redactor = Redactor([secret])
    for fields in ({"trace_id": secret}, {"agent": secret}, {"content": f"a {secret} b"}):
        assert PlainReader(redactor).try_read([ours(1, **fields)], is_shown=True) is None
        assert_same(redactor, [ours(0), ours(1, **fields), ours(2)])


def test_a_rule_of_the_user_is_asked_of_ids_and_names_too() -> None:
    rules = [{"name": "badge", "pattern": "badge[0-9]{4}|dead(beef){2}", "keys": ["acmePin"]}]
    redactor = Redactor(extra=make_extra(rules))
    places: list[dict[str, Any]] = [
        {"span_id": "deadbeefbeef0000"},
        {"agent": "badge1234"},
        {"content": "of badge1234."},
        {"acmePin": "1234567"},
        {"input": {"acmePin": "1234567"}},
    ]
    for fields in places:
        assert PlainReader(redactor).try_read([ours(1, **fields)], is_shown=True) is None
        assert_same(redactor, [ours(0), ours(1, **fields), ours(2)], fields)


def test_a_redactor_that_fails_is_asked_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    redactor = Redactor()

    def fail(*_: object) -> bool:
        raise RuntimeError("broken")

    monkeypatch.setattr(redactor, "are_clean", fail)
    assert PlainReader(redactor).try_read([ours(1)], is_shown=True) is None


def test_names_and_forms_without_end_do_not_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plain, "FORMS", 3)
    monkeypatch.setattr(plain, "NAMES", 3)
    reader = PlainReader(Redactor())
    for number in range(9):
        line = ours(number, agent=f"agent-{number}", **{f"field {number}": 1})
        assert reader.try_read([line], is_shown=True) is not None
    assert len(reader._forms) <= 3
    assert len(reader._names) <= 3
