import pytest

from laneway.mcp.syntax import EVENTS, EXAMPLES, FIELDS
from laneway.model.vocabulary import EVENT_TYPES
from laneway.store.query.parse import parse


@pytest.mark.parametrize("query", [query for query, _ in EXAMPLES])
def test_every_example_can_be_read(query: str) -> None:
    parse(query)


def test_every_field_that_is_named_can_be_asked_for() -> None:
    for name in FIELDS.split():
        parse(f"has:{name}")


def test_the_event_types_are_the_vocabulary() -> None:
    assert EVENTS.split() == list(EVENT_TYPES)
