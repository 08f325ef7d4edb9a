"""The tables: on one server, or on each node of a cluster behind ``Distributed`` tables.

``event`` is cut by days and lies in the order of pod, agent and time. ``ident`` finds ids and ``minute``
holds counts; ClickHouse fills both from what is inserted into ``event``. ``segment`` is the record of what
was committed, and ``meta`` names the index.
"""

from collections.abc import Iterator
from typing import NamedTuple

from .client import Address

WINDOW_INSERTS = 1_000
"""Insertions whose token is remembered: a repeat within them is dropped by the server."""

TEXT_INDEX_VERSION = (26, 2)
"""The first release whose text index is no experiment. Older servers get a bloom filter of words."""

_NAME = "LowCardinality({}) CODEC(ZSTD(1))"
_COLUMNS = f"""
    seq Int64 CODEC(Delta, ZSTD(1)), ts_ns Int64 CODEC(Delta, ZSTD(1)), day Date CODEC(ZSTD(1)),
    segment {_NAME.format("String")}, offset Int64 CODEC(T64, ZSTD(1)), length Int64 CODEC(T64, ZSTD(1)),
    agent {_NAME.format("String")}, event {_NAME.format("String")},
    session_id Nullable(String) CODEC(ZSTD(1)), tool {_NAME.format("Nullable(String)")},
    parent_agent {_NAME.format("Nullable(String)")}, pod {_NAME.format("Nullable(String)")},
    host {_NAME.format("Nullable(String)")}, role {_NAME.format("Nullable(String)")},
    model {_NAME.format("Nullable(String)")}, provider {_NAME.format("Nullable(String)")},
    trace_id Nullable(String) CODEC(ZSTD(1)), span_id Nullable(String) CODEC(ZSTD(1)),
    parent_span_id Nullable(String) CODEC(ZSTD(1)), id String CODEC(ZSTD(1)),
    level {_NAME.format("String")}, failed UInt8 CODEC(T64, ZSTD(1)), starts UInt8 CODEC(T64, ZSTD(1)),
    ends UInt8 CODEC(T64, ZSTD(1)), pid Nullable(Int64) CODEC(ZSTD(1)),
    input_tokens Nullable(Int64) CODEC(ZSTD(1)), output_tokens Nullable(Int64) CODEC(ZSTD(1)),
    cache_read_tokens Nullable(Int64) CODEC(ZSTD(1)), cache_write_tokens Nullable(Int64) CODEC(ZSTD(1)),
    duration_ms Nullable(Float64) CODEC(ZSTD(1)), cost_nusd Nullable(Int64) CODEC(ZSTD(1)),
    fields Array(LowCardinality(String)) CODEC(ZSTD(1)),
    text String CODEC(ZSTD(3)), line String CODEC(ZSTD(3))
"""  # fmt: skip
_BLOOMS = """
    INDEX by_session session_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_trace trace_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_span span_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_time ts_ns TYPE minmax GRANULARITY 1,
    INDEX by_seq seq TYPE minmax GRANULARITY 1,
    INDEX by_id id TYPE bloom_filter(0.01) GRANULARITY 1
"""
_WORDS_TEXT = "INDEX words text TYPE text(tokenizer = splitByNonAlpha)"
_WORDS_BLOOM = "INDEX words text TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 1"
_MINUTE = """
    minute DateTime CODEC(Delta, ZSTD(1)), day Date, segment LowCardinality(String),
    pod LowCardinality(Nullable(String)), agent LowCardinality(String), event LowCardinality(String),
    tool LowCardinality(Nullable(String)), level LowCardinality(String), failed UInt8,
    event_count UInt64
"""
_MINUTE_ORDER = "(minute, segment, pod, agent, event, tool, level, failed)"


class Names(NamedTuple):
    """Tables with their database. Questions go to ``event``, ``ident`` and ``minute``; what removes rows
    goes to those that end in ``_local``, which are the same tables where there is no cluster."""

    database: str
    cluster: str

    @property
    def event(self) -> str:
        return f"`{self.database}`.event"

    @property
    def ident(self) -> str:
        return f"`{self.database}`.ident"

    @property
    def minute(self) -> str:
        return f"`{self.database}`.minute"

    @property
    def segment(self) -> str:
        return f"`{self.database}`.segment"

    @property
    def meta(self) -> str:
        return f"`{self.database}`.meta"

    @property
    def on_cluster(self) -> str:
        return f" ON CLUSTER `{self.cluster}`" if self.cluster else ""

    @property
    def everywhere(self) -> str:
        """Before a subquery or a join that each shard must see all of."""
        return "GLOBAL " if self.cluster else ""

    def local(self, table: str) -> str:
        return f"`{self.database}`.{table}_local" if self.cluster else f"`{self.database}`.{table}"


