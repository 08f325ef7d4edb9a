"""Random events, and random queries that they may well answer."""

import random
from typing import Any

from hypothesis import strategies as st

from laneway.base.clock import NS_PER_S
from laneway.base.ids import new_event_id
from laneway.store.query.expr import (
    EVERYTHING,
    Ago,
    At,
    Compare,
    Equal,
    Expr,
    Fragment,
    Glob,
    Has,
    Open,
    Phrase,
    Regex,
    Since,
    Text,
    Until,
    Value,
    all_of,
    any_of,
    negate,
)
from laneway.store.query.field import (
    AGENT,
    ENTRIES,
    ERROR,
    EVENT,
    LEVEL,
    SESSION,
    TOOL,
    Field,
    Kind,
)
from tests.store.build import T0_NS

NAME_WORDS = ["a", "b", "c", "Ärger", "two words"]
KINDS = ["log", "user_message", "error", "tool_result", "tool_invocation", "x_start", "x_end"]
TRACE_IDS = ["0af7651916cd43dd8448eb211c80319c", "short", "0AF7651916CD43DD8448EB211C80319C"]
SPAN_IDS = ["00f067aa0ba902b7", "s1", "s2"]
LEVELS_HELD = ["debug", "info", "warning", "error", "critical"]
TEXT_WORDS = [
    "alpha",
    "beta",
    "gamma",
    "alphabet",
    "Zürich",
    "main.py",
    "東京",
    "e\u0301te\u0301",
    "ﬁ",
    "x_y",
]
LEVELS = st.sampled_from(LEVELS_HELD)
WORDS = st.sampled_from(TEXT_WORDS)
TIMES = st.one_of(
    st.integers(T0_NS, T0_NS + 50),
    st.integers(0, 300).map(lambda i: T0_NS + i * 30 * NS_PER_S),
    st.integers(-5, 5).map(lambda i: i * 40 * NS_PER_S),
)


def make_events(seed: int) -> list[tuple[int, dict[str, Any]]]:
    """Up to a dozen events with their times; by a seed, which is twenty times quicker than to draw them."""
    rng = random.Random(seed)
    return [(_time(rng), _event(rng)) for _ in range(rng.randrange(13))]


def _time(rng: random.Random) -> int:
    return rng.choice(
        [
            T0_NS + rng.randrange(51),
            T0_NS + rng.randrange(301) * 30 * NS_PER_S,
            rng.randint(-5, 5) * 40 * NS_PER_S,
        ]
    )


def _event(rng: random.Random) -> dict[str, Any]:
    event = {
        "agent": rng.choice(NAME_WORDS),
        "event": rng.choice(KINDS),
        "id": rng.choice(["x", "y", new_event_id(abs(_time(rng)))]),
    }
    optional = {
        "content": " ".join(rng.choices(TEXT_WORDS, k=rng.randrange(5))),
        "input": {key: _leaf(rng) for key in rng.sample(["path", "a b"], rng.randrange(3))},
        "session_id": rng.choice(["s1", "s2"]),
        "level": rng.choice(LEVELS_HELD),
        "trace_id": rng.choice(TRACE_IDS),
        "span_id": rng.choice(SPAN_IDS),
        "parent_span_id": rng.choice(SPAN_IDS),
        "error": {"type": "Boom", "message": "boom"},
        "duration_ms": rng.choice([rng.randrange(10), rng.random() * 9, rng.random() * 1e15]),
        "input_tokens": rng.randrange(1_001),
        "output_tokens": rng.randrange(1_001),
        "cost_usd": rng.randrange(10_001) / 10_000,
        "custom": rng.choices(TEXT_WORDS, k=rng.randrange(3)),
        "http.status": _leaf(rng),
        "nested": {key: _leaf(rng) for key in rng.sample(["k", "k.l"], rng.randrange(3))},
    }
    names = ("tool", "pod", "model", "role", "host", "provider", "parent_agent")
    optional |= {name: rng.choice(NAME_WORDS) for name in names}
    return event | {key: value for key, value in optional.items() if rng.random() < 0.5}


def _leaf(rng: random.Random) -> Any:
    return rng.choice(
        [rng.choice(TEXT_WORDS), rng.randrange(10), rng.random() * 9, True, False, None]
    )


