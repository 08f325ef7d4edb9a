"""A running hub takes what the home says now: new, rotated, revoked and ended tokens."""

import logging
import os
from pathlib import Path

import httpx
import pytest

from laneway.base.settings import Settings, resolve
from laneway.web import door as door_module
from laneway.web.app import App
from laneway.web.door import Door
from laneway.web.keyring import Keyring

from .conftest import Tokens, bearer

EVENT = {"agent": "a", "event": "x"}


@pytest.fixture(autouse=True)
def _look_always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_module, "LOOK_S", 0.0)


@pytest.fixture
def keyring(home: Path) -> Keyring:
    return Keyring(str(home))


def scopes(door: Door, token: str) -> set[str]:
    grant = door.bearer({b"authorization": b"Bearer " + token.encode()})
    return set(grant.scopes) if grant else set()


async def status(client: httpx.AsyncClient, token: str, path: str = "/api/events") -> int:
    if path == "/log":
        return (await client.post(path, json=EVENT, headers=bearer(token))).status_code
    return (await client.get(path, headers=bearer(token))).status_code


async def test_a_new_token_is_taken_by_a_running_hub_and_a_revoked_one_is_not(
    app: App, stranger: httpx.AsyncClient, keyring: Keyring
) -> None:
    token = keyring.add("reader", ["read"])
    assert await status(stranger, token) == 200
    keyring.revoke("reader")
    assert await status(stranger, token) == 401


@pytest.mark.parametrize(
    ("scope", "taken"),
    [
        ("ingest", {"/log"}),
        ("read", {"/api/events", "/metrics"}),
        ("admin", {"/admin/tokens"}),
    ],
)
async def test_a_scope_opens_its_own_door_and_no_other(
    app: App, stranger: httpx.AsyncClient, keyring: Keyring, scope: str, taken: set[str]
) -> None:
    token = keyring.add("one", [scope])
    for path in ("/log", "/api/events", "/metrics", "/admin/tokens"):
        assert await status(stranger, token, path) == (200 if path in taken else 403), path


async def test_scopes_add_up(app: App, stranger: httpx.AsyncClient, keyring: Keyring) -> None:
    token = keyring.add("both", ["ingest", "read"])
    assert await status(stranger, token, "/log") == 200
    assert await status(stranger, token) == 200
    assert await status(stranger, token, "/admin/tokens") == 403


async def test_a_bound_token_speaks_for_nobody_else(
    app: App, stranger: httpx.AsyncClient, keyring: Keyring
) -> None:
    token = keyring.add("ci", ["ingest"], agents=["builder"])
    batch = [{"agent": "builder", "event": "x"}, {"agent": "planner", "event": "x"}]
    answer = await stranger.post("/log", json=batch, headers=bearer(token))
    assert answer.status_code == 200
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (1, 1)
    error = answer.json()["errors"][0]
    assert (error["index"], error["field"]) == (1, "agent")
    assert error["message"] == '"planner" is another\'s name; this token speaks for builder only'
    alone = await stranger.post("/log", json=batch[1], headers=bearer(token))
    assert alone.status_code == 422


async def test_a_token_bound_to_a_pod_takes_no_event_without_one(
    app: App, stranger: httpx.AsyncClient, keyring: Keyring
) -> None:
    token = keyring.add("ci", ["ingest"], pods=["team-a"])
    for event, expected in (
        ({**EVENT, "pod": "team-a"}, 200),
        ({**EVENT, "pod": "team-b"}, 422),
        (EVENT, 422),
    ):
        answer = await stranger.post("/log", json=event, headers=bearer(token))
        assert answer.status_code == expected, event


async def test_a_name_is_checked_as_it_will_be_kept(
    app: App, stranger: httpx.AsyncClient, keyring: Keyring
) -> None:
    """A number, or a second agent among the keys, is what a parser might read in two ways."""
    token = keyring.add("ci", ["ingest"], agents=["7"])
    body = b'{"agent":"planner","event":"x","agent":7}'
    answer = await stranger.post("/log", content=body, headers=bearer(token))
    assert answer.status_code == 200
    body = b'{"agent":7,"event":"x","agent":"planner"}'
    answer = await stranger.post("/log", content=body, headers=bearer(token))
    assert answer.status_code == 422


