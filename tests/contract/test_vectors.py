"""The golden vectors of ``spec/`` hold for the code, and for the schema that others read."""

import copy
import json
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any, get_type_hints

import orjson
import pytest
from jsonschema import Draft202012Validator

from laneway.base.errors import EventError, LogError
from laneway.model.cut import put_back
from laneway.model.encode import encode
from laneway.model.event import Event, normalise
from laneway.model.moment import parse_timestamp_ns
from laneway.model.redact import Redactor
from laneway.model.vocabulary import EVENT_TYPES, LEVELS
from laneway.model.wire import decode_line, encode_redacted

SPEC = Path(__file__).parents[2] / "spec"
SCHEMA = json.loads((SPEC / "event.schema.json").read_bytes())
SCHEMA_CHECK = Draft202012Validator(SCHEMA)


def join(value: Any) -> Any:
    """``{"$join": [parts]}`` is the text of its parts: split so that no secret stands in a file."""
    if isinstance(value, dict):
        if set(value) == {"$join"}:
            return "".join(value["$join"])
        return {key: join(item) for key, item in value.items()}
    return [join(item) for item in value] if isinstance(value, list) else value


def cases(name: str) -> Any:
    found = join(json.loads((SPEC / "vectors" / name).read_bytes()))
    assert len({case["name"] for case in found}) == len(found)
    return pytest.mark.parametrize("case", found, ids=lambda case: case["name"])


@cases("valid.json")
def test_what_may_be_sent_is_stored_in_its_one_form(case: dict[str, Any]) -> None:
    received_ns = parse_timestamp_ns(case["received"]) if "received" in case else 1

    event, ts_ns = normalise(decode_line(orjson.dumps(case["input"])), received_ns=received_ns)

    assert json.loads(encode(event)) == case["output"]
    assert list(event) == list(case["output"])
    assert parse_timestamp_ns(event["timestamp"]) == ts_ns // 1000 * 1000
    assert normalise(event)[0] == event


@cases("valid.json")
def test_what_is_stored_fits_the_schema(case: dict[str, Any]) -> None:
    assert [error.message for error in SCHEMA_CHECK.iter_errors(case["output"])] == []


@cases("valid.json")
def test_what_is_stored_holds_nothing_to_redact(case: dict[str, Any]) -> None:
    assert encode_redacted(case["output"], Redactor()) == (encode(case["output"]), 0)


@cases("invalid.json")
def test_what_cannot_be_taken_is_told_by_field(case: dict[str, Any]) -> None:
    with pytest.raises(EventError) as caught:
        normalise(case["input"])

    assert [{"field": p.field, "message": p.message} for p in caught.value.problems] == case[
        "problems"
    ]


@cases("redaction.json")
def test_secrets_are_replaced_by_these_rules_and_nothing_else_is(case: dict[str, Any]) -> None:
    redactor = Redactor()

    clean, count = redactor.redact_event(case["input"])

    assert redactor.counts == dict(Counter(case["redacted"]))
    assert count == len(case["redacted"])
    assert count or clean == case["input"]


@cases("redaction.json")
def test_the_fast_way_over_the_line_gives_the_same(case: dict[str, Any]) -> None:
    redactor = Redactor()

    line, count = encode_redacted(case["input"], redactor)

    assert orjson.loads(line) == redactor.redact_event(case["input"])[0]
    assert count == len(case["redacted"])


@cases("redaction.json")
def test_a_sent_line_with_a_secret_is_suspicious_in_any_spelling(case: dict[str, Any]) -> None:
    spellings = (orjson.dumps(case["input"]), json.dumps(case["input"], indent=1).encode())

    assert not case["redacted"] or all(map(Redactor().is_suspicious, spellings))


def test_the_schema_is_a_schema_and_describes_every_field() -> None:
    Draft202012Validator.check_schema(SCHEMA)

    assert set(get_type_hints(Event)) | {"side_files", "truncated"} == set(SCHEMA["properties"])
    assert all(field["description"] for field in SCHEMA["properties"].values())


def test_the_schema_and_the_code_know_the_same_words() -> None:
    assert SCHEMA["properties"]["event"]["examples"] == list(EVENT_TYPES)
    assert SCHEMA["properties"]["level"]["enum"] == list(LEVELS)
    assert SCHEMA["required"] == ["timestamp", "agent", "event", "id"]


@pytest.mark.parametrize(
    "fault",
    [{"timestamp": "2026-11-23"}, {"level": "loud"}, {"pid": -1}, {"id": ""}, {"agent": "a" * 257}],
)
def test_the_schema_refuses_what_the_log_never_holds(fault: dict[str, Any]) -> None:
    good = {"timestamp": "2026-11-23T18:22:33.000123Z", "agent": "a", "event": "log", "id": "e1"}

    assert SCHEMA_CHECK.is_valid(good)
    assert not SCHEMA_CHECK.is_valid({**good, **fault})


@cases("side_files.json")
def test_payloads_are_put_back_where_the_event_says(case: dict[str, Any]) -> None:
    files = {sha256(text.encode()).hexdigest(): text.encode() for text in case["files"]}

    def read(digest: str) -> bytes:
        if digest not in files:
            raise LogError("gone", status=404)
        return files[digest]

    event = copy.deepcopy(case["event"])
    put_back(event, read)

    assert event == case["whole"]
    assert [error.message for error in SCHEMA_CHECK.iter_errors(case["event"])] == []
