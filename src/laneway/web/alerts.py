"""``/api/alerts``: the rules, how they stand, what one would have done; a change takes scope ``admin``."""

from collections.abc import Callable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from laneway.base.clock import NS_PER_S, now_ns
from laneway.base.errors import BodyError, QueryError, quote
from laneway.base.limits import KIB
from laneway.base.settings import parse_positive_duration_s
from laneway.hub.alert.rule import FIELDS, GROUPS, KINDS
from laneway.hub.hub import Hub
from laneway.web.answer import answer_json
from laneway.web.auth import read_headers
from laneway.web.body import read_body
from laneway.web.desk import grant_of
from laneway.web.openapi import (
    TEXT,
    Entry,
    Parameter,
    Schema,
    answer,
    array,
    content,
    obj,
    path_parameter,
    query_parameter,
    ref,
)
from laneway.web.route import Route
from laneway.web.schema import COUNT, FLAG, MAYBE_TIME, NUMBER, TIME
from laneway.web.work import Work

RULE_BYTES = 16 * KIB

COURSE = obj({"step_ms": COUNT, "until_ms": COUNT, "values": array(NUMBER)}) | {
    "description": "Values for a sparkline, the newest last: each the farthest of its step."
}
DURATION: Schema = TEXT | {"description": "Such as `30s`, `5m`, `2h`."}
OWN: Schema = {
    "name": TEXT,
    "kind": {"enum": list(KINDS)},
    "q": TEXT | {"description": "The query language of docs/query.md, without times."},
    "limit": NUMBER | {"description": "Events, percent or tokens, by kind."},
    "below": FLAG | {"description": "Of a count: it fires when there are fewer."},
    "window": DURATION,
    "by": {
        "enum": list(GROUPS),
        "description": "One value for each of these; the greatest counts.",
    },
    "floor": COUNT | {"description": "Of a rate: fewer events than this tell nothing."},
    "agent": TEXT | {"description": "Of kind `silent`: who should be heard."},
    "for": DURATION,
    "keep": DURATION,
}
RULE = obj(OWN, optional=tuple(name for name in OWN if name != "name"))
STANDING = obj(
    {
        "id": TEXT,
        **OWN,
        "made": TIME,
        "origin": {"enum": ["page", "settings"]},
        "muted": TEXT | {"description": "Empty, `forever`, or until when."},
        "threshold": NUMBER
        | {"description": "What the value is held against: seconds where it is a time."},
        "show": TEXT | {"description": "The query that finds the events it is about."},
        "state": {"enum": ["ok", "pending", "firing", "resolved", "broken"]},
        "since": MAYBE_TIME,
        "value": {"type": ["number", "null"]},
        "top": TEXT | {"description": "Of which group, span or agent the value is."},
        "peak": NUMBER,
        "fired": COUNT,
        "late": COUNT | {"description": "Events that came when their time had left the window."},
        "fault": TEXT | {"description": "Why a rule of the settings cannot be evaluated."},
        "column": COUNT | {"description": "Where in `q` that is, from 1; else 0."},
        "course": COURSE,
    },
    optional=("q", "limit", "below", "by", "floor", "agent"),
)
ALERTS = obj(
    {
        "revision": COUNT | {"description": "Grows with each change of a state."},
        "firing": COUNT | {"description": "Rules that fire and are not muted."},
        "missed": COUNT | {"description": "Events that came faster than they could be looked at."},
        "fault": TEXT | {"description": "Why rules or firings cannot be kept."},
        "rules": array(ref("AlertRule")),
        "webhooks": array(
            obj(
                {
                    "host": TEXT, "sent": COUNT, "failed": COUNT, "dropped": COUNT,
                    "waiting": COUNT, "fault": TEXT,
                }
            )
        ),
        "may_edit": FLAG | {"description": "Whether whoever asks may change the rules."},
    }
)  # fmt: skip
TRIAL = obj(
    {
        "since": TIME,
        "until": TIME,
        "events": COUNT,
        "complete": FLAG | {"description": "False: the time was over, and `until` is where it ended."},
        "fired": COUNT,
        "firings": array(
            obj({"since": TIME, "until": MAYBE_TIME, "peak": NUMBER, "top": TEXT})
        ),
        "course": COURSE,
    }
)  # fmt: skip
ALERT_SCHEMAS = {"AlertRule": STANDING, "Alerts": ALERTS, "AlertDraft": RULE, "AlertTrial": TRIAL}

