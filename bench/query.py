"""Questions to the index beside one SQLite file without segments and DuckDB, over the same JSONL, in one run.

    python -m bench.query [EVENTS] [realistic] [seal] [build] [alone]

1,000,000 events of about 600 bytes by 40 agents. Their texts are words drawn at random, or with
``realistic`` those of `bench.realistic`. Log and databases are made once and kept in
``/tmp/laneway-bench-EVENTS`` (``LANEWAY_BENCH_DIR`` names another place), and a hub takes them over;
``build`` only makes them; ``seal`` compresses all segments but the newest and compacts their indexes,
as the hub does with them; ``alone`` asks whichever databases are there, and makes none. Everything is
asked warm and one at a time; ``cpu`` is processor time, and ``anew`` the p50 without the answers of
whole segments that an index remembers. Laneway answers with places in the log, and once with the lines
themselves; the peers hold the content, and give it with every page. DuckDB is left out where it is
not installed. The goals are those for 10 million events on two quiet cores.
"""

import gc
import importlib
import itertools
import json
import os
import random
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from bench import realistic
from bench.index import make_words
from bench.process import cpu_s
from bench.table import machine, middle, quantile, show, sized, tell
from laneway.base.clock import NS_PER_MS, NS_PER_S, format_ns
from laneway.base.ids import new_event_id, new_span_id, new_trace_id
from laneway.base.settings import resolve
from laneway.hub.archive import Archive, EventReader
from laneway.hub.chore import compact_index
from laneway.hub.hub import reindex
from laneway.hub.line import LineReader
from laneway.log.compress import compress
from laneway.log.read import Reader
from laneway.log.segment import LogPath
from laneway.log.whole import iter_all_lines, open_whole
from laneway.model.redact import Redactor
from laneway.store.api import Query, Split, keep_on
from laneway.store.query.parse import parse
from laneway.store.sqlite.store import SqliteStore

EVENTS = sized(1_000_000, 20_000)
SEGMENT_EVENTS = 350_000
"""A log file of 256 MiB."""

START_NS = 1_790_000_000 * NS_PER_S
GAP_NS = 20 * NS_PER_MS
SESSION_EVENTS, SESSIONS_AT_A_TIME = 5_000, 10
CONTENTS = 20_000
ROUNDS = 30
PATIENCE_S = sized(4.0, 0.1)
"""For one question and engine; a slow one gets fewer rounds."""

LEAST_ROUNDS = 3
MINUTE_NS, HOUR_NS = 60 * NS_PER_S, 3_600 * NS_PER_S
KINDS = ("user_message", "agent_response", "llm_request", "llm_response", "tool_invocation",
         "tool_result", "decision", "log", "error")  # fmt: skip

PLAIN = """
CREATE TABLE event (seq INTEGER PRIMARY KEY, ts INTEGER, agent TEXT, event TEXT, session TEXT, tool TEXT,
    level TEXT, model TEXT, duration_ms REAL, has_error INTEGER, content TEXT);
CREATE VIRTUAL TABLE text USING fts5(content, content='event', content_rowid='seq');
"""
PLAIN_INDEXES = """
CREATE INDEX by_ts ON event (ts);
CREATE INDEX by_agent ON event (agent, ts);
CREATE INDEX by_event ON event (event, ts);
CREATE INDEX by_session ON event (session, ts);
CREATE INDEX by_tool ON event (tool, duration_ms);
INSERT INTO text (text) VALUES ('rebuild');
ANALYZE;
"""


class Question(NamedTuple):
    """``sql`` is for SQLite; for DuckDB where no other one is given."""

    name: str
    goal_ms: float
    ask: Callable[[], object]
    sql: str = ""
    duck: str = ""


Source = Callable[[int], Iterator[tuple[int, dict[str, Any]]]]
"""So many events, each with its time."""


