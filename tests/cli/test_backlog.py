"""Files of the log that the user may not read: what is there besides is shown, and they are named."""

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Run, Write

TAIL, QUERY, SQL = ("tail", "--no-follow"), ("query",), ("sql", "select content from events")


@pytest.fixture(autouse=True)
def log(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two files, of which one may not be read; root may read everything."""
    write({"content": "open"})
    write({"content": "shut"}, name="secret.jsonl")
    may = os.access
    monkeypatch.setattr(
        os, "access",
        lambda path, mode, **more: "secret" not in os.fspath(path) and may(path, mode, **more),
    )  # fmt: skip


@pytest.mark.parametrize("question", [TAIL, SQL])
def test_the_others_are_shown_and_it_is_named(call: Run, question: tuple[str, ...]) -> None:
    ended = call(*question)

    assert ended.code == 0
    assert "open" in ended.out
    assert "shut" not in ended.out
    assert ended.err.startswith("not in the answer: secret.jsonl, which you may not read")


@pytest.mark.parametrize("question", [TAIL, QUERY, SQL])
def test_all_of_them_is_no_empty_log(
    call: Run, home: Path, monkeypatch: pytest.MonkeyPatch, question: tuple[str, ...]
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode, **more: False)
    ended = call(*question)
    assert "may not" in ended.err or "may be read" in ended.err
    assert "no log yet" not in ended.err
