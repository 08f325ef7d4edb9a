import httpx
import pytest

from laneway.hub.hub import Hub
from laneway.web import seqs as seqs_module

from ..hub.event import event
from .test_query import ask, fill


async def test_numbers_are_those_of_the_events_of_the_same_query(
    client: httpx.AsyncClient, hub: Hub
) -> None:
    fill(hub, *[event(n, agent="ab"[n % 2], content=f"number {n % 7}") for n in range(1, 40)])
    for q in ("", "agent:a", "number agent:b", '~"ber 3"', "agent:nobody"):
        events = (await ask(client, "/api/events", q=q))["events"]
        answer = await ask(client, "/api/seqs", q=q)
        assert answer["seqs"] == [item["seq"] for item in events], q
        assert answer["next"] is None
    bounded = await ask(client, "/api/seqs", **{"q": "agent:a", "from": 10, "to": 14})
    assert bounded["seqs"] == [12, 10]


async def test_numbers_come_many_pages_in_one_and_go_on_where_they_end(
    client: httpx.AsyncClient, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seqs_module, "PAGE_EVENTS", 3)
    fill(hub, *[event(n) for n in range(1, 24)])
    assert (await ask(client, "/api/seqs"))["seqs"] == list(range(23, 0, -1))
    monkeypatch.setattr(seqs_module, "PATIENCE_S", 0)
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = await ask(client, "/api/seqs", cursor=cursor)
        assert len(answer["seqs"]) <= 3
        seen += answer["seqs"]
        cursor = answer["next"]
    assert seen == list(range(23, 0, -1))
