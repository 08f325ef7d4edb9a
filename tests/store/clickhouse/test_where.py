"""What a query becomes in ClickHouse's language: no value of it stands in the statement."""

import re

import pytest
from hypothesis import given, settings

from laneway.base.errors import QueryError
from laneway.store.api import Query
from laneway.store.clickhouse.row import day_of
from laneway.store.clickhouse.schema import Names
from laneway.store.clickhouse.search import Search
from laneway.store.clickhouse.where import Binder, compile_where, plain
from laneway.store.query.expr import Compare, Equal, Fragment, Glob, Phrase, Regex, Text, Value
from laneway.store.query.field import AGENT, Field
from laneway.store.query.parse import parse
from tests.store.expressions import EXPRESSIONS

NAMES = Names("laneway", "")
HOSTILE = "x') OR 1=1; DROP TABLE event; -- {p0:String} \\' \0"


@pytest.mark.parametrize(
    "where",
    [
        Value(AGENT, (Equal(HOSTILE),)),
        Value(AGENT, (Glob(f"{HOSTILE}*"),)),
        Value(AGENT, (Fragment(HOSTILE),)),
        Value(Field("", (HOSTILE,)), (Equal(HOSTILE),)),
        Value(Field("input", (HOSTILE, "b")), (Equal(HOSTILE),)),
        Value(Field("content"), (Phrase(HOSTILE), Fragment(HOSTILE))),
        Text(Phrase(HOSTILE)),
        Text(Fragment(HOSTILE)),
        Text(Regex("DROP TABLE")),
        Compare(Field("", (HOSTILE,)), ">", 3),
    ],
)
def test_what_a_stranger_writes_is_a_parameter_and_never_part_of_the_statement(
    where: object,
) -> None:
    search = Search(Query(where), NAMES, 7, {})  # type: ignore[arg-type]
    sql = search.select("seq").lower()
    assert not any(sign in sql for sign in ("drop", "1=1", "--", ";", "\\", "\0"))


@settings(max_examples=200, deadline=None)
@given(where=EXPRESSIONS)
def test_every_place_in_the_statement_has_its_parameter(where: object) -> None:
    binder = Binder()
    sql = compile_where(plain(where), binder, NAMES, "1").sql  # type: ignore[arg-type]
    assert set(re.findall(r"\{(p\d+):", sql)) <= set(binder.values)


@pytest.mark.parametrize(
    ("text", "is_exact"),
    [
        ("agent:a -tool:b level:>=warning", True),
        ("quick brown", True),
        ("agent:pl*", True),
        ("is:open duration:>2s", True),
        ('~"fragment"', False),
        ("attr.http.status:200", False),
        ("-attr.a:b", False),
        ("content:word", False),
    ],
)
def test_what_the_server_cannot_tell_exactly_is_told_apart(text: str, is_exact: bool) -> None:
    assert compile_where(plain(parse(text)), Binder(), NAMES, "1").is_exact is is_exact


def test_too_many_values_are_refused() -> None:
    with pytest.raises(QueryError, match="at most 10000"):
        plain(Value(AGENT, tuple(Equal(str(i)) for i in range(10_001))))


def test_on_a_cluster_a_subquery_is_asked_of_all_shards() -> None:
    sql = compile_where(plain(parse("is:open")), Binder(), Names("l", "c"), "1").sql
    assert "GLOBAL NOT IN" in sql


def test_senseless_times_share_two_partitions_and_days_never_fall() -> None:
    day_ns = 86_400 * 10**9
    times = [
        -(2**63),
        -1,
        0,
        10_956 * day_ns,
        10_957 * day_ns,
        20_000 * day_ns,
        47_483 * day_ns,
        2**63 - 1,
    ]
    days = [day_of(ts_ns) for ts_ns in times]
    assert days == [0, 0, 0, 0, 10_957, 20_000, 47_483, 47_483]
