"""What is too long for a line is kept whole, redacted, and the line says where."""

import json
from hashlib import sha256
from typing import Any

import pytest

from laneway.base.errors import LanewayError
from laneway.base.limits import LINE_BYTES, SIDE_FILES
from laneway.model.cut import is_cut, iter_side_files, put_back, split_mark
from laneway.model.redact import Redactor
from laneway.model.wire import encode_redacted

MIB = 1024 * 1024
SECRET = "gh" + "p_" + "aB3dE6gH9" * 4
HEAD = {
    "timestamp": "2026-11-23T18:22:33.000123Z",
    "agent": "planner",
    "event": "tool_result",
    "id": "e1",
}


class Shelf:
    """Keeps payloads in memory."""

    def __init__(self, limit_bytes: int = 16 * MIB) -> None:
        self.limit_bytes = limit_bytes
        self.files: dict[str, bytes] = {}
        self.lost: list[str] = []
        self.is_full = False

    def keep(self, data: bytes) -> str:
        if self.is_full:
            self.lose("side_unwritable")
            return ""
        digest = sha256(data).hexdigest()
        self.files[digest] = data
        return digest

    def lose(self, reason: str) -> None:
        self.lost.append(reason)

    def read(self, digest: str) -> bytes:
        if digest not in self.files:
            raise LanewayError("gone")
        return self.files[digest]


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def record(shelf: Shelf, **fields: Any) -> dict[str, Any]:
    """The event as the line has it."""
    line, _ = encode_redacted({**HEAD, **fields}, Redactor(), shelf=shelf)
    assert len(line) <= LINE_BYTES
    event: dict[str, Any] = json.loads(line)
    assert {name: event[name] for name in HEAD} == HEAD
    return event


def test_a_long_text_is_kept_whole_and_its_line_has_the_beginning(shelf: Shelf) -> None:
    text = "0123456789 " * 100_000

    event = record(shelf, output=text)

    (file,) = event["side_files"]
    assert file == {
        "path": "/output",
        "sha256": sha256(text.encode()).hexdigest(),
        "bytes": len(text),
        "form": "text",
    }
    assert shelf.files[file["sha256"]] == text.encode()
    assert text.startswith(split_mark(event["output"])[0])
    assert event["truncated"] is True


def test_an_event_that_fits_has_none(shelf: Shelf) -> None:
    assert "side_files" not in record(shelf, content="x" * 200_000)
    assert not shelf.files


@pytest.mark.parametrize(
    "fields",
    [
        {"content": "a b " * 200_000, "input": {"q": "c d " * 200_000}, "note": "short"},
        {"output": [{"role": "user", "content": "e f " * 100_000}] * 3},
        {"output": [{"n": n, "name": f"row {n}", "ok": True} for n in range(20_000)]},
        {"output": ["g h " * 5_000] * (SIDE_FILES + 20)},
        {"input": {"a/b": {"c~d": "i j " * 100_000}}},
        {"input": {"k" * 250: {"l" * 250: "m n " * 100_000}}},
        {"content": "é漢😀\u2028\x00\x1f" * 100_000},
        {"error": {"type": "E", "message": "m", "stack": "at line 1\n" * 60_000}},
        {"data": {f"key {n}": "o p " * 50 for n in range(5_000)}},
    ],
    ids=["three", "chat", "rows", "many", "signs", "deep", "unicode", "stack", "keys"],
)
def test_whatever_is_long_the_event_can_be_put_together_again(
    shelf: Shelf, fields: dict[str, Any]
) -> None:
    event = record(shelf, **fields)
    assert 1 <= len(event["side_files"]) <= SIDE_FILES

    assert put_back(event, shelf.read) == 0
    assert event == {**HEAD, **fields}
    assert not shelf.lost


def test_a_text_of_bytes_is_kept_whole(shelf: Shelf) -> None:
    event = record(shelf, output=b"abc " * 200_000)

    assert put_back(event, shelf.read) == 0
    assert event["output"] == "abc " * 200_000


def test_a_payload_past_the_limit_is_cut_with_its_hash_and_counted() -> None:
    shelf = Shelf(MIB)

    event = record(shelf, content="x y " * 400_000, output="z " * 300_000)

    assert is_cut(event["content"])
    assert "sha256" in event["content"][-80:]
    assert shelf.lost == ["side_too_large"]
    assert [path for path, *_ in iter_side_files(event)] == ["/output"]


def test_fifty_megabytes_are_neither_looked_through_nor_kept(shelf: Shelf) -> None:
    event = record(shelf, content="x" * 50_000_000)

    assert not shelf.files
    assert shelf.lost == ["side_too_large"]
    assert split_mark(event["content"])[1] > 49_000_000


def test_without_a_limit_nothing_is_kept() -> None:
    shelf = Shelf(0)

    assert "side_files" not in record(shelf, content="x y " * 400_000)
    assert not shelf.files


