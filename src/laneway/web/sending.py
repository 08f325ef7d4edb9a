"""The OpenAPI entries of what is answered before the router (ingest.py, otlp.py)."""

from laneway.web.openapi import Entry, Operation, Schema, answer, array, ref
from laneway.web.schema import RECEIPT_EXAMPLE

SENT: Schema = {
    "type": "object",
    "description": "An event as a sender writes it: `timestamp` and `id` are made where they are missing.",
    "required": ["agent", "event"],
    "properties": {"agent": {"type": "string"}, "event": {"type": "string"}},
}
SENT_EXAMPLE: Schema = {"agent": "planner", "event": "decision", "content": "read the file first"}
LINES_EXAMPLE = '{"agent": "planner", "event": "log"}\n{"agent": "coder", "event": "log"}\n'
REJECTED_EXAMPLE: Schema = {**RECEIPT_EXAMPLE, "status": "rejected", "accepted": 0}

SEND = Operation(
    "POST",
    "/log",
    "log",
    Entry(
        tag="send",
        summary="Record one event or many",
        text="One object, an array, or NDJSON; gzip is understood. It answers after the append.",
        access="send",
        body={
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"oneOf": [SENT, array(SENT)]},
                    "example": SENT_EXAMPLE,
                },
                "application/x-ndjson": {"schema": {"type": "string"}, "example": LINES_EXAMPLE},
            },
        },
        answers={
            200: answer("At least one was taken.", ref("Receipt"), RECEIPT_EXAMPLE),
            422: answer("None was taken.", ref("Receipt"), REJECTED_EXAMPLE),
        },
        parameters=[
            {
                "name": "Laneway-Durability",
                "in": "header",
                "description": "`durable`: answer when the events are on the disk.",
                "schema": {"enum": ["default", "durable"]},
                "example": "durable",
            }
        ],
        errors=(400, 408, 413, 415, 429, 503, 507),
    ),
)

BINARY: Schema = {"schema": {"type": "string", "format": "binary"}, "example": ""}
SPAN_EXAMPLE: Schema = {
    "traceId": "5b8efff798038103d269b633813fc60c",
    "spanId": "eee19b7ec3c1b174",
    "name": "chat qwen3",
    "startTimeUnixNano": "1780000000000000000",
    "endTimeUnixNano": "1780000001000000000",
    "attributes": [{"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}}],
}
RECORD_EXAMPLE: Schema = {
    "timeUnixNano": "1780000000000000000",
    "severityNumber": 9,
    "body": {"stringValue": "the cache is warm"},
}
TRACES_EXAMPLE: Schema = {"resourceSpans": [{"scopeSpans": [{"spans": [SPAN_EXAMPLE]}]}]}
LOGS_EXAMPLE: Schema = {"resourceLogs": [{"scopeLogs": [{"logRecords": [RECORD_EXAMPLE]}]}]}
POINT_EXAMPLE: Schema = {
    "name": "claude_code.token.usage",
    "unit": "tokens",
    "sum": {
        "aggregationTemporality": 1,
        "isMonotonic": True,
        "dataPoints": [{"timeUnixNano": "1780000000000000000", "asInt": "1200"}],
    },
}
METRICS_EXAMPLE: Schema = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [POINT_EXAMPLE]}]}]}


def _otlp(path: str, name: str, what: str, example: Schema) -> Operation:
    """OTLP's own documents describe the bodies; here stands that they are taken."""
    body: Schema = {
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "object"}, "example": example},
            "application/x-protobuf": BINARY,
        },
    }
    answered: Schema = {
        "description": "All was taken, or `partialSuccess` tells what was not.",
        "content": {
            "application/json": {"schema": {"type": "object"}, "example": {}},
            "application/x-protobuf": BINARY,
        },
    }
    refused: Schema = {
        "description": "Refused; the body is a `google.rpc.Status`.",
        "content": {
            "application/json": {"schema": ref("Status")},
            "application/x-protobuf": BINARY,
        },
    }
    statuses = (400, 401, 408, 413, 415, 429, 503)
    return Operation(
        "POST",
        path,
        name,
        Entry(
            tag="send",
            summary=f"Record OpenTelemetry {what}",
            text="OTLP/HTTP, protobuf or JSON, gzip is understood (docs/integrations.md).",
            access="send",
            body=body,
            answers={200: answered, **dict.fromkeys(statuses, refused)},
        ),
    )


HOOK_EXAMPLE: Schema = {
    "hook_event_name": "PreToolUse",
    "session_id": "s1",
    "tool_name": "Bash",
    "tool_input": {"command": "ls"},
}

SEND_HOOK = Operation(
    "POST",
    "/events",
    "hooks",
    Entry(
        tag="send",
        summary="Record payloads of a coding agent's hooks",
        text="Claude Code's own payload, or the envelope in which other dashboards get it.",
        access="send",
        body={
            "required": True,
            "content": {
                "application/json": {"schema": {"type": "object"}, "example": HOOK_EXAMPLE}
            },
        },
        answers=SEND.entry.answers,
        errors=SEND.entry.errors,
    ),
)

SENDING = (
    SEND,
    SEND_HOOK,
    _otlp("/v1/traces", "traces", "traces", TRACES_EXAMPLE),
    _otlp("/v1/logs", "logs", "logs", LOGS_EXAMPLE),
    _otlp("/v1/metrics", "otlp_metrics", "metrics", METRICS_EXAMPLE),
)
