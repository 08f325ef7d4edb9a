import re
from datetime import timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laneway.base.clock import NS_PER_S
from laneway.base.errors import QueryError
from laneway.store.query.expr import (
    EVERYTHING,
    NOTHING,
    Ago,
    And,
    At,
    Compare,
    Equal,
    Expr,
    Fragment,
    Glob,
    Has,
    Not,
    Open,
    Or,
    Phrase,
    Regex,
    Since,
    Text,
    Until,
    Value,
)
from laneway.store.query.field import AGENT, ENTRIES, ERROR, LEVEL, TOOL, Field
from laneway.store.query.parse import DEPTH, QUERY_CHARS, TERMS, WORDS, parse
from laneway.store.query.write import write
from tests.store.expressions import WRITTEN

A, B, C = (Text(Phrase(word)) for word in "abc")
PAGE = Path(__file__).parents[3] / "docs" / "query.md"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", EVERYTHING),
        (" * ", EVERYTHING),
        ("-*", NOTHING),
        ("a b AND c", And((A, B, C))),
        ("a OR b c", Or((A, And((B, C))))),
        ("(a OR b) c", And((Or((A, B)), C))),
        ("NOT a -b", And((Not(A), Not(B)))),
        ("- - a", A),
        ("-(a b)", Not(And((A, B)))),
        ("deploy*", Text(Phrase("deploy", True))),
        ('"two words"*', Text(Phrase("two words", True))),
        ('"say \\"hi\\" \\u{e9}\\n"', Text(Phrase('say "hi" é\n'))),
        ("main.py", Text(Phrase("main.py"))),
        ("10:30", Text(Phrase("10:30"))),
        ('~"a \\"b"', Text(Fragment('a "b'))),
        ("/a\\/[b ]+/i", Text(Regex("a/[b ]+", True))),
        ("agent:planner", Value(AGENT, (Equal("planner"),))),
        ("AGENT=planner", Value(AGENT, (Equal("planner"),))),
        ("agent!=planner", Not(Value(AGENT, (Equal("planner"),)))),
        ("agent:a,b", Value(AGENT, (Equal("a"), Equal("b")))),
        ('agent:( a , "b c")', Value(AGENT, (Equal("a"), Equal("b c")))),
        ("tool:Cal*", Value(TOOL, (Glob("Cal*"),))),
        ("tool:a\\*b", Value(TOOL, (Equal("a*b"),))),
        ('tool:"a*"', Value(TOOL, (Equal("a*"),))),
        ("tool:(x*,~y,/z/)", Value(TOOL, (Glob("x*"), Fragment("y"), Regex("z")))),
        ("level:warn", Value(LEVEL, (Equal("warning"),))),
        ("level>=warning", Compare(LEVEL, ">=", "warning")),
        ("input_tokens:>1000", Compare(Field("input_tokens"), ">", 1000)),
        ("duration>1.5s", Compare(Field("duration_ms"), ">", 1500.0)),
        ("seq:3", Compare(Field("seq"), "=", 3)),
        (
            "duration_ms:1..2",
            And((Compare(Field("duration_ms"), ">=", 1), Compare(Field("duration_ms"), "<=", 2))),
        ),
        ("content:x", Value(Field("content"), (Phrase("x"),))),
        ("input.path:x", Value(Field("input", ("path",)), (Equal("x"),))),
        ('attr.http."a b"=5', Value(Field("", ("http", "a b")), (Equal("5"),))),
        ("attr.x<-2", Compare(Field("", ("x",)), "<", -2)),
        ("has:error", Has(ERROR)),
        ("is:error", Has(ERROR)),
        ("has:attr.x.y", Has(Field("", ("x", "y")))),
        ("is:open", Open()),
        ("since:15m", Since(Ago(900 * NS_PER_S))),
        ("until:1700000000", Until(At(1_700_000_000 * NS_PER_S))),
    ],
)
def test_a_text_means(text: str, wanted: Expr) -> None:
    assert parse(text) == wanted