def iter_events(count: int) -> Iterator[tuple[int, dict[str, Any]]]:
    rng = random.Random(7)
    words = make_words(rng)
    contents = [words(rng.randint(30, 70)) for _ in range(CONTENTS)]
    trace, span = new_trace_id(), new_span_id()
    for i in range(count):
        ts_ns = START_NS + i * GAP_NS + rng.randrange(GAP_NS)
        if i % 12 == 0:
            trace = new_trace_id()
        if i % 2 == 0:
            span = new_span_id()
        agent, kind = int(rng.paretovariate(1)) % 40, KINDS[rng.randrange(9)]
        block = i // (SESSION_EVENTS * SESSIONS_AT_A_TIME)
        event: dict[str, Any] = {
            "timestamp": format_ns(ts_ns),
            "agent": f"agent-{agent}",
            "event": kind,
            "id": new_event_id(ts_ns),
            "session_id": f"session-{block * SESSIONS_AT_A_TIME + i % SESSIONS_AT_A_TIME}",
            "trace_id": trace,
            "span_id": span,
            "content": contents[rng.randrange(CONTENTS)],
            "host": "workstation",
        }
        if kind.startswith("tool"):
            event["tool"] = f"tool_{rng.randrange(20)}"
        if kind in ("tool_result", "llm_response"):
            event["duration_ms"] = round(rng.lognormvariate(5, 1.5), 3)
        if kind.startswith("llm"):
            event |= {"model": f"local-{agent % 4}", "provider": "ollama"}
        if kind == "llm_response":
            event |= {
                "input_tokens": rng.randrange(9_000),
                "output_tokens": 300,
                "cost_usd": 0.0012,
            }
        if rng.random() < 0.05:
            event["level"] = "error" if rng.random() < 0.3 else "warning"
        if i == count // 3:
            event |= {"content": "xylograph zeppelin", "agent": "recluse"}
        yield ts_ns, event


def build(home: Path, count: int, iter_source: Source) -> None:
    """What is missing of log, index and peers."""
    if not (home / "log").is_dir():
        write_log(home, count, iter_source)
    if not (home / "index").is_dir():
        before_s = cpu_s()
        fill_index(home)
        print(f"index: {count / (cpu_s() - before_s):,.0f} events per CPU second")
    if not (home / "plain.db").exists():
        fill_plain(home)
    duckdb = try_duckdb()
    if duckdb and not (home / "duck.db").exists():
        fill_duck(duckdb, home)


def write_log(home: Path, count: int, iter_source: Source = iter_events) -> None:
    target = home / "log.new"
    target.mkdir(parents=True, exist_ok=True)
    events = iter_source(count)
    for number in itertools.count(1):
        part = list(itertools.islice(events, SEGMENT_EVENTS))
        if not part:
            break
        with open(target / f"events-{number:06d}.jsonl", "wb") as file:
            file.writelines(orjson.dumps(event) + b"\n" for _, event in part)
    target.rename(home / "log")


