"""Ids are what their specifications say."""

import os
import threading
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


def test_threads_never_get_the_same_id() -> None:
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.extend([new_event_id() for _ in range(5_000)]))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(made)) == 40_000


def test_a_forked_child_makes_ids_of_its_own() -> None:
    new_event_id()
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        os.write(write, "".join(new_event_id() for _ in range(50)).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(write)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    theirs = {text[i + 14 : i + 36] for i in range(0, len(text), 36)}
    ours = {new_event_id()[14:] for _ in range(50)}

    assert len(theirs) == 50
    assert theirs & ours == set()
