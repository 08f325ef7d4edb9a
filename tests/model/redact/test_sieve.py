"""A long text is looked through in another way than a short one, and no less is found."""

import json
import os
import random
import string
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laneway.model.redact import Redactor, scan, sieve
from laneway.model.redact.patterns import PATH_RULES, TOKEN_RULES, WORD_RULES

ANCHORS = [anchor for rule in (*TOKEN_RULES, *PATH_RULES, *WORD_RULES) for anchor in rule.anchors]
IS_LONG = os.environ.get("LANEWAY_TORTURE") == "long"
LETTERS = string.ascii_letters + string.digits
FILLS = [
    "The loader reads the file. ", '{"key": "value", "n": 12}, ', "a" * 40 + " ", "0123abcdef" * 4,
    "\n", " ", "%3D", "\x1b[31m", "\x1b[0;1m", "İ", "漢字", "-", "_", "/", "+", "=", ":", '"', "Bearer ",
]  # fmt: skip

Find = Callable[[str], list[scan.Span]]


def short_way(text: str, monkeypatch: pytest.MonkeyPatch) -> list[scan.Span]:
    with monkeypatch.context() as patch:
        patch.setattr(scan, "LONG_CHARS", sys.maxsize)
        patch.setattr(scan, "DENSE_CHARS", sys.maxsize)
        return scan.find_spans(text)


@pytest.fixture(params=["automaton", "plain"])
def find_in_long(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Find]:
    """`find_spans` as for long texts, with the library and without it."""
    if request.param == "plain":
        monkeypatch.setitem(sys.modules, "ahocorasick_rs", None)
    monkeypatch.setattr(scan, "LONG_CHARS", 0)
    monkeypatch.setattr(scan, "_automatons", [])
    yield scan.find_spans
    assert (scan._automatons[0][0] is None) is (request.param == "plain")


def new_seed() -> int:
    """The same one each time; another one in the long form."""
    return random.randrange(10**6) if IS_LONG else 567_165


def covers(spans: list[scan.Span], others: list[scan.Span]) -> bool:
    """Whether all of ``others`` lie within ``spans``. The automaton also finds a token of which signs
    leave no long run."""
    return all(any(span[0] <= a and b <= span[1] for span in spans) for a, b, _ in others)


def token(draw: random.Random) -> str:
    return "".join(draw.choices(LETTERS, k=draw.choice([8, 20, 36, 48, 80])))


def some_text(draw: random.Random) -> str:
    """Anchors, tokens and fillings in any order, now and then in base64."""
    parts = []
    for _ in range(draw.randrange(1, 60)):
        part = draw.choice(
            [
                draw.choice(ANCHORS),
                draw.choice(ANCHORS) + token(draw),
                token(draw),
                draw.choice(FILLS),
            ]
        )
        parts.append(b64encode(part.encode()).decode() if draw.random() < 0.05 else part)
    return "".join(parts)


def test_what_is_found_in_a_short_text_is_found_in_a_long_one(
    find_in_long: Find, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = new_seed()
    draw = random.Random(seed)
    found = 0
    for _ in range(400):
        text = some_text(draw)
        spans = short_way(text, monkeypatch)
        assert covers(find_in_long(text), spans), (seed, text)
        found += len(spans)
    assert found > 200


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([*ANCHORS, *FILLS]) | st.text(LETTERS + "-_.:/+= ", max_size=60)))
def test_whatever_the_pieces_no_secret_is_missed(parts: list[str]) -> None:
    text = "".join(parts)
    with pytest.MonkeyPatch.context() as patch:
        spans = short_way(text, patch)
        patch.setattr(scan, "LONG_CHARS", 0)
        assert covers(scan.find_spans(text), spans)


@pytest.mark.parametrize("before", ["", "%3D", "\x1b[31m", "\x1b[1;31m", "= ", "-", "_"])
def test_a_token_behind_an_escape_is_found(find_in_long: Find, before: str) -> None:
    secret = "sk-" + "ant-" + "aB3dE6gH9kLmN0pQ" * 3

    (found,) = find_in_long("x" * 50 + " " + before + secret + " rest")

    assert found[2] == "anthropic-key"


def test_a_text_with_many_runs_is_split(find_in_long: Find) -> None:
    """Past `DENSE_RUNS` the runs are found in another way; the last one counts like the first."""
    noise = " ".join(f"call_{number:020d}xYz" for number in range(2 * sieve.DENSE_RUNS))

    (found,) = find_in_long(noise + " gh" + "p_" + "aB3dE6gH9" * 4)

    assert found[2] == "github-token"