def iter_events_of(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """As `Source` gives them, of one file of the log, compressed or not."""
    with open_whole(str(path)) as text:
        for _, line in iter_all_lines(text):
            event = orjson.loads(line)
            ts_ns = int(event["id"].replace("-", "")[:12], 16) * NS_PER_MS
            yield ts_ns + int(event["timestamp"][23:26]) * 1_000, event  # the id holds milliseconds


def fill_index(home: Path) -> None:
    """As ``laneway reindex`` does it, so that a hub takes it over."""
    place = {"home": f"{home}/home", "log_path": f"{home}/log", "index_path": f"{home}/index.new"}
    reindex(resolve(place, env={}), lambda events, left_bytes: None)
    (home / "index.new").rename(home / "index")


def seal(home: Path) -> None:
    """As the hub leaves all segments but the newest: compressed, and their indexes compact."""
    log = str(home / "log")
    segments = sorted(name for name in os.listdir(log) if name.endswith(".jsonl"))[:-1]
    for segment in segments:
        if not compress(log, segment):
            raise RuntimeError(f"{segment} could not be compressed")
    store = SqliteStore(home / "index")
    for state in store.segments()[:-1]:
        if database := store.compactable(state.segment):
            digest = compact_index(database, f"{database}.new")
            store.adopt(state.segment, f"{database}.new", digest)
    store.close()


def fill_plain(home: Path) -> None:
    connection = sqlite3.connect(home / "plain.new")
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.executescript(PLAIN)
    seqs = itertools.count(1)
    connection.executemany(
        f"INSERT INTO event VALUES ({', '.join('?' * 11)})",
        (
            (next(seqs), ts_ns, e["agent"], e["event"], e["session_id"], e.get("tool"),
             e.get("level"), e.get("model"), e.get("duration_ms"),
             int(e["event"] == "error" or e.get("level") == "error"), e.get("content"))
            for path in sorted((home / "log").glob("*.jsonl*"))
            for ts_ns, e in iter_events_of(path)
        ),
    )  # fmt: skip
    connection.executescript(PLAIN_INDEXES)
    connection.commit()
    connection.close()
    (home / "plain.new").rename(home / "plain.db")


def fill_duck(duckdb: Any, home: Path) -> None:
    connection = duckdb.connect(str(home / "duck.new"))
    connection.execute(
        "CREATE TABLE event AS SELECT row_number() OVER () AS seq,"
        " CAST(epoch_us(CAST(timestamp AS TIMESTAMP)) AS BIGINT) * 1000 AS ts, agent, event,"
        " session_id AS session, tool, level, model, CAST(duration_ms AS DOUBLE) AS duration_ms,"
        " CAST(event = 'error' OR coalesce(level, '') = 'error' AS INTEGER) AS has_error, content"
        f" FROM read_json('{home}/log/*.jsonl*', format = 'newline_delimited')"
    )
    connection.close()
    (home / "duck.new").rename(home / "duck.db")


def try_duckdb() -> Any:
    try:
        return importlib.import_module("duckdb")
    except ImportError:
        return None


def questions(store: SqliteStore, archive: Archive, count: int) -> list[Question]:
    middle_ns, end_ns = START_NS + count // 2 * GAP_NS, START_NS + count * GAP_NS
    block = count // (2 * SESSION_EVENTS * SESSIONS_AT_A_TIME)
    session = f"session-{block * SESSIONS_AT_A_TIME + 3}"
    page = "SELECT seq, ts, content FROM event"
    rest = "ORDER BY ts DESC LIMIT 200"
    step_ns = step_of(count)
    odd = Query(since_ns=START_NS + 1_234_567_891, until_ns=end_ns - 987_654_321)

    def find(query: Query) -> Callable[[], object]:
        return lambda: store.find(query)

    def pulse(query: Query, step: int, *by: Any) -> Callable[[], object]:
        return lambda: store.aggregate(query, Split(by, step))

    def text(words: str, phrase: str = "") -> tuple[str, str]:
        return (
            f"{page} WHERE seq IN (SELECT rowid FROM text WHERE text MATCH '{phrase or words}') {rest}",
            f"{page} WHERE content ILIKE '%{words}%' {rest}",
        )

    def counts(where: str, step: int) -> str:
        return f"SELECT ts // {step} AS t, count(*), sum(has_error) FROM event {where} GROUP BY t"

    def plain(sql: str) -> str:
        return sql.replace("//", "/")

    every, by_agent = counts("", step_ns), counts("WHERE agent = 'agent-7'", step_ns)
    five = counts(f"WHERE ts >= {middle_ns} AND ts < {middle_ns + 5 * MINUTE_NS}", NS_PER_S)
    facet = "SELECT tool, count(*), sum(has_error) FROM event WHERE tool IS NOT NULL GROUP BY tool"
    return [
        Question("newest 200", 5, find(Query()), f"{page} {rest}"),
        Question("newest 200 with their lines", 0, lambda: archive.page(Query())),
        Question("200 by agent and event", 5, find(q("agent:agent-7 event:error")),
                 f"{page} WHERE agent = 'agent-7' AND event = 'error' {rest}"),
        Question("200 by tool", 5, find(q("tool:tool_3")),
                 f"{page} WHERE tool = 'tool_3' {rest}"),
        Question("200 errors of an agent", 5, find(q("agent:agent-13 has:error")),
                 f"{page} WHERE agent = 'agent-13' AND has_error = 1 {rest}"),
        Question("200 of a rare agent", 5, find(q("agent:recluse")),
                 f"{page} WHERE agent = 'recluse' {rest}"),
        Question("200 by a common word", 5, find(q("tool")), *text("tool")),
        Question("200 by a rare word", 5, find(q("xylograph")), *text("xylograph")),
        Question("200 by an absent word", 5, find(q("qqqqqq")), *text("qqqqqq")),
        Question("200 by a phrase", 20, find(q('"xylograph zeppelin"')),
                 *text("xylograph zeppelin", '"xylograph zeppelin"')),
        Question("200 by a rare fragment", 300, find(q("~ylograp")), "",
                 f"{page} WHERE content ILIKE '%ylograp%' {rest}"),
        Question("200 by a rare regular expression", 300, find(q("/xylo.{3}ph zep+/"))),
        Question("a trace by the beginning of its id", 0, find(q("trace:0a1b2c3d*"))),
        Question("total of a common word", 0,
                 lambda: store.aggregate(q("tool"), Split(patience_s=0.1))),
        Question("pulse of all", 50, pulse(Query(), step_ns), plain(every), every),
        Question("pulse of a ragged window", 50, pulse(odd, step_ns)),
        Question("pulse of an agent", 50, pulse(q("agent:agent-7"), step_ns),
                 plain(by_agent), by_agent),
        Question("pulse of all, by agent", 50, pulse(Query(), step_ns, "agent")),
        Question("pulse of all, by tool", 50, pulse(Query(), step_ns, "tool")),
        Question("pulse of 5 min in 1 s", 50, pulse(
            Query(since_ns=middle_ns, until_ns=middle_ns + 5 * MINUTE_NS), NS_PER_S),
            plain(five), five),
        Question("pulse of 2,500 s in 5 s", 50, pulse(
            Query(since_ns=middle_ns, until_ns=middle_ns + 2_500 * NS_PER_S), 5 * NS_PER_S)),
        Question("facet by tool", 50, lambda: store.aggregate(Query(), Split(("tool",))), facet),
        Question("facet by tool of an agent", 50, lambda: store.aggregate(
            q("agent:agent-7"), Split(("tool",))),
            facet.replace("WHERE", "WHERE agent = 'agent-7' AND")),
        Question("percentiles by tool", 100, lambda: store.aggregate(
            Query(), Split(("tool",), of="duration")),
            "SELECT tool, max(duration_ms) FILTER (WHERE r <= 0.5), max(duration_ms) FILTER (WHERE r <= 0.95)"
            " FROM (SELECT tool, duration_ms, cume_dist() OVER (PARTITION BY tool ORDER BY duration_ms) AS r"
            " FROM event WHERE tool IS NOT NULL AND duration_ms IS NOT NULL) GROUP BY tool",
            "SELECT tool, quantile_cont(duration_ms, [0.5, 0.9, 0.95, 0.99]) FROM event"
            " WHERE tool IS NOT NULL AND duration_ms IS NOT NULL GROUP BY tool"),
        Question("percentiles of an agent's tools", 0, lambda: store.aggregate(
            q("agent:agent-7"), Split(("tool",), of="duration"))),
        Question("tokens by model and day", 50, lambda: store.aggregate(
            Query(), Split(("model",), 24 * HOUR_NS, "usage"))),
        Question("slowest 50", 50, lambda: store.find(Query(slowest_first=True, limit=50)),
                 "SELECT seq, duration_ms FROM event WHERE duration_ms IS NOT NULL"
                 " ORDER BY duration_ms DESC LIMIT 50"),
        Question("a session of 5,000: pointers", 30, lambda: walk(
            store, q(f"session:{session}", newest_first=False, limit=1_000)),
            f"SELECT seq, ts FROM event WHERE session = '{session}' ORDER BY ts"),
        Question("50 newest sessions", 50, lambda: store.groups("session", Query(limit=50)),
                 "SELECT session, count(*), sum(has_error), min(ts), max(ts) FROM event"
                 " GROUP BY session ORDER BY max(ts) DESC LIMIT 50"),
        Question("agents of all", 50, lambda: store.groups("agent", Query())),
    ]  # fmt: skip


def q(text: str, **page: Any) -> Query:
    return Query(parse(text), **page)


def step_of(count: int) -> int:
    """The step of a chart of everything: 15 minutes at 10 million events."""
    minutes = count * GAP_NS // MINUTE_NS // 300 + 1
    return next((n for n in (1, 2, 5, 10, 15, 30) if n >= minutes), 60) * MINUTE_NS


def walk(store: SqliteStore, query: Query) -> int:
    """All pages."""
    met = 0
    while True:
        page = store.find(query)
        met += len(page.hits)
        if page.next is None:
            return met
        query = replace(query, after=page.next)


def measure_ms(ask: Callable[[], object]) -> list[float]:
    ask()
    times: list[float] = []
    until_s = time.perf_counter() + PATIENCE_S
    while len(times) < LEAST_ROUNDS or (len(times) < ROUNDS and time.perf_counter() < until_s):
        started = time.perf_counter()
        ask()
        times.append((time.perf_counter() - started) * 1_000)
    return times


def row_of(
    question: Question, engines: dict[str, Callable[[str], object]], forget: Callable[[], None]
) -> dict[str, object]:
    """``forget``: what Laneway remembers of whole segments; with it each question is a first one."""
    row: dict[str, object] = {"question": question.name, "goal": question.goal_ms or "-"}
    asked: dict[str, Callable[[], object] | None] = {"laneway": question.ask}
    for name, run in engines.items():
        sql = (question.duck or question.sql) if name == "duckdb" else question.sql
        asked[name] = (lambda run=run, sql=sql: run(sql)) if sql else None  # type: ignore[misc]
    for name, ask in asked.items():
        times = measure_ms(ask) if ask else []
        row[f"{name} p50"] = middle(times) if times else "-"
        row[f"{name} p95"] = quantile(times, 0.95) if times else "-"
        if name == "laneway":
            row["cpu"] = measure_cpu_ms(question.ask)
            row["anew"] = middle(measure_ms(lambda: (forget(), question.ask())))
    return row


def tell_slowest(rows: list[dict[str, object]], count: int) -> None:
    """Of each kind of question the one that took longest, and the peers where they were asked the same."""
    kinds = {"newest": ("newest 200", "200 by agent", "200 by tool", "200 errors", "200 of"),
             "word": ("200 by a common", "200 by a rare word", "200 by an absent"),
             "pulse": ("pulse",)}  # fmt: skip
    for kind, beginnings in kinds.items():
        found = [r for r in rows if str(r["question"]).startswith(beginnings) and r["goal"] != "-"]
        slowest = max(found, key=lambda row: float(str(row["laneway p95"])))
        p95 = {name: slowest.get(f"{name} p95", "-") for name in ("sqlite", "duckdb")}
        best = min(((v, k) for k, v in p95.items() if isinstance(v, float)), default=(None, ""))
        ours = float(str(slowest["laneway p95"]))
        peer = f"{best[1]}, {slowest['question']}" if best[1] else ""
        tell(f"query.{kind}_ms", ours, runs=ROUNDS, peer=peer, peer_value=best[0], events=count)


def measure_cpu_ms(ask: Callable[[], object]) -> float:
    """Of one answer, over all threads: what a busy machine does not change much."""
    started = time.process_time()
    for _ in range(LEAST_ROUNDS):
        ask()
    return (time.process_time() - started) * 1_000 / LEAST_ROUNDS


def home_of(count: int, *, is_real: bool) -> Path:
    name = f"/tmp/laneway-bench-{count}{'-realistic' if is_real else ''}"
    return Path(os.environ.get("LANEWAY_BENCH_DIR", name))


def opened(home: Path, step_aside: Callable[[], None] = keep_on) -> tuple[SqliteStore, Archive]:
    reader, lines = Reader(LogPath.parse(str(home / "log"))), LineReader(Redactor())
    store = SqliteStore(
        home / "index",
        query_limit_s=30.0,
        read_event=EventReader(reader, lines),
        read_text=reader.read_text,
        step_aside=step_aside,
    )
    return store, Archive(store, reader, lines)


def main(arguments: Iterable[str]) -> None:
    numbers = [int(text) for text in arguments if text.isdecimal()]
    count = numbers[0] if numbers else EVENTS
    is_real = "realistic" in arguments
    home = home_of(count, is_real=is_real)
    if "alone" not in arguments:
        build(home, count, realistic.iter_events if is_real else iter_events)
    if "seal" in arguments:
        seal(home)
    if "build" in arguments:
        return
    if not (home / "index").is_dir():
        sys.exit(
            f"bench.query: {home} holds no index; leave out `alone` to make one, "
            "or let LANEWAY_BENCH_DIR name another place"
        )
    print(f"{count:,} events, {machine()}, load {os.getloadavg()[0]:.1f}; milliseconds")
    sizes = {name: size_of(home / name) / count for name in ("log", "index", "plain.db", "duck.db")}
    print("bytes an event: " + json.dumps({name: round(size) for name, size in sizes.items()}))
    store, archive = opened(home)
    gc.freeze()  # as the indexer does
    engines: dict[str, Callable[[str], object]] = {}
    if (home / "plain.db").exists():
        plain = sqlite3.connect(home / "plain.db")
        engines["sqlite"] = lambda sql: plain.execute(sql).fetchall()
    duckdb = try_duckdb()
    if duckdb and (home / "duck.db").exists():
        duck = duckdb.connect(str(home / "duck.db"), read_only=True)
        engines["duckdb"] = lambda sql: duck.execute(sql).fetchall()
    else:
        print("duckdb is left out")
    asked = questions(store, archive, count)
    rows = [row_of(question, engines, store.forget_answers) for question in asked]
    tell_slowest(rows, count)
    show("questions, warm", rows)
    store.close()


def size_of(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.glob("[!.]*"))


if __name__ == "__main__":
    main(sys.argv[1:])
