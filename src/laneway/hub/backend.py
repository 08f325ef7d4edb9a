"""Which index a hub has: SQLite beside the log, or ClickHouse where the settings name a server."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias, Union

from laneway.base.settings import Settings
from laneway.hub.reserve import WAL_SHARE
from laneway.store.api import ReadEvent, keep_on
from laneway.store.sqlite.raw import ReadText
from laneway.store.sqlite.schema import WAL_BYTES
from laneway.store.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from laneway.store.clickhouse.store import ClickHouseStore

Backend: TypeAlias = Union[SqliteStore, "ClickHouseStore"]


def open_backend(
    settings: Settings,
    path: str,
    on_problem: Callable[[str], None],
    read_event: ReadEvent | None = None,
    read_text: ReadText | None = None,
    step_aside: Callable[[], None] = keep_on,
) -> Backend:
    """``path`` is the index's directory; with ClickHouse it holds the lock and the hub's name alone.

    Raises:
        StoreError: the index cannot be opened.
    """
    if settings.store:
        from laneway.store.clickhouse.store import ClickHouseStore  # most hubs have none

        return ClickHouseStore(settings.store, directory=path)
    return SqliteStore(
        path,
        on_problem=on_problem,
        read_event=read_event,
        read_text=read_text,
        step_aside=step_aside,
        wal_bytes=min(WAL_BYTES, settings.reserve_bytes // WAL_SHARE or WAL_BYTES),
    )
