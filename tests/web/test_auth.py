import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from laneway.base.errors import AccessError, SettingError
from laneway.base.settings import Settings, resolve
from laneway.hub.hub import Hub
from laneway.web import session
from laneway.web.app import App, create_app
from laneway.web.auth import Access, cookie_name, read_headers

from .conftest import PORT, WAYS, Tokens, bearer

READ = ["/api/events", "/api/agents", "/api/sessions", "/api/pulse", "/api/events/@1", "/metrics"]
READ += ["/api/openapi.json", "/auth/state", "/logs/sse", "/logs/ws", "/anything/else"]
PUBLIC = ["/health", "/logs", "/logs/", "/logs/assets/index-3f2a.js", "/logs/favicon.svg"]
EVENT = {"agent": "a", "event": "x"}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """All of this by both ways: a plain request is answered before the application sees it."""
    return str(request.param)


@pytest.mark.parametrize("path", READ)
async def test_reading_takes_a_token(stranger: httpx.AsyncClient, path: str) -> None:
    answer = await stranger.get(path)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "access.token" in answer.json()["hint"]


@pytest.mark.parametrize("path", READ)
async def test_the_ingest_token_reads_nothing(
    stranger: httpx.AsyncClient, tokens: Tokens, path: str
) -> None:
    answer = await stranger.get(path, headers=bearer(tokens.ingest))
    assert answer.status_code == 403
    assert answer.json()["message"] == "this token may only send events"


@pytest.mark.parametrize("path", PUBLIC)
async def test_the_page_itself_and_health_need_no_token(
    stranger: httpx.AsyncClient, path: str
) -> None:
    assert (await stranger.get(path)).status_code == 200


@pytest.mark.parametrize("kind", ["ingest", "access"])
async def test_either_token_sends(stranger: httpx.AsyncClient, tokens: Tokens, kind: str) -> None:
    headers = bearer(getattr(tokens, kind))
    assert (await stranger.post("/log", json=EVENT, headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Basic {token}",
        "{token}",
        "Bearer {token}x",
        "Bearer {token} y",
    ],
)
async def test_a_wrong_token_sends_nothing(
    stranger: httpx.AsyncClient, tokens: Tokens, hub: Hub, authorization: str
) -> None:
    headers = {"Authorization": authorization.format(token=tokens.ingest)}
    answer = await stranger.post("/log", json=EVENT, headers=headers)
    assert answer.status_code == 401
    assert hub.metric.accepted.total == 0


