"""Parsers under random and mutated input: an answer or an error of ours, and nothing else.

``LANEWAY_TORTURE=long`` runs each for minutes; ``fuzz/`` has the same targets for coverage-guided runs.
"""

import json
import os
import zlib
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from laneway.base.errors import LanewayError
from laneway.base.limits import LINE_BYTES
from laneway.base.settings import SETTINGS, resolve
from laneway.cli.escape import escape, is_unsafe
from laneway.hub.metric import Metric
from laneway.hub.pipeline import Intake
from laneway.log.segment import LogPath
from laneway.model.event import normalise
from laneway.model.moment import parse_timestamp_ns
from laneway.model.redact import Redactor
from laneway.model.wire import decode_body, decode_line
from laneway.web import filter as query_filter
from laneway.web.auth import Access, is_wildcard, read_headers
from laneway.web.body import unzip
from laneway.web.live import Wanted

LONG = os.environ.get("LANEWAY_TORTURE") == "long"
fuzz = settings(
    max_examples=20_000 if LONG else 60,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40)
JSON = st.recursive(
    SCALAR,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)
FIELDS = [
    "timestamp",
    "agent",
    "event",
    "event_type",
    "id",
    "content",
    "session_id",
    "trace_id",
    "span_id",
]
FIELDS += [
    "parent_span_id",
    "parent_agent",
    "tool",
    "input",
    "output",
    "role",
    "level",
    "duration_ms",
]
FIELDS += ["model", "input_tokens", "cost_usd", "error", "pod", "pid", "", "__proto__", "seq"]
EVENT = st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=12), JSON, max_size=9)


@pytest.fixture(scope="module")
def intake() -> Intake:
    return Intake(Redactor(), Metric(), None)


@fuzz
@given(EVENT | JSON)
def test_an_event_is_normalised_or_refused(raw: object) -> None:
    try:
        event, ts_ns = normalise(raw)
    except LanewayError:
        return
    assert event["agent"].strip()
    assert event["event"].strip()
    again, again_ns = normalise(dict(event))
    assert (again, again_ns) == (event, ts_ns) or event != event or "NaN" in repr(event)


@fuzz
@given(
    st.lists(EVENT | JSON, max_size=4),
    st.sampled_from(["application/json", "application/x-ndjson", ""]),
)
def test_whatever_is_posted_becomes_readable_lines_or_reasons(
    intake: Intake, items: list[object], kind: str
) -> None:
    text = "\n".join(map(json.dumps, items)) if "ndjson" in kind else json.dumps(items)
    taken = intake.take(decode_body(text.encode(), kind))
    for line in taken.lines:
        assert b"\n" not in line
        assert len(line) <= LINE_BYTES
        event = orjson.loads(line)
        assert {"timestamp", "agent", "event", "id"} <= event.keys()
    assert sum(taken.agents.values()) == len(taken.lines)


@fuzz
@given(
    st.binary(max_size=400), st.sampled_from(["application/json", "application/x-ndjson", "x", ""])
)
def test_any_bytes_are_a_body_with_reasons(intake: Intake, data: bytes, kind: str) -> None:
    intake.take(decode_body(data, kind))


@fuzz
@given(EVENT, st.integers(0, 10_000), st.binary(min_size=1, max_size=3))
def test_a_damaged_line_is_read_or_refused(
    event: dict[str, object], place: int, damage: bytes
) -> None:
    line = json.dumps(event).encode()
    place %= len(line) + 1
    try:
        decode_line(line[:place] + damage + line[place + len(damage) :])
    except LanewayError:
        pass


@fuzz
@given(st.text(max_size=60) | JSON)
def test_a_time_is_read_or_refused(value: object) -> None:
    try:
        parse_timestamp_ns(value)
    except ValueError:
        pass


NAMES = [*query_filter.MANY, *query_filter.ONE, *query_filter.PAGE, *query_filter.STEP]
VALUE = (
    st.text(max_size=80)
    | st.from_regex(r"\A-?\d{1,30}(\.\d{1,20})?[smhdwx]?\Z")
    | st.sampled_from(
        [
            "1e400s",
            "NaN",
            "inf",
            "-inf",
            "nans",
            "0",
            "-0",
            "1_000",
            "٣",
            "²",
            "0x10.0x10",
            "ffffffffffffffff.1",
        ]
    )
)


