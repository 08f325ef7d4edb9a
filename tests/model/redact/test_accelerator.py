"""With ``ahocorasick-rs`` and without it, in short texts and in long ones: the same is found."""

import os
import random
import re
import sys
from base64 import b64encode

import pytest

from laneway.model.redact import Redactor, scan
from laneway.model.redact.patterns import RUN_CHARS, SPLIT_ANCHORS, TOKEN_RULES, Rule
from laneway.model.wire import encode_redacted
from tests.model.redact.corpus import iter_cases
from tests.model.redact.ordinary import iter_events

CASES = list(iter_cases())[:: 1 if os.environ.get("LANEWAY_TORTURE") == "long" else 4]
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


@pytest.fixture(params=["automaton", "plain"])
def long_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every text is looked through as a long one."""
    if request.param == "plain":
        monkeypatch.setitem(sys.modules, "ahocorasick_rs", None)
    monkeypatch.setattr(scan, "LONG_CHARS", 0)
    monkeypatch.setattr(scan, "DENSE_CHARS", 0)
    monkeypatch.setattr(scan, "_automatons", [])
    assert (scan.load_automatons()[0] is None) is (request.param == "plain")


def lines() -> list[bytes]:
    made = Redactor(key_path=None)
    made.rules.marker._key = b"k" * 32
    events = [case.event for case in CASES] + [pair[1] for pair in iter_events(1_000, seed=3)]
    return [encode_redacted(event, made)[0] for event in events]


SHORT = lines()


@pytest.mark.usefixtures("long_way")
def test_every_case_of_the_corpus_ends_in_the_same_line() -> None:
    differing = [pair for pair in zip(SHORT, lines(), strict=True) if pair[0] != pair[1]]

    assert differing == []


def test_the_anchors_of_tokens_that_signs_may_split_are_known() -> None:
    """A rule of `TOKEN_RULES` otherwise promises a run of `RUN_CHARS` token characters."""
    for rule in TOKEN_RULES:
        first = re.match(r"\[([^\]]*)\]\{", rule.tail)
        if first and set("=+/") & set(first[1]):
            assert set(rule.anchors) <= set(SPLIT_ANCHORS), rule.name


def split_token(anchor: str, draw: random.Random) -> str:
    """A token with a sign after at most `RUN_CHARS` - 8 characters each."""
    sign = "/" if anchor == "ABSK" else "="
    parts = ["".join(draw.choices(LETTERS, k=RUN_CHARS - 8)) for _ in range(9)]
    return anchor + sign.join(parts)[: RUN_CHARS * 5 + 2].rstrip(sign)


@pytest.mark.parametrize("anchor", SPLIT_ANCHORS)
@pytest.mark.parametrize("form", ["{}", "it is {} then", '{{"v": "{}"}}', "x" * 20_000 + " {} y"])
def test_a_token_split_into_short_runs_is_found(anchor: str, form: str) -> None:
    token = split_token(anchor, random.Random(anchor))
    assert max(map(len, re.split("[=/]", token))) < RUN_CHARS

    line, count = encode_redacted({"agent": "a", "content": form.format(token)}, Redactor())

    assert count == 1
    assert token[-10:].encode() not in line
    assert Redactor().is_suspicious(b'{"content": "%s"}' % form.format(token).encode())


@pytest.mark.usefixtures("long_way")
@pytest.mark.parametrize("anchor", SPLIT_ANCHORS)
def test_a_token_split_into_short_runs_is_found_the_long_way(anchor: str) -> None:
    token = split_token(anchor, random.Random(anchor))

    assert scan.find_spans(f"it is {token} then") == [
        (6, 6 + len(token), scan._TOKENS[anchor].name)
    ]
    assert scan.may_hold(token, token.encode())
    assert (
        b64encode(token.encode()).decode()
        not in encode_redacted({"content": b64encode(token.encode()).decode()}, Redactor())[
            0
        ].decode()
    )


@pytest.mark.parametrize(
    "rule", [rule for rule in TOKEN_RULES if not rule.back], ids=lambda rule: rule.name
)
def test_no_token_is_shorter_than_a_run_that_is_looked_at(rule: Rule) -> None:
    least = min(map(len, rule.anchors)) + re._parser.parse(rule.tail).getwidth()[0]  # type: ignore[attr-defined]
    assert least >= RUN_CHARS
