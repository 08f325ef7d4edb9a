"""Whatever stands in a query is a value: no SQL, no FTS operator, no pattern."""

import asyncio

import httpx
import pytest

from laneway.base.errors import QueryError
from laneway.hub.hub import Hub
from laneway.store.query.pattern import compile_regex, count_steps
from laneway.web import filter as query_filter

INJECTIONS = [
    "'", '"', "''", "';--", "' OR '1'='1", "' OR 1=1 --", "\" OR \"\"=\"", "') OR ('1'='1",
    "1; DROP TABLE event", "'; DROP TABLE event; --", "' UNION SELECT 1,2,3 --",
    "' UNION SELECT sql FROM sqlite_master --",
    "x' AND (SELECT count(*) FROM sqlite_master) > 0 --", "'||(SELECT hex(randomblob(1e9)))||'",
    "' AND load_extension('x') --", "x'; ATTACH DATABASE '/tmp/x.db' AS x; --",
    "'; PRAGMA writable_schema=1; --", "%", "_", "%%%%%%%%", "a%' ESCAPE '%", "\\", "\\'", "\x00",
    "a\x00' OR 1=1", "/*", "*/", "--", "#", "`", "[x]", "$1", ":x", "@x", "?1", "?", "NULL", "true",
    "0x27", "CHAR(39)", "ｓelect", "’ OR ’1’=’1", "%27%20OR%201=1",
    # FTS5
    "AND", "OR", "NOT", "NEAR", "NEAR(a b, 5)", "NOT NOT", "a AND", "AND a", "a OR OR b", "a NOT",
    "text:secret", "{text content}: x", "^a", "a*", "*", "**", '"unclosed', 'a"b', '""', '"" ""',
    "a + b", "+", "-", "-a", "(", ")", "((((((((((a))))))))))", "a NEAR/2 b", "rank:1",
    "event(event)", "a:b:c", "{", "}", "^", "\u0000", "🙂", "\ud7ff", "a" * 1000, '"' * 999,
    "(" * 999, "a " * 500, "a* " * 300, "-" * 999, "NEAR(" * 150,
]  # fmt: skip


@pytest.fixture
async def filled(client: httpx.AsyncClient, hub: Hub) -> httpx.AsyncClient:
    events = [
        {"agent": "planner", "event": "log", "content": f"secret text {n}"} for n in range(20)
    ]
    assert (await client.post("/log", json=events)).json()["accepted"] == 20
    await indexed(client, 20)
    return client


async def indexed(client: httpx.AsyncClient, count: int) -> None:
    for _ in range(18_000):
        if (await client.get("/health")).json()["index"]["events"] >= count:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the events are not indexed")


@pytest.mark.parametrize("name", sorted(query_filter.MANY))
async def test_no_filter_is_more_than_a_value(filled: httpx.AsyncClient, name: str) -> None:
    for value in INJECTIONS:
        answer = await filled.get("/api/events", params={name: value})
        assert answer.status_code in (200, 400), (name, value, answer.text)
        if answer.status_code == 200 and not name.startswith("-"):
            assert answer.json()["events"] == [], (name, value)
    assert len((await filled.get("/api/events")).json()["events"]) == 20


@pytest.mark.parametrize(
    "name", ["q", "since", "until", "limit", "order", "cursor", "error", "step", "format", "epoch"]
)
async def test_no_other_parameter_is_more_than_a_value(
    filled: httpx.AsyncClient, name: str
) -> None:
    for path in ("/api/events", "/api/agents", "/api/sessions", "/api/pulse"):
        for value in INJECTIONS:
            answer = await filled.get(path, params={name: value})
            assert answer.status_code in (200, 400), (path, name, value, answer.text)
            assert answer.status_code == 200 or answer.json()["code"] == "bad_query"
    assert len((await filled.get("/api/events")).json()["events"]) == 20


async def test_no_name_of_an_event_or_parameter_is_more_than_a_name(
    filled: httpx.AsyncClient,
) -> None:
    from urllib.parse import quote

    for value in INJECTIONS:
        answer = await filled.get(f"/api/events/{quote(value, safe='')}")
        assert answer.status_code in (404, 400), (value, answer.status_code)
        answer = await filled.get("/api/events", params={value: "x"})
        assert answer.status_code == 400, value


async def test_operators_within_quotes_are_words(filled: httpx.AsyncClient) -> None:
    for words, count in (
        ("secret", 20),
        ('"secret AND text"', 0),
        ('"secret text"', 20),
        ('"text 7"', 1),
    ):
        answer = await filled.get("/api/events", params={"q": words})
        assert len(answer.json()["events"]) == count, words


async def test_stored_events_are_values_too(client: httpx.AsyncClient, hub: Hub) -> None:
    events = [
        {
            "agent": value or "x",
            "event": value or "x",
            "content": value,
            "tool": value,
            "session_id": value,
        }
        for value in (text[:256] for text in INJECTIONS)
        if value.strip()
    ]
    answer = await client.post("/log", json=events)
    assert answer.json()["accepted"] == len(events)
    await indexed(client, len(events))
    for event in events:
        found = await client.get("/api/events", params={"agent": event["agent"]})
        assert event["agent"] in {item["agent"] for item in found.json()["events"]}, event["agent"]


LONG_LINE = "a" * 200_000


@pytest.mark.parametrize(
    "pattern",
    [
        "x{0,1000}" * 100, ".{0,1000}.{0,1000}x", "(.{0,31}){0,32}" * 8 + "x", "x{" + "9" * 900 + "}",
        "((.{0,10}){0,10}){0,10}" * 5, r"(\w{0,31}){0,32}" * 8, "x{1000}{1000}", "(?:(?:a?){31}){33}",
    ],
)  # fmt: skip
def test_an_expression_that_would_take_minutes_is_refused_at_once(pattern: str) -> None:
    with pytest.raises(QueryError, match="steps, at most 1000"):
        compile_regex(pattern, False)


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+$", "(a|aa)+$", "(.*)*x", "a?" * 499 + "x", ".{0,490}.{0,490}x", "(((((a*)*)*)*)*)*b"],
)
def test_what_is_taken_is_linear_in_the_text(pattern: str) -> None:
    """With backtracking the first of them would not end in a lifetime."""
    compile_regex(pattern, False)(LONG_LINE + "!")


@pytest.mark.parametrize(
    ("pattern", "steps"),
    [
        ("abc", 3),
        (r"[a-f0-9]{64}", 64),
        ("(ab){2,3}c", 10),
        (r"\x{1F600}\{3}", 4),
        ("[]{900}]a+", 2),
    ],
)
def test_the_steps_of_an_expression_are_counted(pattern: str, steps: int) -> None:
    assert count_steps(pattern) == steps
