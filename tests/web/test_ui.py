from pathlib import Path

import httpx
import pytest

from laneway.hub.hub import Hub
from laneway.web.app import create_app
from laneway.web.auth import Access

from .conftest import PORT


async def test_the_root_leads_to_the_page(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get("/")
    assert answer.status_code == 307
    assert answer.headers["location"] == "/logs"


async def test_the_page_is_fenced_in(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get("/logs")
    assert "<title>Lanes" in answer.text
    policy = answer.headers["content-security-policy"]
    for part in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"):
        assert part in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-cache"


async def test_built_files_may_be_kept_forever(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get("/logs/assets/index-3f2a.js")
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith(("text/javascript", "application/javascript"))
    assert (await stranger.get("/logs/favicon.svg")).headers["content-type"] == "image/svg+xml"


OUTSIDE = ["/logs/assets/nothing.js", "/logs/nothing.svg", "/logs/.hidden.txt"]
OUTSIDE += ["/logs/assets/..%2Findex.html", "/logs/..%2F..%2Fsecret.txt", "/logs/assets/a%00.js"]
OUTSIDE += [f"/logs/{'x' * 300}.js", f"/logs/assets/{'x' * 5_000}.js"]  # than any file system takes
OUTSIDE += ["/logs/assets/%2e%2e/%2e%2e/secret.txt", "/logs/assets/a%0d%0ab.js"]


@pytest.mark.parametrize("path", OUTSIDE)
async def test_no_path_leads_out_of_the_built_files(
    client: httpx.AsyncClient, ui_root: Path, path: str
) -> None:
    (ui_root.parent / "secret.txt").write_text("secret")
    (ui_root / ".hidden.txt").write_text("secret")
    answer = await client.get(path)
    assert answer.status_code == 404
    assert "secret" not in answer.text


async def test_a_page_that_is_not_built_says_how_to_build_it(
    hub: Hub, access: Access, tmp_path: Path
) -> None:
    app = create_app(hub, access, ui_root=tmp_path / "nothing")
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(
        transport=transport, base_url=f"http://127.0.0.1:{PORT}"
    ) as client:
        answer = await client.get("/logs")
    assert answer.status_code == 503
    assert "make ui" in answer.text
