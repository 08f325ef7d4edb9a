"""A sender that floods is told to wait, and its neighbours do not notice."""

from collections.abc import AsyncIterator

import httpx
import pytest

from laneway.base.settings import Settings
from laneway.hub.hub import Hub
from laneway.web import rate
from laneway.web.app import create_app
from laneway.web.auth import Access
from laneway.web.keyring import Keyring
from laneway.web.rate import BURST_S, MOST_WAIT_S, Buckets, RateError

from .conftest import PORT, WAYS, bearer


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """All of this by both ways: a plain request is answered before the application sees it."""
    return str(request.param)


def test_a_burst_passes_and_what_follows_waits_until_the_debt_is_paid() -> None:
    buckets = Buckets("agent", 100)
    buckets.check(["a"], 1.0)
    buckets.take({"a": 1500}, 1.0)  # a batch is not torn apart
    with pytest.raises(RateError) as caught:
        buckets.check(["a"], 1.0)
    assert caught.value.retry_after_s == 5
    with pytest.raises(RateError):
        buckets.check(["a"], 5.9)
    buckets.check(["a"], 6.1)


def test_one_in_debt_holds_up_the_request_and_costs_the_others_nothing() -> None:
    buckets = Buckets("agent", 10)
    buckets.take({"noisy": 1000}, 1.0)
    for _ in range(100):
        with pytest.raises(RateError, match="noisy"):
            buckets.check(["quiet", "noisy"], 1.0)
    buckets.check(["quiet"], 1.0)


def test_a_bucket_is_never_fuller_than_a_burst() -> None:
    buckets = Buckets("agent", 10)
    buckets.take({"a": 1}, 1.0)
    buckets.take({"a": int(10 * BURST_S)}, 1_000_000.0)
    with pytest.raises(RateError):
        buckets.check(["a"], 1_000_000.0)


def test_nobody_waits_longer_than_a_minute_before_asking_again() -> None:
    buckets = Buckets("token", 1)
    buckets.take({"a": 1_000_000}, 1.0)
    with pytest.raises(RateError) as caught:
        buckets.check(["a"], 1.0)
    assert caught.value.retry_after_s == MOST_WAIT_S


def test_a_thousand_names_take_no_more_memory_than_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rate, "BUCKETS", 100)
    buckets = Buckets("agent", 10)
    buckets.take({"noisy": 1000}, 1.0)
    for n in range(1000):
        buckets.take({f"n{n}": 1, "noisy": 1}, 1.0)
    assert len(buckets._held) == 100
    with pytest.raises(RateError):
        buckets.check(["noisy"], 1.0)


@pytest.fixture
async def stranger(settings: Settings, hub: Hub, home: object) -> AsyncIterator[httpx.AsyncClient]:
    """In front of a hub with limits."""
    settings.token_rate, settings.agent_rate = 200.0, 20.0
    app = create_app(hub, Access.of(settings, PORT))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(
        transport=transport, base_url=f"http://127.0.0.1:{PORT}"
    ) as client:
        yield client


async def send(client: httpx.AsyncClient, token: str, agent: str, count: int) -> httpx.Response:
    batch = [{"agent": agent, "event": "log", "n": n} for n in range(count)]
    return await client.post("/log", json=batch, headers=bearer(token))


async def test_a_flood_of_one_agent_is_answered_429_and_its_neighbour_loses_nothing(
    stranger: httpx.AsyncClient, settings: Settings, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate, "monotonic", lambda: 1000.0)  # all within one moment
    keyring = Keyring(settings.home)
    noisy, quiet = keyring.add("noisy", ["ingest"]), keyring.add("quiet", ["ingest"])
    taken = {"noisy": 0, "quiet": 0}
    for _ in range(50):
        answer = await send(stranger, noisy, "noisy", 100)
        if answer.status_code == 429:
            assert answer.json()["code"] == "too_many_events"
            assert int(answer.headers["retry-after"]) >= 1
        else:
            taken["noisy"] += answer.json()["accepted"]
        answer = await send(stranger, quiet, "quiet", 3)
        assert answer.status_code == 200
        taken["quiet"] += answer.json()["accepted"]
    assert taken == {"noisy": 200, "quiet": 150}  # a burst of the one, everything of the other
    assert hub.metric.refused.values[("too_many_events",)] == 48
    assert hub.metric.accepted.total == 350


async def test_many_names_do_not_help_one_token(
    stranger: httpx.AsyncClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate, "monotonic", lambda: 1000.0)
    token = Keyring(settings.home).add("noisy", ["ingest"])
    statuses = [(await send(stranger, token, f"a{n}", 100)).status_code for n in range(40)]
    assert statuses == [200] * 20 + [429] * 20


async def test_what_was_refused_may_be_sent_again(
    stranger: httpx.AsyncClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 1000.0
    monkeypatch.setattr(rate, "monotonic", lambda: now_s)
    token = Keyring(settings.home).add("noisy", ["ingest"])
    assert (await send(stranger, token, "a", 300)).status_code == 200
    refused = await send(stranger, token, "a", 300)
    assert refused.status_code == 429
    now_s += int(refused.headers["retry-after"]) + 0.1
    assert (await send(stranger, token, "a", 300)).status_code == 200


async def test_without_a_limit_five_thousand_a_second_pass(
    client: httpx.AsyncClient, hub: Hub
) -> None:
    """The default: one moment, one agent, one token."""
    for _ in range(10):
        batch = [{"agent": "a", "event": "log"}] * 500
        assert (await client.post("/log", json=batch)).status_code == 200
    assert hub.metric.accepted.total == 5000
