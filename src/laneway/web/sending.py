"""The OpenAPI entry of ``POST /log``, which is answered before the router (ingest.py)."""

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
