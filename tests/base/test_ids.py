"""Ids are what their specifications say."""

import uuid

from laneway.base.clock import now_ns
from laneway.base.ids import is_hex, new_event_id, new_span_id, new_trace_id


def test_an_event_id_is_a_uuid7_of_its_time() -> None:
    ts_ns = now_ns()
    made = uuid.UUID(new_event_id(ts_ns))

    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == ts_ns // 1_000_000


def test_trace_and_span_ids_are_w3c() -> None:
    assert is_hex(new_trace_id(), 32)
    assert is_hex(new_span_id(), 16)
    assert not is_hex("0" * 16, 16)
    assert not is_hex("A" * 16, 16)