def test_a_shelf_that_is_full_costs_the_rest_and_not_the_event(shelf: Shelf) -> None:
    shelf.is_full = True

    event = record(shelf, content="x y " * 400_000)

    assert "side_files" not in event
    assert is_cut(event["content"])
    assert shelf.lost == ["side_unwritable"]


@pytest.mark.parametrize("fill", ["The loader reads. ", "Ab3+", '{"key": "v", "n": 1}, ', "漢字 "])
@pytest.mark.parametrize("where", [0.0, 0.25, 0.5, 0.999, 1.0])
def test_a_secret_anywhere_in_a_long_text_is_found_nowhere(
    shelf: Shelf, fill: str, where: float
) -> None:
    text = fill * (MIB // len(fill))
    at = int(len(text) * where)

    event = record(shelf, output=f"{text[:at]} {SECRET} {text[at:]}")

    assert SECRET not in json.dumps(event)
    (data,) = shelf.files.values()
    assert SECRET.encode() not in data
    assert b"[redacted:github-token:" in data


@pytest.mark.parametrize("border", [LINE_BYTES, LINE_BYTES + 16 * 1024, MIB, 16 * 1024])
def test_a_secret_across_any_border_is_found_nowhere(border: int) -> None:
    for shift in range(-len(SECRET) - 2, 3, 7):
        shelf = Shelf()
        text = "." * (border + shift) + " " + SECRET + " " + "." * MIB
        event = record(shelf, output=text)
        assert SECRET[4:] not in json.dumps(event)
        assert all(SECRET[4:].encode() not in data for data in shelf.files.values())


def test_a_secret_at_the_border_of_a_text_past_the_limit_is_found_nowhere() -> None:
    for shift in range(-60, 60, 5):
        shelf = Shelf(MIB)
        text = "." * (LINE_BYTES + 16 * 1024 + shift) + " " + SECRET + " " + "." * MIB
        line = json.dumps(record(shelf, output=text, content="x y " * 100_000))
        assert SECRET[4:20] not in line
        assert all(SECRET[4:20].encode() not in data for data in shelf.files.values())


@pytest.mark.parametrize(
    "output",
    [
        [{"n": n} for n in range(60_000)] + [{"password": "hunter2-correct"}],
        json.dumps([{"n": n} for n in range(60_000)] + [{"dsn": "db://u:hunter2-correct@h/x"}]),
        json.dumps({"rows": list(range(200_000)), "db_password": "hunter2-correct"}),
    ],
    ids=["named", "address", "named in a text"],
)
def test_a_secret_that_its_name_gives_away_goes_from_long_json(shelf: Shelf, output: Any) -> None:
    event = record(shelf, output=output)

    assert "hunter2" not in json.dumps(event)
    assert all(b"hunter2" not in data for data in shelf.files.values())
    assert shelf.files


def test_a_secret_of_the_environment_goes_too(shelf: Shelf) -> None:
    redactor = Redactor(("correct horse battery",))
    text = "x " * 400_000 + "correct horse battery" + " y" * 400_000

    encode_redacted({**HEAD, "output": text}, redactor, shelf=shelf)

    (data,) = shelf.files.values()
    assert b"correct horse" not in data


def test_what_is_missing_is_counted_and_stays_named(shelf: Shelf) -> None:
    event = record(shelf, content="a b " * 100_000, output="c d " * 100_000)
    del shelf.files[event["side_files"][0]["sha256"]]
    gone, there = (file["path"] for file in event["side_files"])

    assert put_back(event, shelf.read) == 1

    assert [file["path"] for file in event["side_files"]] == [gone]
    assert not is_cut(event[there[1:]])
    assert event["truncated"] is True


@pytest.mark.parametrize(
    "value",
    [None, "buy", 7, [], ["x"], [{"path": 1}], {"path": "/x"},
     [{"path": "/content", "sha256": "../x", "bytes": 1, "form": "text"}]],
    ids=repr,
)  # fmt: skip
def test_somebody_elses_field_of_that_name_is_left_alone(shelf: Shelf, value: Any) -> None:
    event = record(shelf, content="x", side_files=value)

    assert event["side_files"] == value
    assert list(iter_side_files(event)) == []
    assert put_back(event, shelf.read) == 0
    assert event["side_files"] == value


@pytest.mark.parametrize("path", ["/id", "/agent", "/none", "/content/x", "/list/9", "", "/"])
def test_a_payload_is_put_only_where_something_may_be_cut(shelf: Shelf, path: str) -> None:
    digest = shelf.keep(b"other")
    files = [{"path": path, "sha256": digest, "bytes": 5, "form": "text"}]
    event = {**HEAD, "content": "x", "list": [1], "side_files": files}

    assert put_back(dict(event), shelf.read) == 1