@pytest.mark.parametrize(
    ("text", "column", "seen", "expected"),
    [
        ("a agnet:x", 3, '"agnet"', "a field"),
        ("level:loud", 7, '"loud"', "one of debug"),
        ("a AND", 6, "the end", "a condition"),
        ("a OR OR b", 6, '"OR"', "a condition"),
        ("(a b", 5, "the end", '")"'),
        ("a)", 2, '")"', "the end"),
        ('a "b', 3, '""b"', "a closing quote"),
        ("/tmp", 1, '"/tmp"', "a closing /"),
        ("/tmp/x", 1, '"/tmp/x"', "no flag but i"),
        ("/(/", 1, "", "not a regular expression"),
        ("dep*oy", 1, '"dep*oy"', "a * at the end"),
        ("!!!", 1, '"!!!"', "a letter or a digit"),
        ("agent: x", 7, '"x"', "a value for agent"),
        ("agent>3", 6, '">3"', '":"'),
        ("duration_ms>soon", 13, '"soon"', "a number"),
        ("since:soon", 7, '"soon"', "ISO 8601"),
        ("has:nothing", 5, '"nothing"', "a field"),
        ("is:closed", 4, '"closed"', "open or error"),
        ("agent:(a,b", 11, "the end", '"," or ")"'),
        ('foo"x"', 4, "", "a space"),
        ("attr:x", 5, "", "a name"),
        ("attr.agent:x", 11, "", "a field of your own"),
    ],
)
def test_a_fault_is_told_with_its_column_what_was_seen_and_what_was_expected(
    text: str, column: int, seen: str, expected: str
) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert caught.value.column == column
    assert seen in caught.value.message
    assert expected in caught.value.message


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("agnet:x", "did you mean agent?"),
        ("duration_m>5", "did you mean duration_ms"),
        ("customer:x", "attr.customer"),
        ("(a", "column 1"),
    ],
)
def test_a_fault_comes_with_what_to_do(text: str, hint: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "x" * (QUERY_CHARS + 1),
        "(" * (DEPTH + 1) + "a" + ")" * (DEPTH + 1),
        "w " * (WORDS + 1),
        "has:error " * (TERMS + 1),
        f"agent:({','.join(map(str, range(TERMS + 1)))})",
        "attr." + ".".join("x" * 20) + ":1",
    ],
)
def test_a_query_is_bounded(text: str) -> None:
    with pytest.raises(QueryError):
        parse(text)


def test_a_time_without_a_zone_is_in_the_given_one() -> None:
    zone = timezone(timedelta(hours=2))
    noon = parse("since:2026-11-26T12:00Z")
    assert parse("since:2026-11-26T14:00", zone=zone) == noon
    now_ns = noon.moment.ns + NS_PER_S  # type: ignore[union-attr]
    assert parse("since:14:00", zone=zone, time_ns=now_ns) == noon


@settings(max_examples=300, deadline=None)
@given(WRITTEN)
def test_what_is_written_reads_as_it_was(expr: Expr) -> None:
    assert parse(write(expr)) == expr


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(max_size=60),
        st.text(alphabet='ab"*():/~\\-.,<>=! \0ORANDT\u00e9', max_size=30),
    )
)
def test_any_text_is_read_or_refused_and_reads_the_same_once_written(text: str) -> None:
    try:
        expr = parse(text)
    except QueryError:
        return
    assert parse(write(expr)) == expr


def test_every_example_of_the_page_is_read() -> None:
    examples = re.findall(r"^    (\S.*)$", PAGE.read_text(), flags=re.M)
    assert len(examples) > 20
    for example in examples:
        parse(example)


def test_the_page_tells_of_every_field() -> None:
    page = PAGE.read_text()
    for entry in ENTRIES:
        assert f"| `{entry.name}" in page
