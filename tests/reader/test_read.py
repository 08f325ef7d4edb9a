"""Events in programs and notebooks: from files, from a hub, and as data frames."""

import os
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import laneway
from laneway.base.errors import LanewayError, QueryError, SettingError
from laneway.base.settings import resolve
from laneway.reader.source import open_source
from tests.torture.harness import Hub
from tests.waiting import eventually


@pytest.fixture
def log(tmp_path: Path, home: Path) -> Path:
    laneway.configure(home=home, log_path=tmp_path / "log")
    for n in range(1_500):
        laneway.log_event(
            "coder" if n % 3 else "planner",
            "llm_response",
            f"answer {n}",
            model="m",
            input_tokens=n,
            cost_usd=n / 1000,
            input={"n": n} if n % 2 else "text",
            attempt=n if n % 2 else "first",
        )
    laneway.flush(180)
    return tmp_path / "log"


@pytest.mark.usefixtures("log")
def test_the_events_of_this_process_own_log_are_read_in_order() -> None:
    events = laneway.read("agent:coder")
    assert [event["input_tokens"] for event in events] == [n for n in range(1_500) if n % 3]
    assert [event["input_tokens"] for event in events][:1] == [1]  # it can be asked again
    newest = laneway.read(order="newest", limit=3)
    assert [event["content"] for event in newest] == ["answer 1499", "answer 1498", "answer 1497"]
    assert "q='agent:coder'" in repr(events)


def test_what_is_logged_later_is_found_by_the_next_loop(log: Path) -> None:
    late = laneway.read("agent:late", log_path=log)
    assert list(late) == []
    laneway.log_event("late", "log", "here")
    assert [event["content"] for event in late] == ["here"]


def test_a_loop_that_is_left_early_leaves_the_log_free(log: Path) -> None:
    for _ in laneway.read(log_path=log):
        break
    assert len(list(laneway.read(log_path=log))) == 1_500


def test_another_log_is_named_whatever_is_configured(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGGING_URL", "http://127.0.0.1:9/log")
    laneway.configure()
    assert len(list(laneway.read(limit=5, log_path=log))) == 5
    with pytest.raises(LanewayError, match="there is no log yet"):
        list(laneway.read(log_path=tmp_path / "other"))
    for token in ("t", None):
        with pytest.raises(LanewayError, match="no hub answers"):
            list(laneway.read(token=token))


def test_a_hub_is_asked_by_its_address(log: Path, home: Path, tmp_path: Path) -> None:
    laneway.configure()
    hub = Hub(home, log)
    hub.start()
    try:
        eventually(lambda: hub.get("/health")["index"]["events"] == 1_500, "the index")
        url = f"{hub.url}/log"
        events = list(laneway.read("", logging_url=url, token=hub.access_token))
        assert [event["input_tokens"] for event in events] == list(range(1_500))
        with pytest.raises(LanewayError, match="token"):
            list(laneway.read("", logging_url=url, token="no"))
        (home / "access.token").unlink()
        with pytest.raises(
            LanewayError, match=r"no token to ask the hub with: .*No such"
        ) as caught:
            list(laneway.read("", logging_url=url))
        assert "LANEWAY_TOKEN" in caught.value.hint
    finally:
        hub.stop()


def test_a_hub_of_another_home_is_not_asked(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the usual port, and is not the one of this log."""
    other = Hub(tmp_path / "other", tmp_path / "their-log")
    other.start()
    try:
        monkeypatch.setenv("LANEWAY_PORT", str(other.port))
        laneway.log_event("a", "log", "mine")
        assert [event["content"] for event in laneway.read()] == ["mine"]
    finally:
        other.stop()


@pytest.mark.usefixtures("log")
def test_a_pandas_frame_has_a_column_for_each_field() -> None:
    frame = laneway.read("agent:coder").to_pandas()
    assert len(frame) == 1_000
    assert list(frame.columns[:4]) == ["timestamp", "agent", "event", "content"]
    assert frame["timestamp"].dt.tz is not None
    assert frame["timestamp"].is_monotonic_increasing
    assert abs((datetime.now(UTC) - frame["timestamp"].iloc[-1]).total_seconds()) < 3600
    assert frame.groupby("model")["cost_usd"].sum().round(3)["m"] == pytest.approx(750.0)
    assert frame["input_tokens"].dtype.kind == "i"
    assert list(frame["input"][:2]) == ['{"n":1}', "text"]
    assert laneway.read("agent:nobody").to_pandas().empty
    assert isinstance(frame, pd.DataFrame)


@pytest.mark.usefixtures("log")
def test_polars_and_arrow_get_one_type_a_column() -> None:
    frame = laneway.read("agent:coder").to_polars()
    assert frame.shape[0] == 1_000
    assert frame.schema["timestamp"] == pl.Datetime("us", "UTC")
    assert frame.schema["input_tokens"] == pl.Int64
    assert frame["attempt"][:2].to_list() == ["1", "first"]
    assert laneway.read("agent:nobody").to_polars().is_empty()
    table = laneway.read("agent:coder").to_arrow()
    assert table.num_rows == 1_000
    assert table.schema.field("timestamp").type == pa.timestamp("us", tz="UTC")
    assert table["cost_usd"][0].as_py() == pytest.approx(0.001)


@pytest.mark.usefixtures("log")
def test_what_is_wrong_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(QueryError, match="column"):
        list(laneway.read("agent:("))
    with pytest.raises(QueryError, match="oldest or newest"):
        laneway.read(order="random")  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="not an http"):
        list(laneway.read(logging_url="logger:8000"))
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(LanewayError, match="needs polars") as caught:
        laneway.read().to_polars()
    assert caught.value.hint == "pip install polars"


def test_files_that_may_not_be_read_are_told(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(os, "access", lambda entry, mode: not isinstance(entry, os.DirEntry))
    settings = resolve({"log_path": str(log)})
    with closing(open_source(settings, on_problem=told.append)) as source:
        assert list(source.iter_events((), 10))
    (word,) = told
    assert word.startswith("not in the answer: events-000001.jsonl, which you may not read")


def test_a_program_is_warned_of_them(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda entry, mode: not isinstance(entry, os.DirEntry))
    with pytest.warns(UserWarning, match="not in the answer: events-000001.jsonl") as told:
        assert list(laneway.read(log_path=str(log)))
    assert told[0].filename == __file__


def test_the_facade_loads_nothing_of_it_before_it_is_used() -> None:
    probe = (
        "import sys, laneway; from laneway import log_event\n"
        "assert not [m for m in sys.modules if m.startswith(('laneway.reader', 'laneway.web'))]\n"
        "laneway.read\n"
        "assert 'laneway.reader.read' in sys.modules\n"
        "assert not {'pandas', 'polars', 'pyarrow', 'starlette'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", probe], check=True)