@pytest.mark.parametrize(
    "host",
    [
        "", "127.0.0.1", "127.0.0.1:8002", "localhost", "evil.example", "evil.example:8001",
        "127.0.0.1.evil.example:8001", "localhost:8001.", "localhost.:8001", "0.0.0.0:8001",
        "user@localhost:8001", "localhost:8001@evil.example", "[::]:8001", "::1:8001", "localhost:8001,x",
        "localhost:8001/x", "LOCALHOST", "127.1:8001", "2130706433:8001", "[::ffff:127.0.0.1]:8001",
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/health", "/logs", "/api/events", "/log"])
async def test_a_foreign_host_gets_nothing(client: httpx.AsyncClient, host: str, path: str) -> None:
    answer = await client.get(path, headers={"Host": host})
    assert answer.status_code == 403
    assert answer.json()["code"] == "forbidden"


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8001", "localhost:8001", "LocalHost:8001", "[::1]:8001"]
)
async def test_the_hubs_own_names_are_answered(client: httpx.AsyncClient, host: str) -> None:
    assert (await client.get("/health", headers={"Host": host})).status_code == 200


def test_two_hosts_are_refused() -> None:
    with pytest.raises(AccessError) as caught:
        read_headers([(b"host", b"localhost:8001"), (b"host", b"evil.example")])
    assert caught.value.status == 400


FOREIGN = ["null", "http://evil.example", "http://localhost:3000", "http://127.0.0.1:80011",
           "https://127.0.0.1:8001", "http://127.0.0.1", "http://127.0.0.1:8001.evil.example",
           "http://localhost:8001", "file://", "127.0.0.1:8001", "chrome-extension://x"]  # fmt: skip


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize("path", ["/api/events", "/health", "/logs/sse", "/logs"])
async def test_a_page_of_another_origin_gets_nothing(
    client: httpx.AsyncClient, origin: str, path: str
) -> None:
    answer = await client.get(path, headers={"Origin": origin})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


async def test_our_own_page_is_let_in(client: httpx.AsyncClient) -> None:
    headers = {"Origin": "http://127.0.0.1:8001", "Sec-Fetch-Site": "same-origin"}
    assert (await client.get("/auth/state", headers=headers)).json() == {"ok": True}


@pytest.mark.parametrize("site", ["cross-site", "same-site", "strange"])
async def test_requests_from_pages_of_other_sites_are_refused(
    client: httpx.AsyncClient, site: str
) -> None:
    for mode in ("no-cors", "cors", "navigate"):
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
        assert (await client.post("/log", json=EVENT, headers=headers)).status_code == 403
        assert (await client.get("/api/events", headers=headers)).status_code == 403


async def test_a_link_on_another_site_may_open_the_page(stranger: httpx.AsyncClient) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert (await stranger.get("/logs", headers=headers)).status_code == 200
    headers["Sec-Fetch-Mode"] = "no-cors"
    assert (await stranger.get("/logs", headers=headers)).status_code == 403


async def test_a_code_is_exchanged_once_for_a_cookie_that_reads(
    stranger: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    made = (await client.post("/auth/code")).json()
    assert made["url"] == f"http://127.0.0.1:{PORT}/logs#code={made['code']}"
    answer = await stranger.post("/auth/exchange", json={"code": made["code"]})
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"laneway-{PORT}=")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert (await stranger.get("/auth/state")).json() == {"ok": True}
    assert (await stranger.get("/api/events")).status_code == 200
    again = await stranger.post("/auth/exchange", json={"code": made["code"]})
    assert again.status_code == 401
    assert "laneway open" in again.json()["hint"]


async def test_a_cookie_neither_sends_events_nor_makes_codes(
    stranger: httpx.AsyncClient, access: Access
) -> None:
    await stranger.post("/auth/exchange", json={"code": access.door.new_code()})
    assert (await stranger.get("/auth/state")).status_code == 200
    assert (await stranger.post("/log", json=EVENT)).status_code == 401
    assert (await stranger.post("/auth/code")).status_code == 401


async def test_a_cookie_outlives_the_hub_and_ends_with_its_token(
    stranger: httpx.AsyncClient, access: Access, hub: Hub, settings: Settings, home: Path
) -> None:
    await stranger.post("/auth/exchange", json={"code": access.door.new_code()})
    cookies = dict(stranger.cookies)

    async def state() -> int:
        app = create_app(hub, Access.of(settings, PORT))
        transport = httpx.ASGITransport(app=app)
        base = f"http://127.0.0.1:{PORT}"
        async with httpx.AsyncClient(transport=transport, base_url=base, cookies=cookies) as other:
            return (await other.get("/auth/state")).status_code

    assert await state() == 200
    (home / "access.token").unlink()
    assert await state() == 401


CHANGES: list[Callable[[str], str]] = [
    lambda value: value,
    lambda value: value[:-1] + ("A" if value[-1] == "B" else "B"),
    lambda value: value + "A",
    lambda value: value[1:],
    lambda value: "x" * 300,
    lambda value: "",
]


@pytest.mark.parametrize(
    ("change", "status"), list(zip(CHANGES, [200, 401, 401, 401, 401, 401], strict=True))
)
async def test_a_changed_cookie_is_worthless(
    stranger: httpx.AsyncClient, access: Access, change: Callable[[str], str], status: int
) -> None:
    value = change(access.door.exchange(access.door.new_code()))
    name = cookie_name(b"127.0.0.1:8001")
    headers = {"Cookie": f"other=1; {name}={value}; {name}x=2"}
    assert (await stranger.get("/auth/state", headers=headers)).status_code == status


async def test_an_old_session_has_ended(
    stranger: httpx.AsyncClient, access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "SESSION_LIFE_S", -1)
    name = cookie_name(b"127.0.0.1:8001")
    headers = {"Cookie": f"{name}={access.door.exchange(access.door.new_code())}"}
    assert (await stranger.get("/auth/state", headers=headers)).status_code == 401


async def test_a_cookie_of_another_port_is_not_ours(
    stranger: httpx.AsyncClient, access: Access
) -> None:
    headers = {"Cookie": f"laneway-8002={access.door.exchange(access.door.new_code())}"}
    assert (await stranger.get("/auth/state", headers=headers)).status_code == 401


def test_a_code_ends_after_ten_minutes(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    code = access.door.new_code()
    now = time.monotonic()
    monkeypatch.setattr(session, "monotonic", lambda: now + session.CODE_LIFE_S + 1)
    with pytest.raises(AccessError, match="ten minutes"):
        access.door.exchange(code)


def test_codes_do_not_pile_up(access: Access) -> None:
    first = access.door.new_code()
    last = [access.door.new_code() for _ in range(session.CODES)][-1]
    assert len(access.door._sessions._codes) == session.CODES
    with pytest.raises(AccessError):
        access.door.exchange(first)
    assert access.door.exchange(last)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"code":5}', b'{"code":null}', b"\xff", b"x" * 9999]
)
async def test_what_holds_no_code_is_told_so(stranger: httpx.AsyncClient, body: bytes) -> None:
    answer = await stranger.post("/auth/exchange", content=body)
    assert answer.status_code in (400, 413)
    assert set(answer.json()) == {"code", "message", "hint"}


