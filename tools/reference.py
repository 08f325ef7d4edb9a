"""Tables of the documentation that are made from the code, so that what they say cannot go stale.

`TABLES` tells who makes which `region`; ``tools/check_docs.py`` compares and, with ``--write``, renews them.
"""

import asyncio
import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import region

from laneway.base import errors
from laneway.base.errors import LanewayError
from laneway.base.settings import SETTINGS, Setting, Settings, resolve
from laneway.cli.app import PANELS
from laneway.cli.config import show_value
from laneway.hub.hub import Hub
from laneway.web.app import create_app
from laneway.web.auth import Access
from laneway.web.openapi import MEANING, SECURITY

Schema = Mapping[str, Any]

ROOT = Path(__file__).parents[1]
SCOPES = {"send": "ingest", "token": "read"}
"""Tokens' names of what the routes call their access, where they differ."""


def renewed(page: str) -> str:
    """The text of a page with its tables as the code has them now."""
    for name in region.names(page):
        if name in TABLES:
            page = region.put(page, name, TABLES[name]())
    return page


def table(head: str, rows: Iterator[tuple[object, ...]]) -> str:
    """In Markdown; ``head`` names the columns, separated by ``|``."""
    names = head.split("|")
    lines = [f"| {' | '.join(names)} |", "|" + "---|" * len(names)]
    lines += [f"| {' | '.join(_cell(value) for value in row)} |" for row in rows]
    return "\n".join(lines)


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def settings_table() -> str:
    defaults = Settings({setting.name: setting.default for setting in SETTINGS}, {})

    def row(setting: Setting) -> tuple[object, ...]:
        names = ", ".join(f"`{name}`" for name in setting.envs)
        default = show_value(setting, defaults)
        return f"`{setting.name}`", names, default and f"`{default}`", setting.help

    return table("setting|environment|default|", map(row, SETTINGS))


def event_table() -> str:
    schema = _event_schema()

    def row(name: str) -> tuple[object, ...]:
        field = schema["properties"][name]
        always = "yes" if name in schema["required"] else ""
        return f"`{name}`", _type(field), always, field["description"]

    return table("field|type|always|", map(row, schema["properties"]))


def event_types() -> str:
    return ", ".join(f"`{kind}`" for kind in _event_schema()["properties"]["event"]["examples"])


def _event_schema() -> Schema:
    schema: Schema = json.loads((ROOT / "spec" / "event.schema.json").read_text())
    return schema


def _type(field: Schema) -> str:
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    kind = field.get("type", "any JSON")
    if kind == "array":
        return "list"
    if kind == "string" and "maxLength" in field:
        return f"text, at most {field['maxLength']}"
    return {"string": "text", "integer": "whole number"}.get(kind, str(kind))


def errors_table() -> str:
    kinds = [each for each in vars(errors).values() if isinstance(each, type)]
    ours = [each for each in kinds if issubclass(each, LanewayError) and each is not LanewayError]
    return table("code|status|", ((f"`{each.code}`", each.status, _tells(each)) for each in ours))


def _tells(kind: type[LanewayError]) -> str:
    """Its line in the tree at the head of `laneway.base.errors`."""
    line = re.search(rf"{kind.__name__} +(.*)", errors.__doc__ or "")
    return line[1] if line else ""


def statuses_table() -> str:
    return table("status|", iter(sorted(MEANING.items())))


def api_reference() -> str:
    """All routes, by what they are for, from the OpenAPI document that a hub serves."""
    document = _openapi()
    by_tag: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            told = "\n".join(_operation(method.upper(), path, operation))
            by_tag.setdefault(operation["tags"][0], []).append(told)
    return "\n".join(
        f"## {tag[:1].upper()}{tag[1:]}\n\n" + "\n".join(told) for tag, told in by_tag.items()
    )


def _openapi() -> Schema:
    async def ask(hub: Hub, access: Access, token: str) -> Schema:
        transport = httpx.ASGITransport(app=create_app(hub, access))
        head = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8001") as web:
            answer = await web.get("/api/openapi.json", headers=head)
            answer.raise_for_status()
            document: Schema = answer.json()
            return document

    with tempfile.TemporaryDirectory() as home:
        settings = resolve({"home": home, "port": 8001, "reserve_bytes": 0}, env={})
        hub = Hub(settings, in_process=True)
        try:
            access = Access.of(settings, 8001)
            token = Path(home, "access.token").read_text().strip()
            return asyncio.run(ask(hub, access, token))
        finally:
            hub.close()


def _operation(method: str, path: str, operation: Schema) -> Iterator[str]:
    access = next(name for name, needs in SECURITY.items() if needs == operation["security"])
    who = "No token." if access == "public" else f"Scope `{SCOPES.get(access, access)}`."
    yield f"### {method} {path}\n\n{operation['summary'].rstrip('.')}. {who}\n"
    if "description" in operation:
        yield f"{operation['description']}\n"
    if parameters := operation.get("parameters"):
        yield table("parameter|such as|", map(_parameter, parameters)) + "\n"
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        yield f"Takes `{media}`{_example(content)}"
    for status, answer in operation["responses"].items():
        for media, content in answer.get("content", {}).items() if status[0] in "123" else ():
            yield f"Answers {status}, `{media}`: {answer['description'].rstrip('.')}{_example(content)}"
    refused = [status for status in operation["responses"] if status[0] in "45"]
    yield f"Refusals: {', '.join(refused)} ([errors](errors.md)).\n"


def _parameter(parameter: Schema) -> tuple[object, ...]:
    if parameter["schema"].get("type") == "array":
        return (
            f"`{parameter['name']}`, repeatable",
            f"`{parameter['example'][0]}`",
            parameter["description"],
        )
    return f"`{parameter['name']}`", f"`{parameter['example']}`", parameter["description"]


def _example(content: Schema) -> str:
    if "example" not in content:
        return ".\n"
    example = content["example"]
    if isinstance(example, str):
        return f"\n\n```text\n{example.rstrip()}\n```\n"
    return f"\n\n```json\n{json.dumps(example, indent=1, ensure_ascii=False)}\n```\n"


def commands_table() -> str:
    rows = [
        (f"[`{name}`](#laneway-{name})", f"{summary[:1].lower()}{summary[1:].rstrip('.')}")
        for members in PANELS.values()
        for name, summary in members.items()
    ]
    return table("command|to", iter(rows))


TABLES: dict[str, Callable[[], str]] = {
    "commands": commands_table,
    "settings": settings_table,
    "event-fields": event_table,
    "event-types": event_types,
    "errors": errors_table,
    "statuses": statuses_table,
    "api": api_reference,
}