DRAFT = {
    "name": "Errors of coder", "kind": "count", "q": "agent:coder has:error", "limit": 10,
    "window": "5m", "for": "30s",
}  # fmt: skip
EXAMPLE = {
    "id": "3f9a1c20", "name": "Errors of coder", "kind": "count", "q": "agent:coder has:error",
    "limit": 10, "by": "", "below": False, "window": "5m", "for": "30s", "keep": "1m",
    "made": "2026-11-23T18:00:00.000000Z", "origin": "page", "muted": "", "threshold": 10,
    "show": "agent:coder has:error", "state": "firing", "since": "2026-11-23T18:22:33.000123Z",
    "value": 14, "top": "", "peak": 14, "fired": 1, "late": 0, "fault": "", "column": 0,
    "course": {"step_ms": 15000, "until_ms": 1795425712000, "values": [0, 2, 9, 14]},
}  # fmt: skip
TRIED = {
    "since": "2026-11-22T18:22:33.000000Z", "until": "2026-11-23T18:22:33.000000Z", "events": 91,
    "complete": True, "fired": 1,
    "firings": [
        {"since": "2026-11-23T02:10:05.000000Z", "until": "2026-11-23T02:19:00.000000Z", "peak": 31,
         "top": ""}
    ],
    "course": {"step_ms": 360000, "until_ms": 1795425712000, "values": [0, 31, 0]},
}  # fmt: skip
REPORT = {
    "revision": 7, "firing": 1, "missed": 0, "fault": "", "rules": [EXAMPLE], "may_edit": True,
    "webhooks": [
        {"host": "hooks.example.com", "sent": 3, "failed": 0, "dropped": 0, "waiting": 0, "fault": ""}
    ],
}  # fmt: skip

BODY = {"required": True, **content(ref("AlertDraft"), DRAFT)}
ONE = {200: answer("The rule and how it stands.", ref("AlertRule"), EXAMPLE)}
ID = [path_parameter("rule_id", "The rule's `id`.", "3f9a1c20")]
REFUSED = (400, 408, 413, 503)

TRIED_S = 86_400.0
GIVEN = {
    "name": Parameter("Says nothing here.", "Errors of coder"),
    "kind": Parameter("What is measured.", "count", {"enum": list(KINDS)}),
    "q": Parameter("The rule's query.", "agent:coder has:error"),
    "limit": Parameter("The limit.", 10, NUMBER),
    "window": Parameter("The window, or how long silent or open.", "5m"),
    "by": Parameter("One value for each of these.", "agent", {"enum": list(GROUPS)}),
    "floor": Parameter("Of a rate: fewer events tell nothing.", 20, COUNT),
    "agent": Parameter("Of kind `silent`.", "coder"),
    "for": Parameter("How long it must be over the limit.", "30s"),
    "keep": Parameter("How long it must be under it again.", "1m"),
    "below": Parameter("Fires when there are fewer.", False, {"type": "boolean"}),
    "since": Parameter("How far back (1d, at most 30d).", "1d"),
}

LIST = Entry(
    tag="alerts",
    summary="The rules of alerts, and how each stands",
    answers={200: answer("All of them.", ref("Alerts"), REPORT)},
)
TRY = Entry(
    tag="alerts",
    summary="What a rule would have done in the past",
    text="The evaluator itself, run over history with a clock of its own.",
    parameters=[query_parameter(name, parameter) for name, parameter in GIVEN.items()],
    answers={200: answer("When it would have fired.", ref("AlertTrial"), TRIED)},
    errors=(400, 503),
)
ADD = Entry(
    tag="alerts", summary="Make a rule", access="admin", body=BODY, answers=ONE, errors=REFUSED
)
REPLACE = Entry(
    tag="alerts", summary="Change a rule", access="admin", parameters=ID, body=BODY, answers=ONE,
    errors=(*REFUSED, 404),
)  # fmt: skip
REMOVE = Entry(
    tag="alerts", summary="Remove a rule", access="admin", parameters=ID,
    answers={200: answer("It is gone.", obj({"ok": FLAG}), {"ok": True})}, errors=(400, 404, 503),
)  # fmt: skip
MUTE = Entry(
    tag="alerts",
    summary="Mute a rule, or let it be heard again",
    text="A muted rule is evaluated and shown; nobody is told.",
    access="admin",
    parameters=ID,
    body={"required": True, **content(obj({"muted": TEXT}), {"muted": "1h"})},
    answers=ONE,
    errors=(*REFUSED, 404),
)