async def test_a_token_ends_when_its_time_is_over(
    app: App, stranger: httpx.AsyncClient, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = keyring.add("brief", ["read"], life_s=600)
    assert await status(stranger, token) == 200
    later = door_module.time() + 601
    monkeypatch.setattr(door_module, "time", lambda: later)
    assert await status(stranger, token) == 401


async def test_a_session_ends_with_the_token_that_made_it(
    app: App, stranger: httpx.AsyncClient, keyring: Keyring
) -> None:
    token = keyring.add("ada", ["read"])
    made = (await stranger.post("/auth/code", headers=bearer(token))).json()
    await stranger.post("/auth/exchange", json={"code": made["code"]})
    assert (await stranger.get("/api/events")).status_code == 200
    keyring.revoke("ada")
    assert (await stranger.get("/api/events")).status_code == 401


async def test_a_code_of_a_revoked_token_opens_nothing(
    app: App, stranger: httpx.AsyncClient, keyring: Keyring
) -> None:
    token = keyring.add("ada", ["read"])
    made = (await stranger.post("/auth/code", headers=bearer(token))).json()
    keyring.revoke("ada")
    answer = await stranger.post("/auth/exchange", json={"code": made["code"]})
    assert answer.status_code == 401


async def test_a_session_has_no_more_rights_than_reading(
    app: App, stranger: httpx.AsyncClient
) -> None:
    await stranger.post("/auth/exchange", json={"code": app.access.door.new_code()})
    assert (await stranger.get("/api/events")).status_code == 200
    assert (await stranger.get("/admin/tokens")).status_code == 401
    assert (await stranger.post("/log", json=EVENT)).status_code == 401


async def test_after_logging_out_a_copy_of_the_cookie_is_worth_nothing(
    app: App, stranger: httpx.AsyncClient
) -> None:
    await stranger.post("/auth/exchange", json={"code": app.access.door.new_code()})
    copy = dict(stranger.cookies)
    answer = await stranger.post("/auth/logout")
    assert answer.status_code == 200
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert dict(stranger.cookies) == {}
    thief = {"Cookie": "; ".join(f"{name}={value}" for name, value in copy.items())}
    assert (await stranger.get("/api/events", headers=thief)).status_code == 401


async def test_sessions_are_kept_as_hashes(
    app: App, stranger: httpx.AsyncClient, home: Path
) -> None:
    await stranger.post("/auth/exchange", json={"code": app.access.door.new_code()})
    (secret,) = dict(stranger.cookies).values()
    text = (home / "sessions.json").read_text()
    assert secret not in text
    assert '"sha256"' in text


async def test_the_list_of_tokens_shows_no_token(
    app: App, client: httpx.AsyncClient, keyring: Keyring, tokens: Tokens
) -> None:
    token = keyring.add("ci", ["ingest"], agents=["builder"], life_s=3600)
    answer = await client.get("/admin/tokens")
    rows = {row["name"]: row for row in answer.json()["tokens"]}
    assert set(rows) == {"access", "ci", "ingest"}
    assert rows["ci"]["agents"] == ["builder"]
    assert rows["ci"]["until"].startswith("20")
    assert rows["ci"]["idle_s"] is None
    assert rows["access"]["idle_s"] >= 0
    for secret in (token, *tokens):
        assert secret not in answer.text


def test_the_machines_own_token_may_be_exchanged_for_another_while_the_hub_runs(
    settings: Settings, home: Path
) -> None:
    door = Door(settings)
    old = (home / "access.token").read_text().strip()
    (home / "new").write_text("another-token-0123456789\n")
    os.replace(home / "new", home / "access.token")
    assert scopes(door, old) == set()
    assert scopes(door, "another-token-0123456789") == {"ingest", "read", "admin"}


def test_a_token_whose_file_is_gone_is_taken_no_more(settings: Settings, home: Path) -> None:
    door = Door(settings)
    token = (home / "ingest.token").read_text().strip()
    assert scopes(door, token) == {"ingest"}
    (home / "ingest.token").unlink()
    assert scopes(door, token) == set()


def test_a_broken_file_takes_nobodys_token_away(
    settings: Settings, keyring: Keyring, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    token = keyring.add("ci", ["ingest"])
    door = Door(settings)
    (home / "tokens.json").write_text("{")
    with caplog.at_level(logging.WARNING):
        assert scopes(door, token) == {"ingest"}
    assert "the tokens stay as they were" in caplog.text
    assert token not in caplog.text


def test_the_hub_holds_hashes_only(settings: Settings, home: Path) -> None:
    """What a core dump of the hub, or a traceback with its variables, could show."""
    import pickle

    door = Door(settings)
    door.new_code()
    held = pickle.dumps([door._grants, door._sessions._codes, door._stamps, door._files])
    for name in ("ingest", "access"):
        assert (home / f"{name}.token").read_bytes().strip() not in held


def test_a_token_in_the_settings_replaces_the_file(home: Path) -> None:
    door = Door(resolve({"home": home, "token": "given-0123456789abcdef"}, env={}))
    assert scopes(door, "given-0123456789abcdef") == {"ingest"}
    assert not (home / "ingest.token").exists()
