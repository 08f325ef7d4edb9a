"""One ClickHouse, spoken to: statements with a time limit, insertions that may be tried again, errors in
Laneway's terms."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from laneway.base.errors import StoreError
from laneway.store.api import DiskError, QueryTimeout

from .client import Client, first_line
from .schema import Names

SMALL_INSERT_ROWS = 1_000
"""Fewer rows are gathered by the server with those of other hubs before they become a part of a table
(an asynchronous insertion, waited for); more make a part of good size by themselves."""

INSERT_TRIES = 4
RETRY_S = 0.5
"""Doubled for each try."""

Rows = Sequence[Sequence[Any]]

_TIMEOUT_SIGNS = ("TIMEOUT_EXCEEDED", "Code: 159", "code: 159", "TOO_SLOW", "Code: 160")
_DATA_SIGNS = ("TYPE_MISMATCH", "CANNOT_PARSE", "INCORRECT_DATA", "ARGUMENT_OUT_OF_BOUND")


class Server:
    """Thread-safe as far as the client is."""

    def __init__(self, client: Client, names: Names, query_limit_s: float) -> None:
        self._client = client
        self._names = names
        self._query_limit_s = query_limit_s

    def ask(self, sql: str, values: Mapping[str, Any] | None = None, *, limit_s: float = 0) -> Rows:
        """
        Raises:
            QueryTimeout: it took longer than ``limit_s``, or the store's own bound.
        """
        limit_s = limit_s or self._query_limit_s
        settings: dict[str, Any] = {"max_execution_time": limit_s}
        if self._names.cluster:  # a replica that lags would not know what was committed
            settings["select_sequential_consistency"] = 1
        try:
            return self._client.query(
                sql, parameters=dict(values or {}), settings=settings
            ).result_rows
        except Exception as error:
            raise self._explain(error, limit_s) from error

    def tell(self, sql: str, values: Mapping[str, Any] | None = None) -> None:
        """A statement that changes something, and is done when this returns."""
        settings = {"mutations_sync": 2}
        if self._names.cluster:
            settings["distributed_ddl_task_timeout"] = 60
        try:
            self._client.command(sql, parameters=dict(values or {}), settings=settings)
        except Exception as error:
            raise self._explain(error, 0) from error

    def insert(self, table: str, rows: Rows, columns: Sequence[str], token: str) -> None:
        """``token`` names these rows: the server drops a second insertion, so that one of which no
        answer came can be tried again."""
        settings = self._insert_settings(len(rows), token)
        for count in range(1, INSERT_TRIES + 1):
            try:
                self._client.insert(table, rows, columns, settings=settings)
                return
            except Exception as error:
                if count == INSERT_TRIES or (not isinstance(error, OSError) and _is_final(error)):
                    raise self._explain(error, 0) from error
                time.sleep(RETRY_S * 2 ** (count - 1))

    def close(self) -> None:
        self._client.close()

    def _insert_settings(self, row_count: int, token: str) -> dict[str, Any]:
        settings: dict[str, Any] = {
            "insert_deduplication_token": token,
            "max_partitions_per_insert_block": 0,  # a batch may hold events of any day
        }
        if row_count < SMALL_INSERT_ROWS:
            settings |= {
                "async_insert": 1,
                "wait_for_async_insert": 1,
                "async_insert_deduplicate": 1,
            }
        else:
            settings |= {"async_insert": 0, "deduplicate_blocks_in_dependent_materialized_views": 1}
        if self._names.cluster:
            settings |= {
                "distributed_foreground_insert": 1,
                "insert_quorum": "auto",
                "insert_quorum_parallel": 0,
            }
        return settings

    def _explain(self, error: Exception, limit_s: float) -> StoreError:
        text = str(error)
        if limit_s and any(sign in text for sign in _TIMEOUT_SIGNS):
            return QueryTimeout(
                f"the query was stopped after {limit_s:g} s",
                hint="narrow the time range, or add a filter by agent, event or session",
            )
        is_of_data = isinstance(error, TypeError | ValueError | OverflowError) or any(
            sign in text for sign in _DATA_SIGNS
        )
        # Else no event is at fault: the server is away, full, or refuses all, and the call comes again.
        kind = StoreError if is_of_data else DiskError
        return kind(f"ClickHouse: {first_line(error)}")


def _is_final(error: Exception) -> bool:
    """The server refused it: no second try will do better."""
    text = str(error)
    return "DB::Exception" in text and "TIMEOUT" not in text and "NETWORK" not in text
