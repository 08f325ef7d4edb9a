"""What is found of the secrets that are promised, and what is wrongly taken for one."""

from collections import Counter

from laneway.model.redact import Redactor
from laneway.model.redact.patterns import PATH_RULES, TOKEN_RULES
from laneway.model.wire import encode_redacted
from tests.model.redact.corpus import ORDINARY_EVENTS, PAGE, iter_cases, measure, page
from tests.model.redact.ordinary import iter_events
from tests.model.redact.secret import SHAPES


def test_every_token_rule_has_the_published_shape_of_its_secret() -> None:
    assert {rule.name for rule in (*TOKEN_RULES, *PATH_RULES)} <= set(SHAPES)


def test_every_rule_of_tokens_is_tried_in_a_hundred_forms_and_more() -> None:
    forms = Counter(case.rule for case in iter_cases())

    assert min(forms[rule] for rule in SHAPES) >= 100
    assert len(SHAPES) >= 60


def test_ninety_nine_of_a_hundred_secrets_are_found_and_of_no_rule_fewer_than_98() -> None:
    total, found, missed, _ = measure()

    assert found.total() >= 0.99 * total.total(), missed[:20]
    assert not {rule: found[rule] for rule in total if found[rule] < 0.98 * total[rule]}


def test_of_a_thousand_ordinary_events_at_most_one_is_changed() -> None:
    wrong = measure().wrong

    assert len(wrong) <= ORDINARY_EVENTS / 1_000, wrong


def test_another_seed_tells_the_same_of_ordinary_events() -> None:
    redactor = Redactor()

    wrong = [pair for pair in iter_events(3_000, seed=1) if encode_redacted(pair[1], redactor)[1]]

    assert len(wrong) <= 3, wrong


def test_the_table_in_the_documents_is_of_these_rules() -> None:
    text = PAGE.read_text()

    assert page(text) == text, "stale: run python -m tests.model.redact.corpus --write"
