"""Where answers come from: the running hub, or the index itself, by the same code."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple, Protocol
from urllib.parse import quote

from laneway.base.errors import LanewayError
from laneway.base.limits import PAGE_EVENTS
from laneway.base.settings import Settings
from laneway.base.words import number_of
from laneway.reader.client import Client, read_address

Pairs = Sequence[tuple[str, str]]
"""Filters as the query string of ``/api/events`` has them."""

Asked = Literal["pulse", "facets", "durations", "usage", "sessions", "errors"]

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
    is_default = settings.origin["log_path"] == "default"
    is_ours = bool(read_address(settings)) or (is_default and client.has_token())
    if is_ours and (health := client.try_health()):
        if unreadable := health["log"].get("unreadable"):
            on_problem(tell_missing(number_of(unreadable, "log file"), "the hub"))
        return HubSource(client)
    from laneway.reader.local import IndexSource  # with it comes all that an index is made of

    return IndexSource(settings, show, on_problem)


class Found(NamedTuple):
    """``is_complete`` is False where the time was over before everything was looked at; ``next`` is
    the cursor of the page that follows, or ``""``."""

    events: list[dict[str, Any]]
    is_complete: bool
    next: str = ""


def tell_missing(files: str, reader: str) -> str:
    """That an answer is without some files."""
    return f"not in the answer: {files}, which {reader} may not read; `laneway doctor` tells more"


def tell_unreadable(names: Sequence[str]) -> str:
    """`tell_missing` of log files, one at least, that whoever asks may not read."""
    more = f" and {len(names) - 1} more" if names[1:] else ""
    return tell_missing(names[0] + more, "you")


def open_named(settings: Settings, on_problem: Callable[[str], None] = ignore) -> "Source":
    """The hub to which events are sent (``logging_url``), if they are sent; else as `open_source`.

    Raises:
        HubError, LogError, SettingError, StoreError: nobody answers.
    """
    if settings.logging_url:
        return HubSource(Client.at(settings, settings.logging_url))
    return open_source(settings, on_problem=on_problem)


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
            answer = self._client.get("/api/events", [*page, *one("cursor", cursor)])
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


def one(name: str, value: str) -> list[tuple[str, str]]:
    return [(name, value)] if value else []
