"""What only a token of scope ``admin`` may see."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from laneway.base.clock import NS_PER_S, format_ns
from laneway.web.answer import answer_json
from laneway.web.door import Door
from laneway.web.keyring import FOREVER, Grant
from laneway.web.openapi import TEXT, Entry, answer, array, obj
from laneway.web.route import Route

TOKENS = Entry(
    tag="access",
    summary="The tokens that are taken, and when each was used last",
    text="Names and rights, never a token or its hash. A former token within its grace is listed too.",
    access="admin",
    answers={
        200: answer(
            "The tokens.",
            obj(
                {
                    "tokens": array(
                        obj(
                            {
                                "name": TEXT,
                                "scopes": array(TEXT),
                                "agents": array(TEXT),
                                "pods": array(TEXT),
                                "until": {"type": ["string", "null"]},
                                "idle_s": {"type": ["number", "null"]},
                            }
                        )
                    )
                }
            ),
            {
                "tokens": [
                    {
                        "name": "ci",
                        "scopes": ["ingest"],
                        "agents": ["builder"],
                        "pods": [],
                        "until": "2026-12-24T00:00:00.000000Z",
                        "idle_s": 3.2,
                    }
                ]
            },
        )
    },
)


def admin_routes(door: Door) -> list[Route]:
    async def tokens(request: Request) -> Response:
        found = sorted(door.grants(), key=lambda grant: (grant.name, grant.until_s))
        return answer_json({"tokens": [_describe(grant, door) for grant in found]})

    return [Route("/admin/tokens", tokens, TOKENS)]


def _describe(grant: Grant, door: Door) -> dict[str, Any]:
    is_endless = grant.until_s == FOREVER
    return {
        "name": grant.name,
        "scopes": sorted(grant.scopes),
        "agents": sorted(grant.agents),
        "pods": sorted(grant.pods),
        "until": None if is_endless else format_ns(int(grant.until_s * NS_PER_S)),
        "idle_s": door.idle_s(grant),
    }
