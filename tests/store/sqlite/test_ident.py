"""Packed ids stay apart, and UUIDv7 stay in order of time."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laneway.base.ids import new_event_id
from laneway.store.sqlite.ident import (
    HEX_TERM,
    format_uuid,
    ids_with,
    is_timed,
    pack_hex,
    pack_id,
    pack_ids,
    term_of,
    terms_with,
)

IDS = st.one_of(st.text(max_size=40), st.uuids().map(str), st.uuids().map(lambda u: str(u).upper()))


@given(st.uuids())
def test_a_canonical_uuid_takes_16_bytes_and_comes_back(value: uuid.UUID) -> None:
    assert pack_id(str(value)) == value.bytes
    assert format_uuid(value.bytes) == str(value)


@given(IDS, IDS)
def test_different_ids_are_packed_differently(one: str, other: str) -> None:
    # Lone surrogates are the exception: no UTF-8 log holds them.
    if one.isascii() and other.isascii():
        assert (pack_id(one) == pack_id(other)) == (one == other)
        assert (pack_hex(one) == pack_hex(other)) == (one == other)


def test_only_a_uuid_of_version_7_is_timed() -> None:
    assert is_timed(pack_id(new_event_id()))
    assert not is_timed(pack_id(str(uuid.UUID(int=1 << 120, version=4))))
    assert not is_timed(pack_id("plain text"))


def test_timed_ids_sort_by_their_time() -> None:
    ids = [pack_id(new_event_id(ms * 1_000_000)) for ms in range(1, 2_000, 13)]
    assert ids == sorted(ids)  # type: ignore[type-var]


@given(st.binary(min_size=1, max_size=16), st.integers(1, 32))
def test_the_term_of_an_id_is_in_the_ranges_of_its_prefixes(raw: bytes, length: int) -> None:
    prefix = raw.hex()[:length]
    assert any(low <= term_of(raw) <= high for low, high in terms_with(prefix))


@given(IDS, st.integers(1, 36))
def test_an_id_is_in_the_ranges_of_its_prefixes(text: str, length: int) -> None:
    prefix = text[:length]
    if prefix.strip("0123456789abcdef-"):
        return
    packed = pack_id(text)
    assert any(
        type(low) is type(packed) and low <= packed <= high
        for low, high in ids_with(prefix)  # type: ignore[operator]
    )


@given(st.text())
def test_a_term_lies_above_all_names_and_within_sqlite_s_integers(text: str) -> None:
    assert HEX_TERM <= term_of(pack_hex(text)) < 2**63


@pytest.mark.parametrize(
    "odd",
    [
        "",
        "plain text",
        "0" * 36,
        "01A0C450-6c09-7dcf-88ff-fc8649dc62aa",
        "01a0c4506-c09-7dcf-88ff-fc8649dc62aa",
        "01a0c450-6c09-7dcf-88ff-fc8649dc 2aa",
        "01a0c450-6c09-7dcf-88ff-fc8649dc6\u00e4aa",
        "-1a0c450-6c09-7dcf-88ff-fc8649dc62aa",
    ],
)
def test_ids_packed_together_are_those_packed_one_by_one(odd: str) -> None:
    ids = [new_event_id() for _ in range(3)]
    for texts in (ids, [*ids, odd], [odd, *ids], [odd], []):
        assert pack_ids(texts) == [pack_id(text) for text in texts]


def test_two_odd_ids_that_are_uuids_only_when_joined_stay_text() -> None:
    first, second = new_event_id(), new_event_id()
    joined = first + second
    texts = [joined[:35], joined[35:]]
    assert pack_ids(texts) == texts
