"""Every route of a real hub under requests made from its own OpenAPI document, fitting and not.

No answer is a 5xx, every status is one that the operation names (its `default` does not count), and every
body is as its schema says. ``LANEWAY_TORTURE=long`` makes many more requests.
"""

import os
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CheckContext, not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from laneway.base.settings import resolve
from tests.hub.event import event
from tests.waiting import eventually
from tests.web.conftest import Running

LONG = os.environ.get("LANEWAY_TORTURE") == "long"
EXAMPLES = 1_500 if LONG else 12
"""For each operation and mode; the short form takes 20 s of processor time."""

ENDLESS = {
    "/logs/sse": "never ends; its parameters are attacked in test_fuzz",
    "/logs/ws": "is a WebSocket",
}
QUERIES = [
    "agent:a*", "level>=warn", "duration_ms:>5 OR tool:x", "-event:error (a OR b)", '"two words"', "/a.*b/",
    "attr.x:1", "id:@3", "cost_usd:<0.5 session:s1", "content:/(?i)x{1,9}/", "has:error", "(((", "agent:",
    '"', "/(/",
]  # fmt: skip
LONG_TEXT = "too long for its line " * 20_000
RULE = {"kind": "count", "q": "has:error", "limit": 10, "window": "5m"}
KNOWN = {
    "event_id": ["id-1", "@2", "@99999", "@", "@0"],
    "session_id": ["s1", "s1/x", "%00"],
    "trace_id": ["t1", "@1"],
    "rule_id": ["3f9a1c20", "x", "%00"],
    "sha256": [sha256(LONG_TEXT.encode()).hexdigest(), "0" * 64, "f"],
}
"""Names that exist, the first, or nearly do: what is made at random finds nothing."""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A real one with some of everything in it."""
    top: Path = tmp_path_factory.mktemp("schema")
    running = Running(resolve({"home": top / "home", "log_path": top / "log", "port": 0}, env={}))
    running.start()
    span = {"trace_id": "t1", "span_id": "p"}
    running.post(
        event(1, session_id="s1", input_tokens=3, event="user_message", content="hello"),
        event(2, session_id="s1", event="error", model="m", cost_usd=0.5, **span),
        event(3, event="tool_result", tool="x", duration_ms=4, parent_span_id="p", trace_id="t1"),
        event(4, agent="b", level="warn", custom={"deep": [1, None, "x"]}, output=LONG_TEXT),
        *(event(n, session_id=f"s{n}") for n in range(5, 40)),
    )
    eventually(lambda: running.get("/health")["index"]["events"] >= 39)
    yield running
    running.stop()


def is_told(ctx: CheckContext, response: Any, case: Any) -> None:
    """The status is named by the operation. Schemathesis' own check is content with ``default``."""
    told = set(case.operation.definition.raw["responses"]) - {"default"}
    assert str(response.status_code) in told, f"{response.status_code} is not among {sorted(told)}"


CHECKS = [not_a_server_error, is_told, content_type_conformance, response_schema_conformance]


def operations(running: Running) -> list[Any]:
    document = httpx.get(
        f"{running.url}/api/openapi.json", headers=running.headers, timeout=180
    ).json()
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=running.url)
    return [found.ok() for found in schema.get_all_operations()]


@st.composite
def cases(draw: st.DrawFn, operation: Any, mode: GenerationMode) -> Any:
    """A request that fits the schema or does not; often with names and queries that mean something."""
    case = draw(operation.as_strategy(generation_mode=mode))
    if case.path_parameters and draw(st.booleans()):
        case.path_parameters = {
            name: draw(st.sampled_from(KNOWN[name])) for name in case.path_parameters
        }
    named = {parameter.name for parameter in operation.query}
    if "q" in named and draw(st.booleans()):
        case.query = {**(case.query or {}), "q": draw(st.sampled_from(QUERIES))}
    return case


def is_attackable(operation: Any, mode: GenerationMode) -> bool:
    """Nothing can be wrong in a request that has no parts."""
    has_parts = bool([*operation.iter_parameters(), *operation.body])
    return operation.path not in ENDLESS and (has_parts or mode == GenerationMode.POSITIVE)


@pytest.mark.timeout(3600 if LONG else 600)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_route_answers_as_its_document_says(hub: Running, mode: GenerationMode) -> None:
    statuses = {
        operation.label: attack(operation, mode, hub)
        for operation in operations(hub)
        if is_attackable(operation, mode)
    }
    print(*(f"{label}: {dict(seen)}" for label, seen in statuses.items()), sep="\n")
    if mode == GenerationMode.POSITIVE:
        found = {200, 206, 416}  # 416: a part that a side file does not have
        refused = {label for label, seen in statuses.items() if not seen.keys() & found}
        assert refused == {"POST /auth/exchange"}  # nobody guesses a code
    assert hub.get("/health")["status"] == "ok"


def attack(operation: Any, mode: GenerationMode, hub: Running) -> Counter[int]:
    """The answers by status."""
    seen: Counter[int] = Counter()
    session = requests.Session()
    session.headers.update(hub.headers)

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases(operation, mode))
    def ask(case: Any) -> None:
        answer = case.call_and_validate(session=session, checks=CHECKS, timeout=180)
        seen[answer.status_code] += 1

    with session:
        ask()
        if mode == GenerationMode.POSITIVE:
            for case in promised(operation, hub, session):
                answer = case.call_and_validate(session=session, checks=CHECKS, timeout=180)
                seen[answer.status_code] += 1
    return seen


def promised(operation: Any, hub: Running, session: requests.Session) -> Iterator[Any]:
    """What the document shows, asked of things that exist; where there are names or a body to show."""
    known = {one.name: KNOWN[one.name][0] for one in operation.path_parameters}
    if "rule_id" in known:
        rule = {**RULE, "name": operation.label}  # names are not given twice
        made = session.post(f"{hub.url}/api/alerts", json=rule, timeout=180)
        assert made.ok, made.text
        known["rule_id"] = made.json()["id"]
    bodies = operation.definition.raw.get("requestBody", {}).get("content", {})
    shown = [
        (media, said["example"]) for media, said in bodies.items() if media == "application/json"
    ]
    for media, body in shown:
        if "name" in body:
            body = {**body, "name": f"{operation.label}, shown"}
        yield operation.Case(path_parameters=known, body=body, media_type=media)
    if known and not shown:
        yield operation.Case(path_parameters=known)