def alert_routes(hub: Hub, work: Work) -> list[Route]:
    alerts = hub.alerts

    async def list_alerts(request: Request) -> Response:
        told = await work(alerts.report)
        return answer_json({**told, "may_edit": _may_edit(request)})

    async def try_alert(request: Request) -> Response:
        raw, since_s = read_trial(request.query_params.multi_items())
        until_ns = now_ns()
        since_ns = until_ns - int(since_s * NS_PER_S)
        return answer_json(await work.scan(lambda: alerts.trial(raw, since_ns, until_ns)))

    async def add_alert(request: Request) -> Response:
        raw = await _body(request)
        return answer_json(await work(lambda: alerts.add(raw)))

    async def change_alert(request: Request) -> Response:
        rule_id, raw = request.path_params["rule_id"], await _body(request)
        return answer_json(await work(lambda: alerts.replace(rule_id, raw)))

    async def remove_alert(request: Request) -> Response:
        rule_id = request.path_params["rule_id"]
        await work(lambda: alerts.remove(rule_id))
        return answer_json({"ok": True})

    async def mute_alert(request: Request) -> Response:
        rule_id, raw = request.path_params["rule_id"], await _body(request)
        text = raw.get("muted") if isinstance(raw, dict) else None
        if not isinstance(text, str):
            raise QueryError("the body says not for how long", hint='send {"muted": "1h"} as JSON')
        return answer_json(await work(lambda: alerts.mute(rule_id, text)))

    return [
        Route("/api/alerts", list_alerts, LIST),
        Route("/api/alerts", add_alert, ADD, ("POST",)),
        Route("/api/alerts/trial", try_alert, TRY),
        Route("/api/alerts/{rule_id}", change_alert, REPLACE, ("PUT",)),
        Route("/api/alerts/{rule_id}", remove_alert, REMOVE, ("DELETE",)),
        Route("/api/alerts/{rule_id}/mute", mute_alert, MUTE, ("POST",)),
    ]


READ_AS: dict[str, Callable[[str], Any]] = {
    "limit": float,
    "floor": float,
    "below": lambda text: text == "true",
}


def read_trial(items: list[tuple[str, str]]) -> tuple[dict[str, Any], float]:
    """A rule and how far back to look, in seconds, from a query string.

    Raises:
        QueryError: it cannot be read.
    """
    raw: dict[str, Any] = {"name": "trial"}
    since_s = TRIED_S
    for name, text in items:
        if name == "since":
            try:
                since_s = parse_positive_duration_s(text)
            except ValueError as error:
                raise QueryError(f"since: {quote(text)} is not {error}") from None
        elif name in FIELDS:
            try:
                raw[name] = READ_AS.get(name, str)(text)
            except ValueError:
                raise QueryError(f"{name}: {quote(text)} is not a number") from None
        else:
            raise QueryError(f"there is no parameter {quote(name)}")
    if since_s > 30 * 86_400:
        raise QueryError("since: at most 30d are tried")
    return raw, since_s


def _may_edit(request: Request) -> bool:
    grant = grant_of(request.scope)
    return grant is not None and "admin" in grant.scopes


async def _body(request: Request) -> object:
    body = await read_body(request.receive, read_headers(request.scope["headers"]), RULE_BYTES)
    try:
        told: object = orjson.loads(body)
    except ValueError as error:
        raise BodyError(f"the body is not JSON: {error}") from None
    return told
