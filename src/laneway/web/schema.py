"""The bodies of the hub's answers, as the OpenAPI document describes them, with an example of each."""

from laneway.web.openapi import TEXT, Schema, array, obj, ref

COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time"}
ACCURACY: Schema = {
    "enum": ["exact", "estimated", "at_least"],
    "description": "`at_least`: the time was over; counts are of the newest part.",
}

EVENT: Schema = {
    "type": "object",
    "description": "The event as it is stored (spec/event.schema.json), and its number.",
    "required": ["timestamp", "agent", "event", "id", "seq"],
    "properties": {
        "timestamp": TIME,
        "agent": TEXT,
        "event": TEXT,
        "id": TEXT,
        "seq": COUNT | {"description": "Order of arrival."},
    },
}
TOTALS: Schema = {
    "name": TEXT,
    "parent": TEXT | {"description": "The agent or session above it, or empty."},
    "events": COUNT,
    "errors": COUNT,
    "first": TIME,
    "last": TIME,
    "input_tokens": COUNT,
    "output_tokens": COUNT,
    "cost_usd": {"type": "number"},
}
LOG_HEALTH = obj(
    {
        "segments": COUNT,
        "bytes": COUNT,
        "writable": FLAG,
        "durability": {"enum": ["default", "durable"]},
        "sync_faults": COUNT | {"description": "Each may cost events in a power cut."},
    }
)
INDEX_HEALTH = obj(
    {"events": COUNT, "lag_bytes": COUNT, "following": FLAG, "quarantined": COUNT, "broken": COUNT},
)

SCHEMAS: dict[str, Schema] = {
    "Event": EVENT,
    "Page": obj(
        {
            "events": array(ref("Event")),
            "next": {"type": ["string", "null"]},
            "scan": ref("Scan"),
        },
        optional=("scan",),
    ),
    "Scan": obj(
        {
            "complete": FLAG | {"description": "False: the time was over; more may be found."},
            "read_events": COUNT | {"description": "Candidates read from the log."},
            "passed_bytes": COUNT,
            "total_bytes": COUNT,
            "passed_segments": COUNT,
            "total_segments": COUNT,
        }
    )
    | {
        "description": "There if the log had to be read: how far that went. A page that is not "
        "complete goes on at `next`; totals that are not complete count the newest events."
    },
    "Plan": obj(
        {
            "query": TEXT | {"description": "The query, filters included, in its one spelling."},
            "cost": {"enum": ["index", "words", "scan"]},
            "steps": array(TEXT),
            "segments": COUNT | {"description": "Those that can hold a hit."},
            "total_segments": COUNT,
            "events": COUNT | {"description": "In those segments."},
            "bytes": COUNT,
        }
    ),
    "Agent": obj(TOTALS),
    "Session": obj(TOTALS | {"agents": array(TEXT)}),
    "Pulse": obj(
        {
            "step_ms": {"type": "integer", "minimum": 1},
            "accuracy": ACCURACY,
            "buckets": array(array({"type": "integer"}) | {"minItems": 3, "maxItems": 3})
            | {"description": "Start in Unix milliseconds, events, errors of each."},
        }
    ),
    "Health": obj(
        {
            "status": {"enum": ["ok", "failing"]},
            "version": TEXT,
            "log": LOG_HEALTH,
            "index": INDEX_HEALTH,
            "viewers": COUNT,
        }
    ),
    "Receipt": obj(
        {
            "status": {"enum": ["logged", "rejected"]},
            "accepted": COUNT,
            "rejected": COUNT,
            "durable": FLAG
            | {"description": "Whether the events are on the disk, and so survive a power cut."},
            "durability": {
                "enum": ["default", "durable"],
                "description": "`default`: a power cut may cost what came within the last second.",
            },
            "errors": array(obj({"index": COUNT, "field": TEXT, "message": TEXT})),
        }
    ),
}

EVENT_EXAMPLE: Schema = {
    "timestamp": "2026-11-23T18:22:33.000123Z",
    "agent": "planner",
    "event": "tool_invocation",
    "id": "019ab1c2-7b1e-7c3d-9a4f-3f1f6a0d2b11",
    "tool": "search_files",
    "input": {"pattern": "TODO"},
    "seq": 1041,
}
AGENT_EXAMPLE: Schema = {
    "name": "planner",
    "parent": "",
    "events": 120,
    "errors": 2,
    "first": "2026-11-23T18:00:00.000000Z",
    "last": "2026-11-23T18:22:33.000123Z",
    "input_tokens": 5200,
    "output_tokens": 910,
    "cost_usd": 0.0123,
}
SESSION_EXAMPLE: Schema = {**AGENT_EXAMPLE, "name": "s1", "agents": ["planner"]}
PLAN_EXAMPLE: Schema = {
    "query": 'agent:planner ~"frag"',
    "cost": "scan",
    "steps": [
        "time and ids leave 2 of 3 segments",
        "index: agent:planner",
        'read from the log and checked: ~"frag"',
    ],
    "segments": 2,
    "total_segments": 3,
    "events": 500_000,
    "bytes": 350_000_000,
}
HEALTH_EXAMPLE: Schema = {
    "status": "ok",
    "version": "0.1.0",
    "log": {
        "segments": 3,
        "bytes": 734003200,
        "writable": True,
        "durability": "default",
        "sync_faults": 0,
        "damaged_lines": 0,
    },
    "index": {
        "events": 1041,
        "lag_bytes": 0,
        "following": True,
        "quarantined": 0,
        "broken": 0,
    },
    "viewers": 1,
}
RECEIPT_EXAMPLE: Schema = {
    "status": "logged",
    "accepted": 2,
    "rejected": 1,
    "durable": False,
    "durability": "default",
    "errors": [
        {
            "index": 1,
            "field": "timestamp",
            "message": '"yesterday" is not ISO 8601 or a Unix time',
        }
    ],
}
