import asyncio
import gzip
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from laneway.base.errors import BodyError
from laneway.base.limits import MIB
from laneway.web import body as body_module
from laneway.web.body import GoneError, read_body, unzip


def receiving(*parts: bytes, gone: bool = False) -> Callable[[], Awaitable[Any]]:
    """What a server hands an application."""
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": part, "more_body": i + 1 < len(parts) or gone}
        for i, part in enumerate(parts)
    ]
    messages.append({"type": "http.disconnect"})

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    return receive


async def test_a_body_in_parts_is_one_body() -> None:
    assert await read_body(receiving(b"a", b"", b"bc"), {}, 3) == b"abc"


@pytest.mark.parametrize("parts", [(b"abcd",), (b"ab", b"cd"), (b"abc", b"d")])
async def test_a_body_past_the_limit_is_refused(parts: tuple[bytes, ...]) -> None:
    with pytest.raises(BodyError) as caught:
        await read_body(receiving(*parts), {}, 3)
    assert caught.value.status == 413


async def test_a_body_that_declares_too_much_is_not_even_read() -> None:
    async def receive() -> Any:
        raise AssertionError("it was read")

    with pytest.raises(BodyError) as caught:
        await read_body(receive, {b"content-length": b"4"}, 3)
    assert caught.value.status == 413


async def test_a_client_that_leaves_gets_no_answer() -> None:
    for parts in ((), (b"a",), (b"a", b"b")):
        with pytest.raises(GoneError):
            await read_body(receiving(*parts, gone=True), {}, 10)


async def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_module, "READ_S", 0.02)

    async def receive() -> Any:
        await asyncio.sleep(60)

    with pytest.raises(BodyError) as caught:
        await read_body(receive, {}, 10)
    assert caught.value.status == 408


async def test_gzip_is_read_and_anything_else_is_named() -> None:
    packed = gzip.compress(b"hello")
    assert await read_body(receiving(packed), {b"content-encoding": b"GZIP"}, 99) == b"hello"
    with pytest.raises(BodyError, match="br") as caught:
        await read_body(receiving(packed), {b"content-encoding": b"br"}, 99)
    assert caught.value.status == 415


def test_several_gzip_members_are_one_body() -> None:
    assert unzip(gzip.compress(b"one ") + gzip.compress(b"two"), 99) == b"one two"


def test_a_bomb_is_refused_before_it_goes_off() -> None:
    bomb = gzip.compress(b"\0" * (200 * MIB), 1)
    with pytest.raises(BodyError) as caught:
        unzip(bomb, 16 * MIB)
    assert caught.value.status == 413


def test_a_bomb_of_many_members_is_refused_too() -> None:
    member = gzip.compress(b"\0" * MIB)
    with pytest.raises(BodyError) as caught:
        unzip(member * 40, 16 * MIB)
    assert caught.value.status == 413


def test_a_ratio_that_no_text_has_is_refused_within_the_limit() -> None:
    with pytest.raises(BodyError):
        unzip(gzip.compress(b"\0" * (8 * MIB)), 16 * MIB)


def test_text_that_shrinks_well_is_taken() -> None:
    text = b'{"agent":"planner","event":"tool_invocation","content":"search the notes"}\n' * 20_000
    lines = b"".join(b"%d%b" % (n, text[n * 76 : n * 76 + 76]) for n in range(20_000))
    assert unzip(gzip.compress(lines), 16 * MIB) == lines


@pytest.mark.parametrize("cut", [1, 5, -1, -8])
def test_a_cut_or_broken_gzip_body_is_told(cut: int) -> None:
    with pytest.raises(BodyError):
        unzip(gzip.compress(b"hello")[:cut], 99)
    with pytest.raises(BodyError, match="not gzip"):
        unzip(b"hello", 99)
