"""Where answers come from: the running hub, or the index itself, by the same code."""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol
from urllib.parse import quote

import orjson

from laneway.base.errors import LanewayError, LogError
from laneway.base.limits import PAGE_EVENTS
from laneway.base.settings import Settings
from laneway.log.segment import LogPath
from laneway.reader.client import Client, read_address
from laneway.reader.index import Index, is_writable
from laneway.store.api import Query
from laneway.store.query.expr import is_one_of, is_seq
from laneway.store.query.field import ID
from laneway.store.query.write import write
from laneway.web import filter as query_filter

if TYPE_CHECKING:
    from laneway.web.question import Question

Pairs = Sequence[tuple[str, str]]
"""Filters as the query string of ``/api/events`` has them."""

Asked = Literal["pulse", "facets", "durations", "usage", "sessions"]

Show = Callable[[int], None]
"""Told, while an index is brought up to date, how many bytes are left."""

NOT_FOUND = 404


def ignore(_: object) -> None:
    """Shows nothing, and tells nobody."""


def open_source(
    settings: Settings, show: Show = ignore, on_problem: Callable[[str], None] = ignore
) -> "Source":
    """The hub of this log if there is one, and the hub that an address names; else the index.

    Raises:
        HubError: the hub that is named does not answer.
        LogError, StoreError: there is no log, or no index can be made of it.
    """
    client = Client.of_log(settings)
    if "argument" in (settings.origin["host"], settings.origin["port"]):
        client.health()
        return HubSource(client)
    is_ours = bool(read_address(settings)) or settings.origin["log_path"] == "default"
    if is_ours and client.try_health():
        return HubSource(client)
    return IndexSource(settings, show, on_problem)


class Found(NamedTuple):
    """``is_complete`` is False where the time was over before everything was looked at; ``next`` is
    the cursor of the page that follows, or ``""``."""

    events: list[dict[str, Any]]
    is_complete: bool
    next: str = ""


def open_named(settings: Settings) -> "Source":
    """The hub to which events are sent (``logging_url``), if they are sent; else as `open_source`.

    Raises:
        HubError, LogError, SettingError, StoreError: nobody answers.
    """
    if settings.logging_url:
        return HubSource(Client.at(settings, settings.logging_url))
    return open_source(settings)


class Source(Protocol):
    """One place to ask. Events come in the order asked for, decoded, with their ``seq``."""

    def iter_events(self, pairs: Pairs, limit: int) -> Iterator[dict[str, Any]]:
        """At most ``limit`` events, asked for page by page."""

    def page(self, pairs: Pairs, limit: int) -> Found:
        """One page, in the time that a page may take."""

    def iter_one(self, event_id: str) -> Iterator[dict[str, Any]]:
        """The event with an id, or with ``@SEQ``; none if there is none."""

    def explain(self, pairs: Pairs) -> dict[str, Any]:
        """How the query would run, as ``/api/explain`` tells it."""

    def ask(self, name: Asked, pairs: Pairs) -> dict[str, Any]:
        """What ``/api/NAME`` answers."""

    def trace(self, trace_id: str) -> dict[str, Any] | None:
        """The trace as ``/api/traces/ID`` tells it, or None."""

    def close(self) -> None:
        """Release everything."""


class HubSource:
    def __init__(self, client: Client) -> None:
        self._client = client

    def iter_events(self, pairs: Pairs, limit: int) -> Iterator[dict[str, Any]]:
        cursor = ""
        while limit > 0:
            page = [*pairs, ("limit", str(min(limit, PAGE_EVENTS)))]
            answer = self._client.get("/api/events", [*page, *_one("cursor", cursor)])
            yield from answer["events"]
            limit -= len(answer["events"])
            cursor = answer.get("next") or ""
            if not cursor:
                return

    def page(self, pairs: Pairs, limit: int) -> Found:
        answer = self._client.get("/api/events", [*pairs, ("limit", str(limit))])
        is_complete = answer.get("scan", {}).get("complete", True)
        return Found(answer["events"], is_complete, answer.get("next") or "")

    def iter_one(self, event_id: str) -> Iterator[dict[str, Any]]:
        try:
            yield self._client.get(f"/api/events/{quote(event_id, safe='@')}")
        except LanewayError as error:
            if error.status != NOT_FOUND:
                raise

    def explain(self, pairs: Pairs) -> dict[str, Any]:
        return self._client.get("/api/explain", pairs)

    def ask(self, name: Asked, pairs: Pairs) -> dict[str, Any]:
        return self._client.get(f"/api/{name}", pairs)

    def trace(self, trace_id: str) -> dict[str, Any] | None:
        try:
            return self._client.get(f"/api/traces/{quote(trace_id, safe='')}")
        except LanewayError as error:
            if error.status != NOT_FOUND:
                raise
            return None

    def close(self) -> None:
        """Nothing is kept open."""