PHRASES = st.builds(
    Phrase,
    st.one_of(
        WORDS, st.sampled_from(["alph", "alpha beta", "boom", "custom", "unheard", "zurich", "py"])
    ),
    st.booleans(),
)
FRAGMENTS = st.builds(
    Fragment, st.sampled_from(["LPHA", "pha", "oom", "a b", "ü", "京", ".", "nothing"])
)
REGEXES = st.builds(
    Regex, st.sampled_from(["^a", "al.ha", "B$", "ü", "[0-9]+", "lph.* be+ta?"]), st.booleans()
)
GLOBS = st.builds(
    Glob,
    st.sampled_from(
        ["a*", "*", "?", "*o w*", "s?", "*.py", "0af*9c", "0af*", "0*", "b7ad*", "00f*"]
    ),
)
VALUES = st.sampled_from(
    [*NAME_WORDS, *TRACE_IDS[:2], *SPAN_IDS, *TEXT_WORDS, *KINDS, "3", "true", "null", "x"]
)
TESTS = st.one_of(st.builds(Equal, VALUES), GLOBS, FRAGMENTS, REGEXES)
OPERATORS = st.sampled_from(["=", ">", ">=", "<", "<="])
NUMBERS = st.one_of(st.integers(-1, 1_000), st.floats(-1, 9))

NAME_FIELDS = st.sampled_from([Field(e.key) for e in ENTRIES if e.kind in (Kind.NAME, Kind.ID)])
NUMBER_FIELDS = st.sampled_from([Field(e.key) for e in ENTRIES if e.kind is Kind.NUMBER])
PAYLOADS = st.sampled_from([Field(e.key) for e in ENTRIES if e.kind is Kind.PAYLOAD])
EXTRAS = st.sampled_from(
    [
        Field("", ("custom",)), Field("", ("http", "status")), Field("", ("http.status",)),
        Field("", ("nested", "k")), Field("", ("nested", "k", "l")), Field("", ("$", "absent")),
        Field("input", ("path",)), Field("input", ("a b",)), Field("error", ("type",)),
    ]
)  # fmt: skip


def some(tests: st.SearchStrategy[Equal]) -> st.SearchStrategy[tuple[Equal, ...]]:
    return st.lists(tests, min_size=1, max_size=2).map(tuple)


MOMENTS = st.builds(At, TIMES)
CONDITIONS: st.SearchStrategy[Expr] = st.one_of(
    st.just(EVERYTHING),
    st.builds(Text, PHRASES),
    st.builds(Text, st.one_of(FRAGMENTS, REGEXES)),
    st.builds(Value, NAME_FIELDS, some(TESTS)),  # type: ignore[arg-type]
    st.builds(Value, st.just(LEVEL), some(st.builds(Equal, LEVELS))),
    st.builds(Value, PAYLOADS, some(st.one_of(PHRASES, FRAGMENTS, REGEXES))),  # type: ignore[arg-type]
    st.builds(Value, EXTRAS, some(TESTS)),  # type: ignore[arg-type]
    st.builds(Compare, NUMBER_FIELDS, OPERATORS, NUMBERS),
    st.builds(Compare, EXTRAS, st.sampled_from([">", ">=", "<", "<="]), NUMBERS),
    st.builds(Compare, st.just(LEVEL), st.sampled_from([">", ">=", "<", "<="]), LEVELS),
    st.builds(
        Has, st.one_of(NAME_FIELDS, NUMBER_FIELDS, PAYLOADS, EXTRAS, st.just(ERROR), st.just(LEVEL))
    ),
    st.just(Open()),
    st.builds(Since, MOMENTS),
    st.builds(Until, MOMENTS),
)


def grown(leaves: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, min_size=2, max_size=3).map(all_of),
            st.lists(inner, min_size=2, max_size=3).map(any_of),
            inner.map(negate),
        ),
        max_leaves=5,
    )


EXPRESSIONS = grown(CONDITIONS)
ROLLED_UP = grown(
    st.one_of(
        st.builds(Value, st.sampled_from([AGENT, EVENT, SESSION, TOOL]), some(TESTS)),
        st.builds(Value, st.just(LEVEL), some(st.builds(Equal, LEVELS))),
        st.builds(Has, st.sampled_from([ERROR, TOOL, SESSION])),
    )
)
"""Conditions that the tables of totals know, most of them."""

AGOS = st.builds(Ago, st.integers(0, 10**18))
WRITTEN = grown(st.one_of(CONDITIONS, st.builds(Since, AGOS), st.builds(Until, AGOS)))
"""Those that depend on the time of asking, too."""