def iter_statements(address: Address, version: tuple[int, ...]) -> Iterator[str]:
    """What makes the tables where they are missing, in order."""
    names = Names(address.database, address.cluster)
    yield f"CREATE DATABASE IF NOT EXISTS `{address.database}`{names.on_cluster}"
    words = _WORDS_TEXT if version >= TEXT_INDEX_VERSION else _WORDS_BLOOM
    keep = f" TTL day + toIntervalDay({address.ttl_days})" if address.ttl_days else ""
    yield (
        f"CREATE TABLE IF NOT EXISTS {names.local('event')}{names.on_cluster}"
        f" ({_COLUMNS}, {_BLOOMS}, {words})"
        f" ENGINE = {_engine(names, 'event')} PARTITION BY day ORDER BY (pod, agent, ts_ns, seq){keep}"
        f" SETTINGS allow_nullable_key = 1{_window(names)}"
    )
    yield (
        f"CREATE TABLE IF NOT EXISTS {names.local('ident')}{names.on_cluster}"
        " (id String CODEC(ZSTD(1)), seq Int64, day Date, segment LowCardinality(String))"
        f" ENGINE = {_engine(names, 'ident')} ORDER BY id{keep}"
        f" SETTINGS index_granularity = 8192{_window(names)}"
    )
    yield (
        f"CREATE TABLE IF NOT EXISTS {names.local('minute')}{names.on_cluster} ({_MINUTE})"
        f" ENGINE = {_engine(names, 'minute', 'SummingMergeTree', 'event_count')} PARTITION BY toYYYYMM(day)"
        f" ORDER BY {_MINUTE_ORDER}{keep} SETTINGS allow_nullable_key = 1{_window(names)}"
    )
    database = f"`{address.database}`"
    yield (
        f"CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.event_to_ident{names.on_cluster} TO"  # noqa: S608 - names that were checked
        f" {names.local('ident')} AS SELECT id, seq, day, segment FROM {names.local('event')}"
    )
    yield (
        f"CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.event_to_minute{names.on_cluster} TO"
        f" {names.local('minute')} AS {minute_select(names.local('event'))}"
    )
    if address.cluster:
        for table, key in (("event", "id"), ("ident", "id"), ("minute", "agent")):
            yield (
                f"CREATE TABLE IF NOT EXISTS {database}.{table}{names.on_cluster} AS {names.local(table)}"
                f" ENGINE = Distributed(`{address.cluster}`, {database}, {table}_local, cityHash64({key}))"
            )
    yield (
        f"CREATE TABLE IF NOT EXISTS {names.segment}{names.on_cluster} (key String, segment String,"
        " fingerprint String,"
        " indexed_bytes Int64, event_count Int64, first_ns Int64, last_ns Int64, last_seq Int64,"
        " reached_seq Int64, gone UInt8, version Int64)"
        f" ENGINE = {_register(names, 'segment')} ORDER BY key"
    )
    yield (
        f"CREATE TABLE IF NOT EXISTS {names.meta}{names.on_cluster}"
        f" (name String, value String, version Int64) ENGINE = {_register(names, 'meta')} ORDER BY name"
    )


def minute_select(source: str) -> str:
    """Rows of ``minute`` from those of ``source``; times outside of what a DateTime holds are left out."""
    return (
        "SELECT toDateTime(intDiv(ts_ns, 60000000000) * 60, 'UTC') AS minute, day, segment, pod,"  # noqa: S608 - a name that was checked
        f" agent, event, tool, level, failed, count() AS event_count FROM {source}"
        " WHERE day BETWEEN toDate(10957) AND toDate(47482)"
        " GROUP BY minute, day, segment, pod, agent, event, tool, level, failed"
    )


def _engine(names: Names, table: str, kind: str = "MergeTree", column: str = "") -> str:
    if not names.cluster:
        return f"{kind}({column})"
    return _replicated(names, table, kind, column, "{shard}", "{replica}")


def _register(names: Names, table: str) -> str:
    """A small table of which each node has all rows, whatever its shard."""
    kind = "ReplacingMergeTree"
    if not names.cluster:
        return f"{kind}(version)"
    return _replicated(names, table, kind, "version", "all", "{shard}-{replica}")


def _replicated(names: Names, table: str, kind: str, column: str, shard: str, replica: str) -> str:
    path = f"'/clickhouse/tables/{names.database}/{table}/{shard}', '{replica}'"
    return f"Replicated{kind}({path}{f', {column}' if column else ''})"


def _window(names: Names) -> str:
    """A replicated table remembers insertions by itself."""
    return "" if names.cluster else f", non_replicated_deduplication_window = {WINDOW_INSERTS}"