class IndexSource:
    """The log's own index, brought up to date; a temporary one where that cannot be written.

    Raises:
        HubError: a hub serves this log, and did not answer.
        StoreError: the index cannot be opened, or does not reach the end of the log.
    """

    def __init__(self, settings: Settings, show: Show, on_problem: Callable[[str], None]) -> None:
        directory = LogPath.parse(settings.log_path).directory
        if not os.path.isdir(directory):
            raise LogError(
                f"{directory}: there is no log yet", hint="the first event makes it; `laneway emit`"
            )
        with ExitStack() as stack:
            index_directory = ""
            if not is_writable(settings):
                made = tempfile.TemporaryDirectory(prefix="laneway-index-")
                index_directory = stack.enter_context(made)
            self._index = Index(settings, index_directory, on_problem)
            stack.callback(self._index.close)
            self._index.catch_up(show)
            self._stack = stack.pop_all()

    def iter_events(self, pairs: Pairs, limit: int) -> Iterator[dict[str, Any]]:
        cursor = ""
        while limit > 0:
            page = [*pairs, ("limit", str(min(limit, PAGE_EVENTS))), *_one("cursor", cursor)]
            query = query_filter.to_query(query_filter.parse(page, query_filter.PAGE))
            found = self._index.archive.page(query)
            yield from map(orjson.loads, found.lines)
            limit -= len(found.lines)
            if found.next is None:
                return
            cursor = query_filter.format_cursor(found.next)

    def page(self, pairs: Pairs, limit: int) -> Found:
        given = query_filter.parse([*pairs, ("limit", str(limit))], query_filter.PAGE)
        page = self._index.archive.page(query_filter.to_query(given))
        events = [orjson.loads(line) for line in page.lines]
        following = query_filter.format_cursor(page.next) if page.next else ""
        return Found(events, page.scan is None or page.scan.is_complete, following)

    def iter_one(self, event_id: str) -> Iterator[dict[str, Any]]:
        if event_id.startswith("@"):
            query = Query(is_seq(query_filter.parse_seq(event_id)), limit=1)
        else:
            query = Query(is_one_of(ID, (event_id,)), limit=1)
        line = self._index.archive.one(query)
        if line is not None:
            yield orjson.loads(line)

    def explain(self, pairs: Pairs) -> dict[str, Any]:
        query = query_filter.to_query(query_filter.parse(pairs))
        return {"query": write(query.whole()), **self._index.store.explain(query)._asdict()}

    def ask(self, name: Asked, pairs: Pairs) -> dict[str, Any]:
        return _questions()[name](pairs).answer(self._index.engine)

    def trace(self, trace_id: str) -> dict[str, Any] | None:
        return self._index.engine.inquiry.trace(trace_id)

    def close(self) -> None:
        self._stack.close()


def _questions() -> dict[Asked, Callable[[Pairs], "Question"]]:
    """The routes' own modules, imported where they are used: with them comes the web framework."""
    from laneway.web.pulse import ask_pulse
    from laneway.web.query import ask_sessions
    from laneway.web.report import ask_durations, ask_facets, ask_usage

    return {
        "pulse": ask_pulse,
        "facets": ask_facets,
        "durations": ask_durations,
        "usage": ask_usage,
        "sessions": ask_sessions,
    }


def _one(name: str, value: str) -> list[tuple[str, str]]:
    return [(name, value)] if value else []