@pytest.mark.parametrize("library", ["automaton", "plain"])
@pytest.mark.parametrize("dense_chars", [0, 1024, sys.maxsize])
def test_an_event_is_clean_only_where_a_walk_through_it_finds_nothing(
    library: str, dense_chars: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if library == "plain":
        monkeypatch.setitem(sys.modules, "ahocorasick_rs", None)
    monkeypatch.setattr(scan, "_automatons", [])
    monkeypatch.setattr(scan, "DENSE_CHARS", dense_chars)
    seed = new_seed()
    draw, redactor = random.Random(seed), Redactor()
    clean = 0
    for _ in range(500):
        inner = {"dsn": some_text(draw)[:40], "note": some_text(draw)[: draw.choice([20, 200])]}
        texts = [
            some_text(draw)[: draw.choice([30, 300, 3_000])],
            json.dumps(inner),
            "max_tokens: 12",
        ]
        event = {"agent": "a", "content": draw.choice(texts), "input": {"path": draw.choice(texts)}}
        if redactor.is_clean(event):
            clean += 1
            assert redactor.redact_event(event)[1] == 0, (seed, event)
    assert clean > 20


@pytest.mark.parametrize("place", [0, 7, 40, 79])
@pytest.mark.parametrize("name", ["id", "uuid"])
def test_a_token_among_many_ids_is_found(name: str, place: int) -> None:
    """Where long runs are many, one look for all anchors takes the place of a look at each."""
    ids = {"id": "call_{:024x}xYz", "uuid": "{:08x}-4d1b-4c1b-8d1b-0123456789ab"}
    parts = [ids[name].format(number) for number in range(80)]
    event = {"agent": "a", "content": "ids: " + " ".join(parts)}
    assert Redactor().is_clean(event)
    parts[place] = "gh" + "p_" + "aB3dE6gH9" * 4
    assert not Redactor().is_clean({**event, "content": "ids: " + " ".join(parts)})


@pytest.mark.parametrize("shift", range(-40, 40, 3))
def test_a_secret_across_a_piece_is_found(find_in_long: Find, shift: int) -> None:
    secret = "gh" + "p_" + "aB3dE6gH9" * 4
    start = sieve.PIECE_BYTES + shift

    (found,) = find_in_long("." * start + secret + "." * 100)

    assert found == (start, start + len(secret), "github-token")


WORDS = [
    *scan._NEEDLES, *ANCHORS, *FILLS, "Basic dXNlcjpwYXNz", "api_key", "[cut: ", "]", "@", "~", ">", "--",
    "curl -u a:b", "tokens", "passage", "keyboard", "monkey: ", "\ud800", "x" * 700,
]  # fmt: skip


@pytest.mark.parametrize("library", ["automaton", "plain"])
@settings(max_examples=150, deadline=None)
@given(parts=st.lists(st.sampled_from(WORDS) | st.text(max_size=8), max_size=12))
def test_one_look_for_all_words_finds_what_a_look_for_each_finds(
    library: str, parts: list[str]
) -> None:
    text = " ".join(parts)
    low = text.replace("\u0130", "I").lower()
    with pytest.MonkeyPatch.context() as patch:
        if library == "plain":
            patch.setitem(sys.modules, "ahocorasick_rs", None)
        patch.setattr(scan, "_automatons", [])
        patch.setattr(scan, "DENSE_CHARS", sys.maxsize)
        wanted, spans = (scan.has_word(low), scan._find_words(text, low)), scan.find_spans(text)
        patch.setattr(scan, "DENSE_CHARS", 0)
        assert (scan.has_word(low), scan._find_words(text, low)) == wanted
        assert covers(scan.find_spans(text), spans)


def test_every_word_that_is_asked_for_is_looked_for() -> None:
    asked: set[str] = set()

    class Hay:
        def __init__(self, *held: str) -> None:
            self._held = held

        def __contains__(self, word: str) -> bool:
            asked.add(word)
            return word in self._held

    signs = ":=~>+/]@-- "
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan, "DENSE_CHARS", 0)
        for hay in (Hay(), Hay("curl", "connection", "token")):
            patch.setattr(scan, "_needles_of", lambda low, hay=hay: hay)
            assert not scan.has_word(signs)
    assert asked == set(scan._NEEDLES)
    assert all(word.isascii() and word == word.lower() for word in scan._NEEDLES)
