"""The rules over HTTP: who may read them, who may change them, and what is said of a bad one."""

from typing import Any

import httpx
import pytest

from laneway.hub.hub import Hub
from laneway.web.auth import Access
from laneway.web.keyring import Keyring
from tests.waiting import eventually

from ..hub.event import event
from .conftest import PORT, Tokens, bearer
from .test_query import ask, fill

DRAFT = {"name": "errors", "q": "has:error", "limit": 1, "window": "5m"}
ORIGIN = {"Origin": f"http://127.0.0.1:{PORT}"}


async def test_a_rule_is_made_changed_muted_and_removed(client: httpx.AsyncClient) -> None:
    made = (await client.post("/api/alerts", json=DRAFT)).json()
    assert (made["state"], made["show"], made["keep"]) == ("ok", "has:error", "1m")
    path = f"/api/alerts/{made['id']}"
    changed = (await client.put(path, json={**DRAFT, "limit": 7})).json()
    assert (changed["limit"], changed["id"]) == (7, made["id"])
    assert (await client.post(f"{path}/mute", json={"muted": "1h"})).json()["muted"] > "2026"
    assert (await client.post(f"{path}/mute", json={"muted": ""})).json()["muted"] == ""
    assert [rule["name"] for rule in (await ask(client, "/api/alerts"))["rules"]] == ["errors"]
    assert (await client.delete(path)).json() == {"ok": True}
    assert (await ask(client, "/api/alerts"))["rules"] == []


@pytest.mark.parametrize(
    ("body", "column"),
    [
        ({**DRAFT, "q": "agent:a tol:b"}, 9),
        ({**DRAFT, "kind": "loud"}, None),
        ([], None),
        ({"q": ""}, None),
    ],
)
async def test_a_bad_rule_is_refused_with_the_place_of_the_fault(
    client: httpx.AsyncClient, body: Any, column: int | None
) -> None:
    answer = await client.post("/api/alerts", json=body)
    assert answer.status_code == 400
    assert answer.json().get("column") == column


async def test_what_is_not_there_is_404(client: httpx.AsyncClient) -> None:
    for method, path in (("PUT", "x"), ("DELETE", "x"), ("POST", "x/mute")):
        answer = await client.request(method, f"/api/alerts/{path}", json={**DRAFT, "muted": ""})
        assert answer.status_code in (400, 404)
    assert (await client.delete("/api/alerts/x")).status_code == 404


async def test_a_reader_sees_the_rules_and_changes_none(
    stranger: httpx.AsyncClient, access: Access, home: Any
) -> None:
    token = Keyring(str(home)).add("reader", ["read"])
    access.door._load()
    told = await stranger.get("/api/alerts", headers=bearer(token))
    assert told.json()["may_edit"] is False
    answer = await stranger.post("/api/alerts", json=DRAFT, headers=bearer(token))
    assert answer.status_code == 403


async def test_a_token_that_sees_some_agents_only_sees_no_rules(
    stranger: httpx.AsyncClient, access: Access, home: Any
) -> None:
    token = Keyring(str(home)).add("shop", ["read"], agents=["coder"])
    access.door._load()
    for path in ("/api/alerts", "/api/alerts/trial"):
        assert (await stranger.get(path, headers=bearer(token))).status_code == 403


async def test_a_browser_changes_rules_from_the_hubs_own_page_alone(
    stranger: httpx.AsyncClient, client: httpx.AsyncClient, tokens: Tokens
) -> None:
    code = (await client.post("/auth/code")).json()["code"]
    let_in = await stranger.post("/auth/exchange", json={"code": code})
    cookie = {"Cookie": let_in.headers["set-cookie"].partition(";")[0]}
    told = await stranger.get("/api/alerts", headers=cookie)
    assert told.json()["may_edit"] is True
    assert (await stranger.post("/api/alerts", json=DRAFT, headers=cookie)).status_code == 401
    foreign = {**cookie, "Origin": "http://evil.example"}
    assert (await stranger.post("/api/alerts", json=DRAFT, headers=foreign)).status_code == 403
    own = await stranger.post("/api/alerts", json=DRAFT, headers={**cookie, **ORIGIN})
    assert own.status_code == 200
    # and by its cookie it still sends nothing and administers nothing else
    for method, path in (("POST", "/log"), ("GET", "/admin/tokens")):
        answer = await stranger.request(method, path, headers={**cookie, **ORIGIN}, json={})
        assert answer.status_code == 401


async def test_a_session_of_a_token_that_reads_changes_no_rules(
    stranger: httpx.AsyncClient, access: Access, home: Any
) -> None:
    token = Keyring(str(home)).add("reader", ["read"])
    access.door._load()
    code = (await stranger.post("/auth/code", headers=bearer(token))).json()["code"]
    let_in = await stranger.post("/auth/exchange", json={"code": code})
    cookie = {"Cookie": let_in.headers["set-cookie"].partition(";")[0], **ORIGIN}
    assert (await stranger.post("/api/alerts", json=DRAFT, headers=cookie)).status_code == 403


async def test_a_rule_is_tried_against_history(client: httpx.AsyncClient, hub: Hub) -> None:
    fill(hub, *(event(n, level="error", timestamp=None) for n in range(3)))
    given = {"q": "has:error", "limit": 1, "window": "1m", "since": "1h"}
    told = await ask(client, "/api/alerts/trial", **given)
    assert (told["fired"], told["firings"][0]["peak"], told["complete"]) == (1, 3, True)
    for wrong in ({"q": "tol:b"}, {"since": "99d"}, {"limit": "many"}, {"agnet": "x"}):
        answer = await client.get("/api/alerts/trial", params=wrong)
        assert answer.status_code == 400, wrong


async def test_the_state_of_a_rule_arrives_over_http(client: httpx.AsyncClient, hub: Hub) -> None:
    await client.post("/api/alerts", json={**DRAFT, "limit": 0})
    fill(hub, event(1, level="error", timestamp=None))
    eventually(lambda: hub.alerts.report()["firing"])
    assert (await ask(client, "/api/alerts"))["firing"] == 1
