"""The dashboard's files, as the build left them in ``_ui``, and the headers that fence them in."""

import mimetypes
import os
import re
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from laneway.base.errors import quote
from laneway.web.problem import NotFoundError
from laneway.web.route import Route

BUILT = Path(__file__).parent / "_ui"

FILE_NAME = re.compile(r"[\w-][\w.-]{0,99}")
"""Longer than any of ours, and short enough for every file system."""

CSP = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "worker-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
    ]
)

SECURITY_HEADERS = [
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]

NOT_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Laneway</title>
<h1>The dashboard is not built</h1>
<p>This copy of Laneway runs from its source, without the dashboard's files.
Run <code>make ui</code> there and load this page again. The hub itself works:
events are taken, kept and answered.</p>
</html>
"""

IMMUTABLE = "public, max-age=31536000, immutable"  # names of built files carry their hash


def ui_routes(root: Path = BUILT) -> list[Route]:
    """Routes for the page under ``root``; looked up anew each time, so a rebuild shows at once."""

    async def lead_there(request: Request) -> Response:
        return RedirectResponse("/logs", 307)

    def page(request: Request) -> Response:
        try:
            html = (root / "index.html").read_text("utf-8")
        except OSError:
            return HTMLResponse(NOT_BUILT, 503)
        return HTMLResponse(html, headers={"Cache-Control": "no-cache"})

    def asset(request: Request) -> Response:
        return _file(root / "assets", request.path_params["name"], IMMUTABLE)

    def file(request: Request) -> Response:
        return _file(root, request.path_params["name"], "no-cache")

    return [
        Route("/", lead_there, None),
        Route("/logs", page, None),
        Route("/logs/", page, None),
        Route("/logs/assets/{name}", asset, None),
        Route("/logs/{name}", file, None),
    ]


def _file(folder: Path, name: str, caching: str) -> Response:
    path = folder / name
    if not FILE_NAME.fullmatch(name) or ".." in name or path.is_symlink() or not path.is_file():
        raise NotFoundError(f"the dashboard has no file {quote(name)}")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    headers = {"Cache-Control": caching, "Content-Length": str(os.path.getsize(path))}
    return Response(path.read_bytes(), media_type=kind, headers=headers)
