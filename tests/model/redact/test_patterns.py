"""The pack as data: every rule is quick on any text, and none is past the sieve."""

import re
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from laneway.model.redact import Redactor
from laneway.model.redact.patterns import PATH_RULES, RUN_CHARS, TOKEN_RULES, WORD_RULES, Rule
from laneway.model.redact.scan import find_spans

RULES = (*TOKEN_RULES, *PATH_RULES, *WORD_RULES)
MOST_REPEATS = 20_000
every_rule = pytest.mark.parametrize(
    "rule", RULES, ids=lambda rule: f"{rule.name}:{rule.anchors[0]}"
)


def repeats(tree: Any) -> list[tuple[Any, int, int]]:
    """(kind, least, most) of every repeat in a parsed pattern, nested ones too."""
    found = []
    for kind, argument in tree:
        if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            found.append((kind, argument[0], argument[1]))
            found.extend(repeats(argument[2]))
        elif kind is sre.SUBPATTERN:
            found.extend(repeats(argument[3]))
        elif kind is sre.BRANCH:
            found.extend(pair for branch in argument[1] for pair in repeats(branch))
        elif kind is sre.ATOMIC_GROUP:
            found.extend(repeats(argument))
        elif kind in (sre.ASSERT, sre.ASSERT_NOT):
            found.extend(repeats(argument[1]))
    return found


def test_there_are_sixty_rules() -> None:
    assert len({rule.name for rule in RULES}) >= 60


@every_rule
def test_every_anchor_is_a_literal(rule: Rule) -> None:
    assert all(len(anchor) >= 2 for anchor in rule.anchors)
    assert re.fullmatch("[a-z0-9-]{2,40}", rule.name)
    if rule in WORD_RULES:
        assert rule.anchors == tuple(anchor.lower() for anchor in rule.anchors)


@every_rule
def test_every_repeat_is_bounded_and_gives_nothing_back(rule: Rule) -> None:
    """A repeat that never gives back what it took cannot backtrack: the work is linear."""
    for kind, least, most in repeats(parser.parse(rule.tail)):
        assert most <= MOST_REPEATS, f"{rule.tail}: a repeat without a bound"
        assert kind is sre.POSSESSIVE_REPEAT or least == most or most == 1, (
            f"{rule.tail}: can backtrack"
        )


def loose(tail: str) -> str:
    """``tail`` with repeats short enough to make samples of, and no look-around."""
    short = re.sub(
        r"\{(\d+),(\d+)\}\+?", lambda m: f"{{{m[1]},{min(int(m[2]), int(m[1]) + 8)}}}", tail
    )
    return re.sub(r"\(\?![^()]*\)|(?<=[?*])\+|(?<=\})\+", "", short)


@every_rule
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_what_a_rule_finds_the_sieve_holds_back(rule: Rule, data: st.DataObject) -> None:
    sample = data.draw(st.sampled_from(rule.anchors)) + data.draw(
        st.from_regex(loose(rule.tail), fullmatch=True)
    )
    text = data.draw(st.sampled_from(["", "see: ", "1", "é\n"])) + sample
    assume(find_spans(text) or re.compile(rule.tail).match(sample, len(rule.anchors[0])))
    clean, count = Redactor().redact_event({"content": text})

    if count:
        import orjson

        assert Redactor().is_suspicious(orjson.dumps({"content": text}))
        assert not Redactor().is_clean({"content": text})
    else:
        assert clean == {"content": text}


TEAMS_ID = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
TEAMS_PATH = f"{TEAMS_ID}%40{TEAMS_ID}/IncomingWebhook/{TEAMS_ID}/{TEAMS_ID}"


@pytest.mark.parametrize("fill", ["", "a word ", "a: word ", "a word " * 200, "a word " * 3_000])
@pytest.mark.parametrize(
    "address",
    [
        "acme.webhook.office.com/webhookb2/" + TEAMS_PATH,
        "https://acme.webhook.office.com/webhookb2/" + TEAMS_PATH,
        "acme.webhook.office.com%2Fwebhookb2%2F" + TEAMS_PATH.replace("/", "%2F"),
    ],
)
def test_a_webhook_of_teams_needs_no_sign_beside_it(address: str, fill: str) -> None:
    """``%40`` stands for its ``@``: a sieve that waits for that sign lets the address pass."""
    event = {"content": fill + address}

    assert not Redactor().is_clean(event)
    assert TEAMS_ID not in str(Redactor().redact_event(event)[0])


def test_two_rules_share_no_anchor() -> None:
    anchors = [anchor for rule in RULES for anchor in rule.anchors]

    assert len(anchors) == len(set(anchors))


def test_no_token_is_shorter_than_the_runs_that_are_looked_at() -> None:
    """Else it would be found in a long text, which is looked through in another way, and not in a short."""
    short = []
    for rule in TOKEN_RULES:
        least = parser.parse(rule.tail).getwidth()[0]
        short += [a for a in rule.anchors if rule.back + least + run_chars(a) < RUN_CHARS]
    assert short == []


def run_chars(anchor: str) -> int:
    """How many characters at the end of an anchor belong to the run of its token."""
    return len(re.search("[A-Za-z0-9_-]*$", anchor)[0])  # type: ignore[index]
