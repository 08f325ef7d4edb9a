"""How a search will run, in words."""

from collections.abc import Sequence

from laneway.base.errors import quote
from laneway.base.words import number_of
from laneway.store.api import Plan
from laneway.store.query.cost import is_indexed
from laneway.store.query.expr import Expr, Text, iter_leaves
from laneway.store.query.write import write

from .search import Search
from .summary import Summary


def explain(search: Search, segments: Sequence[Summary], total_segments: int) -> Plan:
    steps = [f"time and ids leave {len(segments)} of {number_of(total_segments, 'segment')}"]
    steps += _steps(search)
    return Plan(
        steps,
        "scan" if search.matcher else "words" if _asks_words(search) else "index",
        len(segments),
        total_segments,
        sum(one.event_count for one in segments),
        sum(one.indexed_bytes for one in segments),
    )


def _steps(search: Search) -> list[str]:
    steps = []
    if search.picks:
        steps.append("single events are looked up by id or number")
    if search.match:
        steps.append(f"full text: {search.match}")
    if search.wants_error is not None:
        steps.append(f"index: {'' if search.wants_error else '-'}has:error")
    for part in search.conditions:
        if _is_indexed(part):
            steps.append(f"{'full text' if _has_text(part) else 'index'}: {write(part)}")
    if piece := next((one for one in search.literals if one.is_word or one.is_in_line), None):
        steps.append(f"lines without {quote(piece.text)} are passed by")
    for part in search.conditions:
        if not _is_indexed(part):
            steps.append(f"read from the log and checked: {write(part)}")
    return steps


def _asks_words(search: Search) -> bool:
    return bool(search.match) or any(map(_has_text, search.conditions))


def _is_indexed(part: Expr) -> bool:
    return all(map(is_indexed, iter_leaves(part)))


def _has_text(part: Expr) -> bool:
    return any(isinstance(leaf, Text) for leaf in iter_leaves(part))
