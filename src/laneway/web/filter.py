"""The query string of the reading routes as a `Query`, and the same table as OpenAPI parameters."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from laneway.base.clock import NS_PER_S, now_ns
from laneway.base.errors import QueryError, quote
from laneway.base.limits import PAGE_EVENTS
from laneway.base.settings import FALSE_WORDS, TRUE_WORDS, parse_duration_s
from laneway.model.moment import parse_timestamp_ns
from laneway.model.vocabulary import LEVEL_RANK, LEVELS
from laneway.store.api import Cursor, Query
from laneway.store.query import field
from laneway.store.query.expr import (
    Compare,
    Expr,
    Has,
    all_of,
    is_one_of,
    negate,
    resolve,
    take_window,
)
from laneway.store.query.parse import QUERY_CHARS
from laneway.store.query.parse import parse as parse_query
from laneway.web.openapi import Parameter, Schema, query_parameter
from laneway.web.schema import COUNT

VALUES = 100
"""Values of one filter; more make a statement that takes longer to plan than to run."""

PAGE_SIZE = 200
"""Events where no limit is given."""

MANY = {
    "agent": (field.AGENT, Parameter("Only this agent.", "planner")),
    "-agent": (field.AGENT, Parameter("Without this agent.", "coder")),
    "event": (field.EVENT, Parameter("Only this type of event.", "tool_invocation")),
    "-event": (field.EVENT, Parameter("Without this type of event.", "log")),
    "session": (field.SESSION, Parameter("Only this session.", "s1")),
    "tool": (field.TOOL, Parameter("Only this tool.", "search_files")),
    "level": (field.LEVEL, Parameter("Only this level.", "error", {"enum": list(LEVELS)})),
    "trace": (field.TRACE, Parameter("Only this trace id.", "4bf92f3577b34da6a3ce929d0e0e4736")),
    "span": (field.SPAN, Parameter("Only this span id.", "00f067aa0ba902b7")),
    "pod": (field.POD, Parameter("Only this pod.", "agents-7d9f")),
}
"""By name: the field whose value it is, taken as it stands. All are repeatable."""

ONE = {
    "q": Parameter(
        "The query language of docs/query.md; further parameters must hold besides.",
        "agent:planner level>=warning -event:log",
        {
            "type": "string",
            "maxLength": QUERY_CHARS,
            "examples": [
                'timeout "connection refused" deploy*',
                "agent:(planner,coder) tool:search* -event:log",
                "duration_ms>500 input_tokens>=1000",
                "has:error since:15m",
                '~"onnection ref" OR /time.?out/i',
                "attr.http.status:500..599",
            ],
        },
    ),
    "error": Parameter(
        "`true`: only events that failed; `false`: only those that did not.",
        True,
        {"type": "boolean"},
    ),
    "since": Parameter("From this time on: ISO 8601, Unix, or so long ago (`15m`).", "15m"),
    "until": Parameter("Before this time, in the same forms.", "2026-11-23T18:22:33Z"),
}

LIMIT = {
    "limit": Parameter(
        f"Entries in the answer, 1 to {PAGE_EVENTS}.",
        50,
        {"type": "integer", "minimum": 1, "maximum": PAGE_EVENTS, "default": PAGE_SIZE},
    )
}

PAGE = LIMIT | {
    "order": Parameter(
        "`newest` or `oldest` first.",
        "oldest",
        {"enum": ["newest", "oldest"], "default": "newest"},
    ),
    "cursor": Parameter("`next` of the page before.", "187ac5a1b2c3.411"),
}

SEQS = {
    "from": Parameter("Only events with this number or a higher one.", 1, COUNT),
    "to": Parameter("Only events before this number.", 1042, COUNT),
    "cursor": PAGE["cursor"],
}

STEP = {"step": Parameter("Length of a bucket, such as `1s` or `1m`.", "1m")}

Table = dict[str, Parameter]


@dataclass(frozen=True, slots=True)
class Given:
    """A request's parameters: those with one value, and those with several."""

    one: dict[str, str]
    many: dict[str, tuple[str, ...]]


def parse(items: Iterable[tuple[str, str]], *more: Table) -> Given:
    """Sort a query string's pairs. ``more``: parameters besides the filters.

    Raises:
        QueryError: a name that no filter has, a second value where one is wanted, or too many.
    """
    single = {name for table in (ONE, *more) for name in table}
    one: dict[str, str] = {}
    many: dict[str, list[str]] = {}
    for name, value in items:
        if name in MANY:
            many.setdefault(name, []).append(value)
        elif name not in single:
            raise _unknown(name, [*MANY, *single])
        elif name in one:
            raise QueryError(f"{name}: given twice, and takes one value")
        else:
            one[name] = value
    for name, values in many.items():
        if len(values) > VALUES:
            raise QueryError(f"{name}: {len(values)} values, at most {VALUES} are taken")
    return Given(one, {name: tuple(filter(None, values)) for name, values in many.items()})


def to_query(given: Given, time_ns: int = 0) -> Query:
    """The filters as the index takes them.

    Raises:
        QueryError: a value cannot be read.
    """
    time_ns = time_ns or now_ns()
    one = given.one
    where, window = take_window(to_expr(given, time_ns))
    return Query(
        where,
        since_ns=_latest(window.since_ns, _time_ns(one, "since", time_ns)),
        until_ns=_earliest(window.until_ns, _time_ns(one, "until", time_ns)),
        limit=parse_count("limit", one.get("limit", ""), PAGE_SIZE, PAGE_EVENTS),
        newest_first=_is_newest_first(one.get("order", "")),
        after=parse_cursor(one["cursor"]) if one.get("cursor") else None,
    )


