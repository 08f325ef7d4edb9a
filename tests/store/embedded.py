"""ClickHouse's engine in this process, behind the part of its driver's interface that the store uses.

It binds parameters with the driver's own code, so what a server would be sent is what the engine reads.
What is not the server's: HTTP, the Native format of insertions, users, replication and shards.
"""

import atexit
import hashlib
import shutil
import tempfile
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from laneway.store.clickhouse.client import Address
from laneway.store.clickhouse.store import ClickHouseStore

PATIENCE_S = 300.0
"""No test tells how fast a machine is."""


class Rows(NamedTuple):
    result_rows: list[list[Any]]


@cache
def session() -> Any:
    """One engine in a process: that is all it can have."""
    from chdb.session import Session

    folder = tempfile.mkdtemp(prefix="laneway-engine-")
    made = Session(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(made.close)
    return made


LOCK = threading.Lock()
"""The engine's session is for one thread at a time."""


class EmbeddedClient:
    def query(
        self,
        query: str,
        parameters: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> Rows:
        told = _run(f"{query}{_settings(settings)}", parameters)
        return Rows([orjson.loads(line) for line in told.splitlines()])

    def command(
        self,
        cmd: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        for name, value in (settings or {}).items():
            _run(f"SET {name} = {value!r}", None)
        _run(cmd, parameters)

    def insert(
        self,
        table: str,
        data: Sequence[Sequence[Any]],
        column_names: Sequence[str],
        *,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        rows = b"\n".join(map(orjson.dumps, data)).decode()
        columns = ", ".join(column_names)
        _run(
            f"INSERT INTO {table} ({columns}){_settings(settings)} FORMAT JSONCompactEachRow {rows}",
            None,
        )

    def close(self) -> None:
        """The engine stays: other stores of this process use it."""


def _settings(settings: Mapping[str, Any] | None) -> str:
    told = ", ".join(f"{name} = {value!r}" for name, value in (settings or {}).items())
    return f" SETTINGS {told}" if told else ""


def _run(sql: str, parameters: Mapping[str, Any] | None) -> bytes:
    from clickhouse_connect.driver.binding import bind_query

    _, bound = bind_query(sql, dict(parameters or {}))
    params = {name.removeprefix("param_"): value for name, value in bound.items()}
    with LOCK:
        return bytes(session().query(sql, "JSONCompactEachRow", params=params).bytes())


def database_of(path: Path) -> str:
    return f"t_{hashlib.sha256(str(path).encode()).hexdigest()[:24]}"


def open_embedded(path: Path, directory: str = "") -> ClickHouseStore:
    """The index that belongs to a directory's name."""
    address = Address("localhost", 8123, False, "default", "", database_of(path))
    return ClickHouseStore(
        address, directory=directory, client=EmbeddedClient(), query_limit_s=PATIENCE_S
    )
