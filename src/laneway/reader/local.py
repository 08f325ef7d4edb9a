"""Answers from the log's own index, where no hub runs."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import orjson

from laneway.base.limits import PAGE_EVENTS
from laneway.base.settings import Settings
from laneway.log.listing import find_unreadable
from laneway.log.segment import LogPath
from laneway.reader.index import Index, is_writable
from laneway.reader.source import Asked, Found, Pairs, Show, one, tell_unreadable
from laneway.store.api import Query
from laneway.store.query.expr import is_one_of, is_seq
from laneway.store.query.field import ID
from laneway.store.query.write import write
from laneway.web import filter as query_filter

if TYPE_CHECKING:
    from laneway.web.question import Question


class IndexSource:
    """The log's own index, brought up to date; a temporary one where that cannot be written.

    Raises:
        HubError: a hub serves this log, and did not answer.
        StoreError: the index cannot be opened, or does not reach the end of the log.
    """

    def __init__(self, settings: Settings, show: Show, on_problem: Callable[[str], None]) -> None:
        LogPath.parse(settings.log_path).require()
        with ExitStack() as stack:
            index_directory = ""
            if not is_writable(settings):
                made = tempfile.TemporaryDirectory(prefix="laneway-index-")
                index_directory = stack.enter_context(made)
            self._index = Index(settings, index_directory, on_problem)
            if missing := find_unreadable(LogPath.parse(settings.log_path).directory):
                on_problem(tell_unreadable(missing))
            stack.callback(self._index.close)
            self._index.catch_up(show)
            self._stack = stack.pop_all()

    def iter_events(self, pairs: Pairs, limit: int) -> Iterator[dict[str, Any]]:
        cursor = ""
        while limit > 0:
            page = [*pairs, ("limit", str(min(limit, PAGE_EVENTS))), *one("cursor", cursor)]
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
    from laneway.web.question.failure import ask_errors
    from laneway.web.question.pulse import ask_pulse
    from laneway.web.question.report import ask_durations, ask_facets, ask_usage
    from laneway.web.question.session import ask_sessions

    return {
        "pulse": ask_pulse,
        "facets": ask_facets,
        "durations": ask_durations,
        "usage": ask_usage,
        "sessions": ask_sessions,
        "errors": ask_errors,
    }
