"""What JSON allows and what it does not, sent to the real routes: taken whole, or refused with a reason."""

import asyncio
import gzip
import json
import zlib

import httpx
import orjson
import pytest

from laneway.base.limits import DEPTH, KEY_CHARS, KEYS, MIB
from laneway.hub.hub import Hub
from tests.web.conftest import WAYS

HEAD = '"agent":"a","event":"x"'


def body(field: str) -> bytes:
    return f'{{{HEAD},"v":{field}}}'.encode()


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """All of this by both ways: a plain request is answered before the application sees it."""
    return str(request.param)


async def post(client: httpx.AsyncClient, data: bytes, **headers: str) -> httpx.Response:
    return await client.post("/log", content=data, headers=headers)


async def stored(client: httpx.AsyncClient, hub: Hub) -> list[dict[str, object]]:
    answer = await client.get("/api/events")
    for _ in range(18_000):
        if answer.json()["events"]:
            break
        await asyncio.sleep(0.01)
        answer = await client.get("/api/events")
    json.loads(answer.content, parse_constant=lambda name: pytest.fail(f"{name} in an answer"))
    return list(answer.json()["events"])


TAKEN = {
    "a number past 64 bits": ("1" + "0" * 30, None),
    "a number of 5,000 digits": ("9" * 5_000, None),
    "an exponent past any float": ("1e999", None),
    "a small exponent": ("1e-999", 0.0),
    "minus nothing": ("-0", 0),
    "not a number": ("NaN", None),
    "infinity": ("-Infinity", None),
    "a lone surrogate": ('"\\ud800"', None),
    "a pair of surrogates": ('"\\ud83d\\ude00"', "😀"),
    "a NUL": ('"a\\u0000b"', "a\0b"),
    "a key twice": ('1,"v":2', 2),
    "prototype keys": ('{"__proto__":{"x":1},"constructor":2}', {"__proto__": {"x": 1}, "constructor": 2}),
    "2**53 + 1": ("9007199254740993", 9007199254740993),
}  # fmt: skip


@pytest.mark.parametrize("name", TAKEN)
async def test_what_a_careless_sender_writes_is_taken_and_always_readable(
    client: httpx.AsyncClient,
    hub: Hub,
    name: str,
) -> None:
    text, value = TAKEN[name]
    answer = await post(client, body(text))
    assert answer.status_code == 200, answer.text
    (event,) = await stored(client, hub)
    orjson.loads(orjson.dumps(event))
    if value is not None:
        assert event["v"] == value


async def test_bad_utf8_is_kept_readable(client: httpx.AsyncClient, hub: Hub) -> None:
    assert (await post(client, body('"x\u0000y"').replace(b"\0", b"\xff"))).status_code == 200
    (event,) = await stored(client, hub)
    assert event["v"] == "x\ufffdy"


async def test_a_byte_order_mark_is_no_part_of_it(client: httpx.AsyncClient, hub: Hub) -> None:
    assert (await post(client, b"\xef\xbb\xbf" + body("1"))).json()["accepted"] == 1


def nested(depth: int, opening: str = "[", closing: str = "]") -> str:
    return opening * depth + closing * depth


REFUSED = {
    "deeper than allowed": body(nested(DEPTH)),
    "a hundred thousand brackets": body(nested(100_000)),
    "a hundred thousand objects": body('{"a":' * 100_000 + "1" + "}" * 100_000),
    "brackets that never close": b"[" * 200_000,
    "objects that never close": b'{"a":' * 200_000,
    "too many keys": f'{{{HEAD},{",".join(f"{chr(34)}k{n}{chr(34)}:1" for n in range(KEYS))}}}'.encode(),
    "too many keys, spread": body(
        orjson.dumps([{f"k{n}": 1, "l": 2} for n in range(KEYS // 2 + 1)]).decode()
    ),
    "a key too long": f'{{{HEAD},"{"k" * (KEY_CHARS + 1)}":"{"v" * 1000}"}}'.encode(),
    "a nested key too long": body(f'[{{"a":{{"{"k" * 2000}":1}}}}]'),
    "a raw control character": body('"a\x01b"'),
    "a raw newline": body('"a\nb"'),
    "single quotes": b"{'agent':'a','event':'x'}",
    "a comma too many": f"{{{HEAD},}}".encode(),
    "a comment": f"{{{HEAD} /* x */}}".encode(),
    "two values": f"{{{HEAD}}}{{{HEAD}}}".encode(),
    "a scalar": b"1",
    "null": b"null",
    "an array in an array": f"[[{{{HEAD}}}]]".encode(),
    "XML": b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>",
    "UTF-16": f"{{{HEAD}}}".encode("utf-16"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_no_event_is_refused_with_a_reason_and_nothing_is_kept(
    client: httpx.AsyncClient,
    hub: Hub,
    name: str,
) -> None:
    answer = await post(client, REFUSED[name])
    assert answer.status_code in (400, 413, 422), (answer.status_code, answer.text[:200])
    assert len(answer.content) < 100_000
    assert hub.metric.accepted.total == 0


@pytest.mark.parametrize("count", [KEYS - 10, KEYS + 1])
async def test_keys_up_to_the_limit_are_taken(
    client: httpx.AsyncClient,
    count: int,
) -> None:
    event = {"agent": "a", "event": "x", "v": {f"key{n}": n for n in range(count)}}
    answer = await client.post("/log", json=event)
    assert answer.status_code == (200 if count < KEYS else 422)


async def test_one_bad_event_takes_no_good_one_with_it(
    client: httpx.AsyncClient,
) -> None:
    good = f"{{{HEAD}}}".encode()
    lines = b"\n".join([good, REFUSED["deeper than allowed"], b"{", good, b"\xff\xfe", good])
    answer = await post(client, lines, **{"Content-Type": "application/x-ndjson"})
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (3, 3)


def bomb(size: int, level: int = 9) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, 31)
    block = b" " * MIB
    return b"".join(packer.compress(block) for _ in range(size // MIB)) + packer.flush()


BOMBS = {
    "200 MB of blanks": bomb(200 * MIB),
    "a bomb in a bomb": gzip.compress(bomb(200 * MIB)),
    "many members": gzip.compress(b" " * MIB) * 40,
    "ten thousand empty members": gzip.compress(b"") * 10_000 + gzip.compress(b"["),
    "a member and rubbish": gzip.compress(body("1")) + b"rubbish",
    "cut short": gzip.compress(body("1"))[:-9],
    "a wrong checksum": gzip.compress(body("1"))[:-8] + b"\0" * 8,
    "an endless name in its head": b"\x1f\x8b\x08\x08\0\0\0\0\0\3" + b"n" * 100_000,
    "no gzip": body("1"),
    "zlib": zlib.compress(body("1")),
    "nothing": b"",
}


@pytest.mark.parametrize("name", BOMBS)
async def test_a_compressed_body_cannot_grow_beyond_its_bounds(
    client: httpx.AsyncClient,
    hub: Hub,
    name: str,
) -> None:
    answer = await post(client, BOMBS[name], **{"Content-Encoding": "gzip"})
    assert answer.status_code in (200, 400, 413, 422)
    assert hub.metric.accepted.total == 0


@pytest.mark.parametrize(
    "encoding", ["gzip, gzip", "br", "zstd", "deflate", "x-gzip", "gzip,identity"]
)
async def test_only_one_gzip_is_understood(
    client: httpx.AsyncClient,
    encoding: str,
) -> None:
    answer = await post(client, gzip.compress(body("1")), **{"Content-Encoding": encoding})
    assert answer.status_code == 415
