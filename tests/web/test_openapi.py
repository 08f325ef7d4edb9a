"""The document says what the routes do: each claim is held against the running application."""

import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from starlette.applications import Starlette

from laneway.base.errors import QueryError
from laneway.hub.hub import Hub
from laneway.web.app import make_api
from laneway.web.auth import Access
from laneway.web.keyring import Keyring
from laneway.web.live import Streams, Wanted
from laneway.web.route import Route

from ..hub.event import event
from .test_query import ask, fill

Document = dict[str, Any]

PAGES = {"/", "/logs", "/logs/", "/logs/assets/{name}", "/logs/{name}"}
"""For browsers; whatever else is missing from the document was forgotten."""

ITSELF = "/api/openapi.json"
BEFORE_THE_ROUTER = {"/log", "/events", "/v1/traces", "/v1/logs", "/v1/metrics"}
STREAMS = {"/logs/sse", "/logs/ws"}
PAYLOAD = b"a payload that was too long for its line"


@pytest.fixture
async def document(client: httpx.AsyncClient) -> Document:
    answer: Document = await ask(client, ITSELF)
    return answer


def operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def fits(document: Document, schema: Document, value: object) -> None:
    """Fails where ``value`` is not as ``schema``, a part of the document, says."""
    Draft202012Validator({**schema, "components": document["components"]}).validate(value)


def sample(path: str) -> str:
    path = path.replace("{sha256}", sha256(PAYLOAD).hexdigest())
    return re.sub(r"{\w+}", "@1", path)


@pytest.fixture(autouse=True)
def _payload(hub: Hub) -> None:
    hub.side.keep(PAYLOAD)


async def test_it_is_a_valid_openapi_document(document: Document) -> None:
    validate(document)
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))


async def test_every_public_route_is_in_it_and_nothing_else(
    document: Document, hub: Hub, access: Access, ui_root: Path
) -> None:
    api = make_api(hub, access, Streams(hub), ui_root)
    assert isinstance(api, Starlette)
    routed = {re.sub(r":\w+}", "}", route.path) for route in api.routes}  # type: ignore[attr-defined]
    assert set(document["paths"]) == (routed | BEFORE_THE_ROUTER) - PAGES - {ITSELF}
    taken: dict[str, set[str]] = {}
    for route in api.routes:
        if isinstance(route, Route) and route.operation:
            taken.setdefault(route.operation.path, set()).update(route.methods - {"HEAD"})
    for path, methods in taken.items():
        assert {method.upper() for method in document["paths"][path]} == methods


async def test_a_token_is_wanted_exactly_where_it_says_so(
    document: Document, stranger: httpx.AsyncClient
) -> None:
    for method, path, operation in operations(document):
        status = (await stranger.request(method, sample(path))).status_code
        assert (status == 401) == bool(operation["security"]), (method, path, status)
        if operation["security"]:
            assert "401" in operation["responses"]


async def test_each_token_opens_what_it_says_and_no_more(
    document: Document, stranger: httpx.AsyncClient, access: Access, home: Path
) -> None:
    keyring = Keyring(str(home))
    tokens = {
        "access": keyring.add("reader", ["read"]),
        "ingest": keyring.add("sender", ["ingest"]),
        "admin": keyring.add("keeper", ["admin"]),
    }
    access.door._load()
    for method, path, operation in operations(document):
        if path in STREAMS or not operation["security"]:
            continue
        taken = {name for scheme in operation["security"] for name in scheme}
        for name, token in tokens.items():
            headers = {"Authorization": f"Bearer {token}"}
            answer = await stranger.request(method, sample(path), headers=headers)
            assert (answer.status_code not in (401, 403)) == (name in taken), (path, name)


async def test_every_parameter_is_told_and_its_example_is_taken(
    document: Document, client: httpx.AsyncClient, hub: Hub
) -> None:
    await fill_to(hub, 1041)
    for method, path, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            assert parameter["description"], (path, parameter["name"])
            fits(document, parameter["schema"], parameter["example"])
            if parameter["in"] == "query" and path not in STREAMS:
                await take(client, method, sample(path), parameter)


async def fill_to(hub: Hub, count: int) -> None:
    """So many events: the examples name one of them."""
    for start in range(0, count, 500):
        fill(hub, *(event(n) for n in range(start, min(start + 500, count))))


async def take(client: httpx.AsyncClient, method: str, path: str, parameter: Document) -> None:
    given = {parameter["name"]: parameter["example"]}
    answer = await client.request(method, sample(path), params=given)
    assert answer.status_code in (200, 206), (path, given, answer.text)


