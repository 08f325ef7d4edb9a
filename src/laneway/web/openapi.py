"""The OpenAPI document, made of the entries that stand beside the routes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Schema = dict[str, Any]
Access = Literal["read", "token", "send", "admin", "public"]

VERSION = "3.1.0"

TEXT: Schema = {"type": "string"}

ERROR: Schema = {
    "type": "object",
    "description": "Every error has this shape.",
    "required": ["code", "message", "hint"],
    "properties": {
        "code": TEXT | {"description": "What went wrong, for programs; it does not change."},
        "message": TEXT | {"description": "What was seen and what was wanted, for people."},
        "hint": TEXT | {"description": "What to do about it, or empty."},
        "column": {
            "type": "integer",
            "minimum": 1,
            "description": "Where in `q` the fault stands, if it stands there.",
        },
    },
    "additionalProperties": False,
    "example": {
        "code": "bad_query",
        "message": 'there is no parameter "agnet"',
        "hint": "did you mean agent?",
    },
}

SECURITY_SCHEMES: Schema = {
    "access": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token of scope `read`, such as `access.token` in the Laneway home holds. "
        "A browser has a cookie instead.",
    },
    "ingest": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token of scope `ingest`, such as `ingest.token` in the Laneway home holds: "
        "it sends and does not read.",
    },
    "admin": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token of scope `admin`, such as `access.token` in the Laneway home holds.",
    },
}

SECURITY: dict[Access, list[Schema]] = {
    "read": [{"access": []}],
    "token": [{"access": []}],
    "send": [{"ingest": []}],
    "admin": [{"admin": []}],
    "public": [],
}

MEANING = {
    400: "The request cannot be read.",
    401: "A token or code is missing, wrong or too old.",
    403: "This token, host or page may not do that.",
    404: "There is no such thing, or no more.",
    408: "The body was not complete in time.",
    413: "The body is larger than is taken.",
    416: "There is no such part of it.",
    415: "The body is of a kind that is not taken.",
    429: "The sender sent too much; `Retry-After` tells when it may go on.",
    431: "The request's head is larger than 32 KiB, or has more than 100 headers.",
    503: "The hub cannot do it now; `Retry-After` tells when to try again.",
    507: "There is no space for the log; `Retry-After` tells when to try again.",
}


class Parameter(NamedTuple):
    """A parameter of the query string; ``example`` is one that the route takes."""

    text: str
    example: object
    schema: Schema = TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the document says of one route. ``parameters`` and ``answers`` are in OpenAPI's form."""

    tag: str
    summary: str
    text: str = ""
    access: Access = "read"
    parameters: list[Schema] = field(default_factory=list)
    body: Schema | None = None
    answers: Mapping[int, Schema]
    errors: tuple[int, ...] = ()
    """Statuses besides those that access and the head alone can give."""


class Operation(NamedTuple):
    """An entry and where it belongs. ``name`` is unique."""

    method: str
    path: str
    name: str
    entry: Entry


def make_document(
    info: Schema, operations: Iterable[Operation], schemas: Mapping[str, Schema]
) -> Schema:
    """The whole document; ``schemas`` are those that `ref` names."""
    paths: dict[str, Schema] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _describe(operation)
    components = {"schemas": {"Error": ERROR, **schemas}, "securitySchemes": SECURITY_SCHEMES}
    return {"openapi": VERSION, "info": info, "paths": paths, "components": components}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def obj(properties: Schema, *, optional: tuple[str, ...] = ()) -> Schema:
    """An object with these ``properties``, all of them there but the ``optional`` ones."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def content(schema: Schema, example: object, media_type: str = "application/json") -> Schema:
    return {"content": {media_type: {"schema": schema, "example": example}}}


def answer(
    text: str, schema: Schema, example: object, media_type: str = "application/json"
) -> Schema:
    return {"description": text, **content(schema, example, media_type)}


def query_parameter(name: str, parameter: Parameter, *, is_repeatable: bool = False) -> Schema:
    """In OpenAPI's form; what is repeatable is an array of what it otherwise would be."""
    text, example, schema = parameter
    if is_repeatable:
        schema, example = array(schema), [example]
    return {"name": name, "in": "query", "description": text, "schema": schema, "example": example}


def path_parameter(name: str, text: str, example: str) -> Schema:
    place = {"name": name, "in": "path", "required": True}
    return {**place, "description": text, "schema": TEXT, "example": example}


def _describe(operation: Operation) -> Schema:
    entry = operation.entry
    described: Schema = {
        "operationId": operation.name,
        "tags": [entry.tag],
        "summary": entry.summary,
        "security": SECURITY[entry.access],
        "responses": _responses(entry),
    }
    optional = {
        "description": entry.text,
        "parameters": entry.parameters,
        "requestBody": entry.body,
    }
    return described | {key: value for key, value in optional.items() if value}


def _responses(entry: Entry) -> Schema:
    own = {str(status): described for status, described in entry.answers.items()}
    always = (403, 431) if entry.access == "public" else (401, 403, 431)
    refused = {str(status): _refusal(status) for status in sorted({*entry.errors, *always})}
    other = {"description": "Any other error.", **_ERROR_CONTENT}
    return {**refused, **own, "default": other}


def _refusal(status: int) -> Schema:
    return {"description": MEANING[status], **_ERROR_CONTENT}


_ERROR_CONTENT: Schema = {"content": {"application/json": {"schema": ref("Error")}}}