def to_expr(given: Given, time_ns: int = 0) -> Expr:
    """``q`` and the filters, but not the times.

    Raises:
        QueryError: a value cannot be read.
    """
    time_ns = time_ns or now_ns()
    parts = [parse_q(given, time_ns)]
    for name, values in given.many.items():
        condition = is_one_of(MANY[name][0], map(_check_level if name == "level" else str, values))
        parts.append(negate(condition) if name[0] == "-" and values else condition)
    failed = _flag(given.one, "error")
    if failed is not None:
        parts.append(Has(field.ERROR) if failed else negate(Has(field.ERROR)))
    return resolve(all_of(parts), time_ns)


def parse_q(given: Given, time_ns: int = 0) -> Expr:
    """``q`` alone, its times as it has them.

    Raises:
        QueryError: it cannot be read; with the column.
    """
    return parse_query(given.one.get("q", ""), time_ns=time_ns)


def format_cursor(cursor: Cursor) -> str:
    return f"{cursor.ts_ns:x}.{cursor.seq:x}"


def parse_cursor(text: str) -> Cursor:
    try:
        ts_ns, seq = text.split(".")
        cursor = Cursor(int(ts_ns, 16), int(seq, 16))
    except ValueError:
        raise QueryError(f"cursor: {quote(text)} is not the `next` of a page") from None
    if max(abs(cursor.ts_ns), abs(cursor.seq)) >= 2**63:
        raise QueryError(f"cursor: {quote(text)} is not the `next` of a page")
    return cursor


def parse_seq(text: str) -> int:
    """The number in ``@17``."""
    digits = text[1:]
    if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
        raise QueryError(f"{quote(text)} is not @ and a number")
    return int(digits)


def to_bounds(given: Given) -> Expr:
    """``from`` and ``to`` of `SEQS`; an absent one is no bound.

    Raises:
        QueryError: one is no number.
    """
    since, until = (parse_number(given.one, name) for name in ("from", "to"))
    parts: list[Expr] = []
    if since is not None:
        parts.append(Compare(field.SEQ, ">=", since))
    if until is not None:
        parts.append(Compare(field.SEQ, "<", until))
    return all_of(parts)


def parse_number(parameters: Mapping[str, str], name: str) -> int | None:
    """The whole number named so, or None where it is absent or empty.

    Raises:
        QueryError: it is no number from 0 up, or one that no seq can be.
    """
    text = parameters.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise QueryError(f"{name}: {quote(text)} is not a whole number from 0 up")
    return int(text)


def parse_step_ns(text: str) -> int:
    try:
        step_ns = int(parse_duration_s(text) * NS_PER_S)
    except (ValueError, OverflowError):
        step_ns = 0
    if not NS_PER_S // 1000 <= step_ns <= 366 * 86_400 * NS_PER_S:
        raise QueryError(f"step: {quote(text)} is not a length such as 1s, 1m or 1h")
    return step_ns


def parameters(*more: Table) -> list[Schema]:
    """The parameters for a route's OpenAPI entry: every filter, and ``more``."""
    many = [
        query_parameter(name, parameter, is_repeatable=True)
        for name, (_, parameter) in MANY.items()
    ]
    one = [
        query_parameter(name, parameter)
        for table in (ONE, *more)
        for name, parameter in table.items()
    ]
    return many + one


def _latest(*times: int | None) -> int | None:
    return max((time for time in times if time is not None), default=None)


def _earliest(*times: int | None) -> int | None:
    return min((time for time in times if time is not None), default=None)


def _check_level(level: str) -> str:
    if level not in LEVEL_RANK:
        raise QueryError(f"level: {quote(level)} is not one of {', '.join(LEVELS)}")
    return level


def _flag(one: dict[str, str], name: str) -> bool | None:
    text = one.get(name, "").lower()
    if not text:
        return None
    if text not in TRUE_WORDS | FALSE_WORDS:
        raise QueryError(f"{name}: {quote(text)} is not true or false")
    return text in TRUE_WORDS


def _time_ns(one: dict[str, str], name: str, time_ns: int) -> int | None:
    text = one.get(name, "").strip()
    if not text:
        return None
    try:
        if text[-1] in "smhdw" and not text[:-1].endswith("-"):
            return time_ns - int(parse_duration_s(text) * NS_PER_S)
        return _index_time(parse_timestamp_ns(text))
    except (ValueError, OverflowError):
        raise QueryError(
            f"{name}: {quote(text)} is not ISO 8601, a Unix time, or a duration such as 15m"
        ) from None


def _index_time(ts_ns: int) -> int:
    """Times that the index cannot hold stand for its first and last."""
    return max(-(2**63), min(ts_ns, 2**63 - 1))


def parse_count(name: str, text: str, default: int, most: int, *, least: int = 1) -> int:
    """The number that a parameter gives, ``default`` where it is empty.

    Raises:
        QueryError: it is none from ``least`` to ``most``.
    """
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 9 and least <= int(text) <= most):
        raise QueryError(f"{name}: {quote(text)} is not from {least} to {most}")
    return int(text)


def _is_newest_first(text: str) -> bool:
    if text not in ("", "newest", "oldest"):
        raise QueryError(f"order: {quote(text)} is not newest or oldest")
    return text != "oldest"


def _unknown(name: str, names: list[str]) -> QueryError:
    near = get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
    return QueryError(f"there is no parameter {quote(name)}", hint=hint)