async def test_a_value_outside_a_documented_range_is_refused(
    document: Document, client: httpx.AsyncClient
) -> None:
    for path in ("/api/events", "/api/agents", "/api/sessions"):
        for parameter in document["paths"][path]["get"]["parameters"]:
            schema = parameter["schema"]
            one = schema.get("items", schema)
            wrong = str(one["maximum"] + 1) if "maximum" in one else "?"
            if one == {"type": "string"}:
                continue
            answer = await client.get(path, params={parameter["name"]: wrong})
            assert answer.status_code == 400, (path, parameter["name"], wrong)


async def test_the_parameters_of_the_streams_are_those_that_are_read(document: Document) -> None:
    for path in STREAMS:
        parameters = document["paths"][path]["get"]["parameters"]
        given = {p["name"]: str(p["example"]) for p in parameters if p["in"] == "query"}
        wanted = Wanted(given)
        assert (wanted.since, wanted.history, wanted.form) == (1041, 2000, "json")
        with pytest.raises(QueryError):
            Wanted({**given, "other": "1"})
    header = document["paths"]["/logs/sse"]["get"]["parameters"][-1]
    wanted = Wanted({}, header["example"])
    assert (wanted.epoch, wanted.since) == ("k3f9q2", 1041)


async def test_every_example_is_as_its_schema_says(document: Document) -> None:
    for _, _, operation in operations(document):
        bodies = [operation["requestBody"]] if "requestBody" in operation else []
        for answer in [*operation["responses"].values(), *bodies]:
            for content in answer.get("content", {}).values():
                if "$ref" not in content["schema"] or "example" in content:
                    fits(document, content["schema"], content["example"])
    error = document["components"]["schemas"]["Error"]
    fits(document, error, error["example"])


async def test_answers_are_as_they_are_described(
    document: Document, client: httpx.AsyncClient, hub: Hub
) -> None:
    span = {"trace_id": "@1", "span_id": "s"}
    fill(
        hub,
        event(1, session_id="@1", input_tokens=3, event="user_message", content="hello"),
        event(2, event="error", model="m", cost_usd=0.5, **span),
        event(3, event="tool_result", tool="t", duration_ms=4, parent_span_id="gone", **span),
        event(4, event="log", trace_id="@1"),
    )
    for method, path, operation in operations(document):
        if path in STREAMS or method != "GET":
            continue
        answer = await client.get(sample(path))
        ((media_type, content),) = operation["responses"]["200"]["content"].items()
        assert answer.headers["content-type"].startswith(media_type)
        is_json = media_type == "application/json"
        fits(document, content["schema"], answer.json() if is_json else answer.text)


async def test_a_health_in_the_example_has_the_fields_of_the_real_one(
    document: Document, client: httpx.AsyncClient
) -> None:
    responses = document["paths"]["/health"]["get"]["responses"]
    example = responses["200"]["content"]["application/json"]["example"]
    real = await ask(client, "/health")
    assert real.keys() == example.keys()
    assert real["index"].keys() == example["index"].keys()
    assert real["log"].keys() == example["log"].keys()


async def test_receipts_are_as_they_are_described(
    document: Document, client: httpx.AsyncClient
) -> None:
    operation = document["paths"]["/log"]["post"]
    example = operation["requestBody"]["content"]["application/json"]["example"]
    for body, status in ((example, 200), ([example, {"agent": "a"}], 200), ([{"agent": "a"}], 422)):
        answer = await client.post("/log", json=body)
        assert answer.status_code == status
        content = operation["responses"][str(status)]["content"]["application/json"]
        fits(document, content["schema"], answer.json())
    kind = "application/x-ndjson"
    lines = operation["requestBody"]["content"][kind]["example"]
    answer = await client.post("/log", content=lines, headers={"Content-Type": kind})
    assert answer.json()["accepted"] == 2


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/events?agnet=a", 400),
        ("GET", "/api/events/nothing", 404),
        ("GET", "/api/events?total=perhaps", 400),
        ("GET", "/api/pulse?by=content", 400),
        ("GET", "/api/facets?by=content", 400),
        ("GET", "/api/durations?by=agent,event,tool", 400),
        ("GET", "/api/usage?step=soon", 400),
        ("GET", "/api/export?after=1", 400),
        ("GET", "/api/export?after=@77", 404),
        ("GET", "/api/pulse?step=soon", 400),
        ("GET", "/logs/sse?since=x", 400),
        ("POST", "/auth/exchange", 400),
    ],
)
async def test_errors_are_among_the_documented_ones_and_have_their_shape(
    document: Document, client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == status
    bare = re.sub(r"/events/\w+", "/events/{event_id}", path.partition("?")[0])
    response = document["paths"][bare][method.lower()]["responses"][str(status)]
    fits(document, response["content"]["application/json"]["schema"], answer.json())
