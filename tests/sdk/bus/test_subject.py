"""Names as tokens of a subject."""

from hypothesis import example, given
from hypothesis import strategies as st

from laneway.sdk.bus.subject import TOKEN_CHARS, encode_name, subject_of

ALLOWED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-=")
NAMES = st.text(max_size=400)


def test_an_ordinary_name_stays_as_it_is() -> None:
    assert subject_of("laneway", "shop-1", "web_search") == "laneway.shop-1.web_search"


@given(NAMES)
@example("")
@example("a.b.c > * \r\n")
@example("\ud800")
def test_any_name_is_one_short_token(name: str) -> None:
    token = encode_name(name)
    assert token
    assert set(token) <= ALLOWED
    assert len(token) <= TOKEN_CHARS + 30


@given(NAMES, NAMES)
@example("", "=")
@example("a" * 300, "a" * 301)
@example("a" * 120, "a" * 121)
@example("é", "=C3=A9")
def test_two_names_never_share_a_token(one: str, other: str) -> None:
    assert (encode_name(one) == encode_name(other)) == (one == other)
