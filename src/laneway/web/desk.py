"""Whom a request asks: the hub, or what the bearer of a token that is bound to pods sees of it.

A route that answers bound tokens says so (``bound=True``) and asks `desk_of`; to all other routes they
have no access, so that one that was forgotten shows nothing.
"""

from starlette.requests import HTTPConnection
from starlette.types import Scope

from laneway.base.errors import AccessError
from laneway.hub.hub import Hub
from laneway.hub.view import View, where_bound
from laneway.store.query.expr import EVERYTHING, Expr
from laneway.web.keyring import Grant

GRANT = "laneway.grant"
"""Where the scope of a request holds what its sender may do."""


def grant_of(scope: Scope) -> Grant | None:
    grant: Grant | None = scope.get(GRANT)
    return grant


def seen_by(scope: Scope) -> Expr:
    """The events that there are for the sender of this request."""
    grant = grant_of(scope)
    if grant is None or not grant.is_bound:
        return EVERYTHING
    return where_bound(sorted(grant.agents), sorted(grant.pods))


def bounds_of(scope: Scope) -> dict[str, list[str]]:
    """The agents and pods to which its sender is bound; empty where it is to neither."""
    grant = grant_of(scope)
    if grant is None or not grant.is_bound:
        return {}
    return {"agents": sorted(grant.agents), "pods": sorted(grant.pods)}


def desk_of(request: HTTPConnection, hub: Hub) -> Hub | View:
    where = seen_by(request.scope)
    return hub if where == EVERYTHING else View(hub.store, hub.archive, hub.inquiry, where)


def check_bound(scope: Scope, *, is_open: bool) -> None:
    """Let a request pass, unless its sender sees a part only and the route does not know of parts.

    Raises:
        AccessError: the token is bound.
    """
    grant = grant_of(scope)
    if grant is not None and grant.is_bound and not is_open:
        raise AccessError(
            "this token sees some agents or pods only, and this tells of all",
            hint="it takes a token that is not bound; see `laneway token list`",
        )
