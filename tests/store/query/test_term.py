import pytest

from laneway.store.query.expr import all_of
from laneway.store.query.parse import parse
from laneway.store.query.term import Term, terms_of


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("agent:coder", Term("agent:coder", "agent", ["coder"], False)),
        ("-tool:(a,b)", Term("-tool:(a,b)", "tool", ["a", "b"], True)),
        ('TOOL:"two words"', Term('tool:"two words"', "tool", ["two words"], False)),
        ("tool:read*", Term("tool:read*", "tool", [], False)),
        ("level>=error", Term("level>=error", "level", [], False)),
        ("attr.http.status>500", Term("attr.http.status>500", "attr.http.status", [], False)),
        ("has:error", Term("has:error", "has", ["error"], False)),
        ("is:open", Term("is:open", "is", ["open"], False)),
        ("since:15m", Term("since:15m", "since", [], False)),
        ("timeout", Term("timeout", "", [], False)),
        ("a OR agent:b", Term("(a OR agent:b)", "", [], False)),
        ("-(a OR agent:b)", Term("-(a OR agent:b)", "", [], True)),
    ],
)
def test_a_condition_tells_its_field_and_values(text: str, wanted: Term) -> None:
    assert terms_of(parse(text)) == [wanted]


@pytest.mark.parametrize(
    "text", ["", "*", "x", "a b agent:c", "(a OR b) level:error..critical -x", "a OR b c"]
)
def test_terms_side_by_side_are_the_query(text: str) -> None:
    expr = parse(text)
    terms = terms_of(expr)
    assert parse(" ".join(term.text for term in terms)) == expr
    assert all_of(parse(term.text) for term in terms) == expr
