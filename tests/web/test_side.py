"""Long payloads over HTTP: whole, in pieces, verified, and never more than text."""

from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from laneway.hub.hub import Hub
from tests.waiting import eventually

from ..hub.event import event
from .conftest import Tokens, bearer

TEXT = "Żółć: the whole of it\n" * 60_000
DATA = TEXT.encode()
DIGEST = sha256(DATA).hexdigest()


@pytest.fixture(autouse=True)
def kept(hub: Hub) -> None:
    hub.append(hub.intake.take([event(1, output=TEXT)]).lines)
    eventually(lambda: hub.store.last_seq == 1)


async def test_an_event_names_its_payload_and_the_hub_gives_it(client: httpx.AsyncClient) -> None:
    stored = (await client.get("/api/events/@1")).json()
    (file,) = stored["side_files"]
    answer = await client.get(f"/api/side/{file['sha256']}")

    assert answer.status_code == 200
    assert answer.text == TEXT
    assert len(stored["output"]) < 256 * 1024
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "content-disposition" not in answer.headers


async def test_it_comes_in_pieces(client: httpx.AsyncClient) -> None:
    parts, offset = [], 0
    while offset < len(DATA):
        answer = await client.get(
            f"/api/side/{DIGEST}", params={"offset": offset, "limit": 100_000}
        )
        assert answer.status_code == 206
        end = offset + len(answer.content)
        assert answer.headers["content-range"] == f"bytes {offset}-{end - 1}/{len(DATA)}"
        parts.append(answer.content)
        offset = end
    assert b"".join(parts) == DATA
    assert len(parts) == -(-len(DATA) // 100_000)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [("bytes=10-19", DATA[10:20]), ("bytes=10-", DATA[10:]), ("lines=1-2", DATA)],
)
async def test_a_range_header_is_understood(
    client: httpx.AsyncClient, value: str, wanted: bytes
) -> None:
    answer = await client.get(f"/api/side/{DIGEST}", headers={"Range": value})

    assert answer.content == wanted
    assert answer.status_code == (200 if wanted is DATA else 206)


async def test_it_can_be_saved_as_a_file(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"/api/side/{DIGEST}", params={"download": "1"})

    assert answer.headers["content-disposition"] == f'attachment; filename="{DIGEST[:16]}.txt"'
    assert answer.content == DATA


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        (f"/api/side/{'0' * 64}", 404, "there is no side file"),
        ("/api/side/..%2f..%2fetc%2fpasswd", 404, ""),
        ("/api/side/abc", 404, "is not a SHA-256"),
        (f"/api/side/{DIGEST}?offset=-1", 400, "not a whole number"),
        (f"/api/side/{DIGEST}?ofset=1", 400, "no parameter"),
        (f"/api/side/{DIGEST}?offset=99999999", 416, "of 1"),
    ],
)
async def test_what_cannot_be_given_says_why(
    client: httpx.AsyncClient, path: str, status: int, words: str
) -> None:
    answer = await client.get(path)

    assert answer.status_code == status
    assert words in answer.json()["message"]


def damage(hub: Hub) -> None:
    path = Path(hub.log_path.directory, "side", DIGEST[:2], f"{DIGEST}.txt")
    path.write_bytes(DATA[:-1] + b"?")


async def test_a_damaged_file_is_told_and_not_given(client: httpx.AsyncClient, hub: Hub) -> None:
    damage(hub)

    answer = await client.get(f"/api/side/{DIGEST}?limit=10")

    assert answer.status_code == 404
    assert "damaged" in answer.json()["message"]


async def test_a_sender_may_not_read_it(stranger: httpx.AsyncClient, tokens: Tokens) -> None:
    answer = await stranger.get(f"/api/side/{DIGEST}", headers=bearer(tokens.ingest))
    assert answer.status_code == 403


async def test_metrics_count_what_was_kept(client: httpx.AsyncClient) -> None:
    assert "laneway_side_files_total 1" in (await client.get("/metrics")).text