@fuzz
@given(st.lists(st.tuples(st.sampled_from(NAMES) | st.text(max_size=8), VALUE), max_size=6))
def test_a_query_is_read_or_refused(items: list[tuple[str, str]]) -> None:
    try:
        query_filter.to_query(query_filter.parse(items, query_filter.PAGE, query_filter.STEP))
    except LanewayError:
        pass


@fuzz
@given(VALUE)
def test_a_cursor_is_read_and_written_back_or_refused(text: str) -> None:
    try:
        cursor = query_filter.parse_cursor(text)
    except LanewayError:
        return
    assert query_filter.parse_cursor(query_filter.format_cursor(cursor)) == cursor


@fuzz
@given(VALUE)
def test_a_step_and_a_number_are_read_or_refused(text: str) -> None:
    for parse in (query_filter.parse_step_ns, query_filter.parse_seq):
        try:
            parse(text)
        except LanewayError:
            pass


@fuzz
@given(
    st.dictionaries(st.sampled_from(["since", "history", "epoch", "format", "x"]), VALUE), st.text()
)
def test_what_a_viewer_wants_is_read_or_refused(given_: dict[str, str], last_event_id: str) -> None:
    try:
        Wanted(given_, last_event_id)
    except LanewayError:
        pass


@fuzz
@given(st.binary(max_size=200), st.integers(0, 300), st.binary(max_size=4))
def test_gzip_is_unpacked_within_its_bounds_or_refused(
    data: bytes, place: int, damage: bytes
) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = packer.compress(data) + packer.flush()
    place %= len(packed)
    for body in (
        data,
        packed,
        packed[:place] + damage + packed[place + len(damage) :],
        packed[:place],
    ):
        try:
            assert len(unzip(body, 100)) <= 100
        except LanewayError:
            pass


@fuzz
@given(
    st.dictionaries(
        st.sampled_from([row.name for row in SETTINGS]), VALUE.filter(lambda x: "\0" not in x)
    )
)
def test_settings_are_read_or_refused(given_: dict[str, str]) -> None:
    env = {f"LANEWAY_{name.upper()}": value for name, value in given_.items() if name != "home"}
    try:
        resolve({"home": "/nonexistent"}, env=env)
    except LanewayError:
        pass


@fuzz
@given(st.text(max_size=60))
def test_names_of_files_are_segments_or_are_not(name: str) -> None:
    log_path = LogPath("/nonexistent")
    number = log_path.number_of(name)
    assert number >= 0
    assert not number or log_path.number_of(log_path.segment_name(number)) == number


@fuzz
@given(st.text(max_size=60))
def test_an_address_is_a_wildcard_or_is_not(host: str) -> None:
    assert is_wildcard(host) in (True, False)


@pytest.fixture(scope="module")
def access(tmp_path_factory: pytest.TempPathFactory) -> Access:
    home: Path = tmp_path_factory.mktemp("home")
    return Access.of(resolve({"home": home}, env={}), 8001)


HEADER = st.sampled_from([b"host", b"origin", b"authorization", b"cookie", b"sec-fetch-site", b"x"])
HEADER_VALUE = st.binary(max_size=60) | st.sampled_from(
    [
        b"127.0.0.1:8001",
        b"http://127.0.0.1:8001",
        b"Bearer ",
        b"bearer\tx",
        b"none",
        b"laneway-8001=x; laneway-8001=",
    ]
)


@fuzz
@given(st.text(max_size=30), st.lists(st.tuples(HEADER, HEADER_VALUE), max_size=6))
def test_without_a_token_nothing_is_open_whatever_stands_in_the_head(
    access: Access, path: str, pairs: list[tuple[bytes, bytes]]
) -> None:
    for place in (f"/api/{path}", "/log", f"/admin/{path}", "/logs/ws"):
        with pytest.raises(LanewayError):
            access.check(place, read_headers(pairs))


@fuzz
@given(st.text(max_size=200))
def test_text_for_a_terminal_is_safe(text: str) -> None:
    assert not any(map(is_unsafe, escape(text)))
