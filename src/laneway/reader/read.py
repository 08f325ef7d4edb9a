"""``laneway.read``: past events in a program or a notebook."""

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from laneway.base.errors import LanewayError, QueryError, SettingError
from laneway.base.settings import Settings, resolve

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

    from laneway.reader.source import Pairs, Source

EVERYTHING = 2**62


class Events:
    """The events that a query finds. Each ``for`` asks anew, page by page, so that memory stays bounded;
    a data frame holds all of them."""

    def __init__(self, settings: Settings, pairs: "Pairs", limit: int) -> None:
        self._settings = settings
        self._pairs = pairs
        self._limit = limit

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Each as the log has it, with its ``seq``. What cannot be in the answer is a warning.

        Raises:
            LanewayError: the query cannot be read, or nobody answers.
        """
        problems: list[str] = []
        with closing(_open(self._settings, problems.append)) as source:
            for problem in problems:
                warnings.warn(problem, stacklevel=2)
            yield from source.iter_events(self._pairs, self._limit)

    def __repr__(self) -> str:
        told = " ".join(f"{name}={value!r}" for name, value in self._pairs)
        return f"<laneway events {told}>"

    def to_pandas(self) -> "pandas.DataFrame":
        """A row for each event; ``timestamp`` in UTC. Payloads that are no text stand as JSON.

        Raises:
            LanewayError: as for the iteration, or pandas is not installed.
        """
        pd = _load("pandas")
        columns = self._columns()
        frame = pd.DataFrame(columns)
        if "timestamp" in columns:
            frame["timestamp"] = pd.to_datetime(frame["timestamp"], utc=True, format="ISO8601")
        return frame

    def to_polars(self) -> "polars.DataFrame":
        """The same for polars.

        Raises:
            LanewayError: as for the iteration, or polars is not installed.
        """
        pl = _load("polars")
        columns = self._columns()
        frame = pl.DataFrame(columns)
        if "timestamp" in columns:
            moment = pl.col("timestamp").str.to_datetime(time_unit="us", time_zone="UTC")
            frame = frame.with_columns(moment)
        return frame  # type: ignore[no-any-return]

    def to_arrow(self) -> "pyarrow.Table":
        """The same for Arrow.

        Raises:
            LanewayError: as for the iteration, or pyarrow is not installed.
        """
        pa = _load("pyarrow")
        columns = self._columns()
        table = pa.table(columns)
        if "timestamp" in columns:
            place = table.schema.get_field_index("timestamp")
            moments = table["timestamp"].cast(pa.timestamp("us", tz="UTC"))
            table = table.set_column(place, "timestamp", moments)
        return table

    def _columns(self) -> dict[str, list[Any]]:
        from laneway.reader.frame import to_columns

        return to_columns(map(_with_plain_time, self))


def read(
    query: str = "",
    *,
    order: Literal["oldest", "newest"] = "oldest",
    limit: int | None = None,
    log_path: object = None,
    logging_url: str | None = None,
    token: str | None = None,
) -> Events:
    """Past events that ``query`` finds (docs/query.md), in order of time; nothing is asked until they are
    wanted.

    They come from the hub at ``logging_url``, or from the log at ``log_path`` through its hub or its
    index; without either from where this process' own events go.

        for event in laneway.read("agent:coder level>=error since:1d"): ...
        laneway.read("event:llm_response since:7d").to_pandas().groupby("model").cost_usd.sum()

    Raises:
        SettingError: a setting cannot be read.
    """
    given = {"log_path": log_path, "logging_url": logging_url, "token": token}
    given = {name: value for name, value in given.items() if value is not None}
    settings = resolve({**_configured(), **given})
    if log_path is not None and logging_url is None:
        settings.logging_url = ""
    if order not in ("oldest", "newest"):
        raise QueryError(f"order: {order!r} is not oldest or newest")
    pairs = [("q", query), ("order", order)]
    return Events(settings, pairs, EVERYTHING if limit is None else limit)


def _configured() -> dict[str, object]:
    """What `laneway.configure` was given in this process."""
    recorder = sys.modules.get("laneway.sdk.recorder")
    return recorder.shared.given if recorder else {}


def _open(settings: Settings, on_problem: Callable[[str], None]) -> "Source":
    try:
        from laneway.reader.source import open_named

        return open_named(settings, on_problem)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "laneway":
            raise
        raise SettingError(
            f"laneway.read needs {error.name}, which is not installed",
            hint='pip install "laneway[hub]"',
        ) from None


def _load(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise LanewayError(
            f"this needs {name}, which is not installed", hint=f"pip install {name}"
        ) from error


def _with_plain_time(event: dict[str, Any]) -> dict[str, Any]:
    """``timestamp`` in the one form of the schema; a foreign line may have had any other."""
    from laneway.base.clock import format_ns
    from laneway.model.moment import parse_timestamp_ns

    try:
        return {**event, "timestamp": format_ns(parse_timestamp_ns(event["timestamp"]))}
    except (KeyError, ValueError, OverflowError):
        return {**event, "timestamp": None}
