"""Events as one Parquet file, written by DuckDB: typed columns, payloads as JSON texts, zstd."""

import os
import tempfile
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from laneway.base.errors import LanewayError, not_installed

TEXTS = ("agent", "event", "level", "session_id", "tool", "model", "provider", "role")
PAYLOADS = ("content", "input", "output", "error")
COUNTS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
PLACES = ("parent_agent", "trace_id", "span_id", "parent_span_id", "pod", "host")
COLUMNS = {
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    **dict.fromkeys((*TEXTS, *PAYLOADS), "VARCHAR"),
    **dict.fromkeys(("duration_ms", "cost_usd"), "DOUBLE"),
    **dict.fromkeys(COUNTS, "BIGINT"),
    **dict.fromkeys(PLACES, "VARCHAR"),
    "pid": "BIGINT",
    "id": "VARCHAR",
    "seq": "BIGINT",
    "more": "VARCHAR",
}
"""Name and type. ``more`` holds the fields without a column, as a JSON object."""


def write(events: Iterable[Mapping[str, Any]], path: str) -> None:
    """Write the file anew; memory stays bounded however many events there are.

    Raises:
        LanewayError: DuckDB is not installed, or the file cannot be written.
    """
    duckdb = load_duckdb()
    with tempfile.TemporaryDirectory(
        dir=os.path.dirname(path) or ".", prefix=".laneway-"
    ) as folder:
        rows = os.path.join(folder, "rows.jsonl")
        with open(rows, "wb") as file:
            for event in events:
                file.write(orjson.dumps(_flat(event)) + b"\n")
        source = f"read_json({_quote(rows)}, format = 'newline_delimited', columns = {COLUMNS})"
        connection = duckdb.connect()
        try:
            # It fetches what it lacks from the internet, unless told otherwise.
            connection.execute("SET autoinstall_known_extensions = false")
            connection.execute(
                f"COPY (SELECT * FROM {source}) TO {_quote(path)} (FORMAT parquet, COMPRESSION zstd)"  # noqa: S608
            )
        except duckdb.Error as error:
            raise LanewayError(f"{path}: {error}") from error
        finally:
            connection.close()


def load_duckdb() -> Any:
    """The module ``duckdb``.

    Raises:
        SettingError: it is not installed.
    """
    try:
        import duckdb
    except ImportError:
        raise not_installed("this", "DuckDB", "sql") from None
    return duckdb


def _flat(event: Mapping[str, Any]) -> dict[str, Any]:
    row = {
        name: _plain(value) for name, value in event.items() if name in COLUMNS and name != "more"
    }
    rest = {name: value for name, value in event.items() if name not in COLUMNS or name == "more"}
    return {**row, "more": orjson.dumps(rest).decode()} if rest else row


def _plain(value: Any) -> Any:
    return orjson.dumps(value).decode() if isinstance(value, (dict, list)) else value


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
