"""Whose a span is, in whatever order spans come."""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from laneway.base.clock import NS_PER_S
from laneway.sources.otlp.binding import HELD, TRACES, Binder, Held, Place
from laneway.sources.otlp.facts import Facts
from laneway.sources.otlp.record import LogRecord, Origin, Span

ORIGIN = Origin({"service.name": "svc"}, {})

Tree = dict[str, tuple[str, Facts]]

RUN: Tree = {
    "http": ("", Facts("step")),
    "outer": ("http", Facts("agent", agent="planner", session="s1", input="hi")),
    "chat": ("outer", Facts("llm")),
    "inner": ("outer", Facts("agent", agent="coder", input="sub")),
    "tool": ("inner", Facts("tool")),
}
WANTED = {
    "http": Place("svc", "", "s1", False),
    "outer": Place("planner", "", "s1", True),
    "chat": Place("planner", "", "s1", False),
    "inner": Place("coder", "planner", "s1", False),
    "tool": Place("coder", "planner", "s1", False),
}


def make(name: str, parent: str, trace: str = "t") -> Span:
    return Span(ORIGIN, trace, name, parent, name, 0, 0, {})


def send(binder: Binder, span: Span, facts: Facts, now_ns: int = 0) -> dict[str, Place]:
    """What became known when the span came."""
    binder.note(span, facts)
    place = binder.place(span, facts)
    found = {span.span_id: place} if place else {}
    if place is None:
        binder.hold(span.span_id, Held(span, facts, now_ns))
    settled = binder.settle(now_ns, trace_id=span.trace_id)
    return found | {held.item.span_id: place for held, place in settled}


def test_every_order_gives_the_same_lanes() -> None:
    for order in permutations(RUN):
        binder = Binder(30)
        found: dict[str, Place] = {}
        for name in order:
            found |= send(binder, make(name, RUN[name][0]), RUN[name][1])
        assert {name: found[name][:2] for name in found} == {n: p[:2] for n, p in WANTED.items()}
        assert {name: p.is_outermost for name, p in found.items()} == {n: p.is_outermost for n, p in WANTED.items()}  # fmt: skip
        assert binder.held_count == 0


def test_after_the_wait_a_span_goes_with_what_is_known() -> None:
    binder = Binder(30)
    assert send(binder, make("chat", "outer"), Facts("llm")) == {}
    assert list(binder.settle(29 * NS_PER_S)) == []
    [(held, place)] = binder.settle(30 * NS_PER_S)
    assert (held.item.span_id, place.agent, place.session_id) == ("chat", "svc", "t")


def test_a_brother_that_names_the_agent_tells_of_the_parent() -> None:
    binder = Binder(30)
    named = Facts("tool", agent="coder", session="s1")
    assert send(binder, make("tool", "outer"), named)["tool"].agent == "coder"
    assert send(binder, make("chat", "outer"), Facts("llm"))["chat"].agent == "coder"


def test_a_record_gets_the_lane_of_its_span() -> None:
    binder = Binder(30)
    record = LogRecord(ORIGIN, "t", "chat", "gen_ai.choice", 0, 9, "", {})
    facts = Facts("message")
    assert binder.place(record, facts) is None
    binder.hold("r", Held(record, facts, 0))
    send(binder, make("chat", "outer"), Facts("llm"))
    found = send(binder, make("outer", ""), Facts("agent", agent="planner"))
    assert found["chat"].agent == "planner"
    assert binder.held_count == 0


def test_a_record_without_a_trace_waits_for_nobody() -> None:
    place = Binder(30).place(LogRecord(ORIGIN, "", "", "x", 0, 9, "", {}), Facts("log"))
    assert place == Place("svc")


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from(["", *"abcde"]))))
def test_any_tangle_of_parents_comes_to_an_end(pairs: list[tuple[str, str]]) -> None:
    binder = Binder(1)
    names = {name for name, parent in pairs for name in (name, parent) if name}
    found: set[str] = set()
    for name, parent in pairs:
        found |= set(send(binder, make(name, parent), Facts("llm")))
    found |= {held.item.span_id for held, _ in binder.settle(2 * NS_PER_S)}
    assert found == {name for name, _ in pairs}
    assert found <= names
    assert binder.held_count == 0


def test_memory_is_bounded() -> None:
    binder = Binder(3600)
    given_back = 0
    for n in range(TRACES + 50):
        send(binder, make("a", "b", trace=str(n)), Facts("llm"))
        given_back += len(list(binder.forget()))
    assert given_back == 50
    for n in range(HELD):
        given_back += len(send(binder, make(str(n), "b", trace="one"), Facts("llm")))
    assert binder.held_count <= HELD
