"""A Parquet file that DuckDB reads back."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from laneway.base.errors import LanewayError
from laneway.sinks import parquet
from tests.sinks.events import run


def read(path: Path, columns: str) -> list[Any]:
    with duckdb.connect() as connection:
        return connection.execute(f"SELECT {columns} FROM '{path}' ORDER BY id").fetchall()


def test_columns_are_typed_and_payloads_are_json(tmp_path: Path) -> None:
    path = tmp_path / "it's.parquet"
    parquet.write(run(), str(path).replace("'", "'"))

    with duckdb.connect() as connection:
        found = connection.execute("SELECT * FROM read_parquet(?) ORDER BY id", [str(path)])
        names = [column[0] for column in found.description]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    assert [row["id"] for row in rows] == [f"e{n}" for n in range(9)]
    assert rows[6]["input_tokens"] == 12
    assert rows[6]["cost_usd"] == 0.25
    assert rows[0]["timestamp"].isoformat().startswith("2026-11-26T10:00:00")
    assert rows[2]["input"] == '{"q":"lanes"}'
    assert rows[7]["more"] == '{"score":0.5}'


def test_no_events_are_an_empty_table(tmp_path: Path) -> None:
    parquet.write([], str(tmp_path / "none.parquet"))

    assert read(tmp_path / "none.parquet", "count(*) AS id") == [(0,)]


def test_a_column_of_its_own_name_goes_with_the_rest(tmp_path: Path) -> None:
    parquet.write([{**run()[0], "more": "than"}], str(tmp_path / "x.parquet"))

    assert read(tmp_path / "x.parquet", "more, id")[0][0] == '{"more":"than"}'


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "folder.parquet").mkdir()
    with pytest.raises(LanewayError, match=r"folder\.parquet"):
        parquet.write(run(), str(tmp_path / "folder.parquet"))