def test_names_given_by_the_user_are_answered_with_and_without_port(home: Path) -> None:
    given = ("logger:8000", "Logs.Example", "[fe80::1]")
    access = Access.of(resolve({"home": home, "allowed_hosts": given}, env={}), 9000)
    for host in (
        b"logger:8000",
        b"logs.example",
        b"logs.example:9000",
        b"[fe80::1]",
        b"localhost:9000",
    ):
        access.check_site("/health", {b"host": host})
    for host in (b"logger", b"logger:9000", b"logs.example:8000"):
        with pytest.raises(AccessError):
            access.check_site("/health", {b"host": host})


def test_a_page_behind_a_proxy_may_speak_https_under_a_given_name(home: Path) -> None:
    given = {"home": home, "allowed_hosts": ("logs.example",)}
    access = Access.of(resolve(given, env={}), 9000)
    access.check_site("/", {b"host": b"logs.example", b"origin": b"https://logs.example"})
    with pytest.raises(AccessError):
        access.check_site("/", {b"host": b"logs.example", b"origin": b"https://evil.example"})
    with pytest.raises(AccessError):
        access.check_site("/", {b"host": b"localhost:9000", b"origin": b"https://localhost:9000"})


def test_a_wildcard_is_no_name(home: Path) -> None:
    access = Access.of(resolve({"home": home, "host": "0.0.0.0"}, env={}), 9000)
    access.check_site("/", {b"host": b"localhost:9000"})
    with pytest.raises(AccessError):
        access.check_site("/", {b"host": b"0.0.0.0:9000"})


def test_the_ingest_token_may_come_from_the_environment_or_a_secret_file(
    home: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("from-a-file-0123456789\n")
    env = {"LANEWAY_TOKEN_FILE": str(tmp_path / "secret")}
    headers = {b"authorization": b"Bearer from-a-file-0123456789"}
    grant = Access.of(resolve({"home": home}, env=env), 1).door.bearer(headers)
    assert grant
    assert grant.scopes == {"ingest"}
    env["LANEWAY_TOKEN"] = "from-the-environment-0123"
    door = Access.of(resolve({"home": home}, env=env), 1).door
    assert door.bearer(headers) is None
    assert door.bearer({b"authorization": b"Bearer from-the-environment-0123"})


async def test_open_ingest_takes_events_without_a_token_but_not_from_foreign_pages(
    stranger: httpx.AsyncClient, access: Access
) -> None:
    access.open_ingest = True
    assert (await stranger.post("/log", json=EVENT)).status_code == 200
    foreign = {"Origin": "http://evil.example", "Content-Type": "text/plain"}
    assert (await stranger.post("/log", content=b"{}", headers=foreign)).status_code == 403
    assert (await stranger.get("/api/events")).status_code == 401


async def test_a_page_sends_json_only(
    stranger: httpx.AsyncClient, access: Access, app: App
) -> None:
    access.open_ingest = True
    own = {"Origin": "http://127.0.0.1:8001"}
    kinds = {"text/plain": 415, "multipart/form-data": 415, "": 415, "application/json; x=y": 200}
    for kind, status in kinds.items():
        headers = {**own, "Content-Type": kind}
        answer = await stranger.post("/log", content=b'{"agent":"a","event":"x"}', headers=headers)
        assert answer.status_code == status


def test_the_public_address_is_answered_to_and_stands_in_links(home: Path) -> None:
    given = {"home": home, "public_url": "https://logs.example/"}
    access = Access.of(resolve(given, env={}), 9000)
    access.check_site("/", {b"host": b"logs.example", b"origin": b"https://logs.example"})
    access.check_site("/", {b"host": b"localhost:9000"})
    assert access.public_url == "https://logs.example"


@pytest.mark.parametrize("text", ["logs.example", "ftp://x", "https://x/laneway", "https://a@x"])
def test_a_public_address_has_a_scheme_and_no_path(text: str) -> None:
    with pytest.raises(SettingError, match="public_url"):
        resolve({"public_url": text}, env={})
    with pytest.raises(SettingError, match="public_url"):
        resolve(env={"LANEWAY_PUBLIC_URL": text})


def test_a_token_file_that_is_missing_is_made(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "run" / "ingest.token"
    access = Access.of(resolve({"home": home, "token_file": str(path)}, env={}), 9000)
    headers = {b"host": b"localhost:9000", b"authorization": b"Bearer " + path.read_bytes().strip()}
    assert "ingest" in access.check("/log", headers).scopes
    assert not (home / "ingest.token").exists()
