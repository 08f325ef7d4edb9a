"""The bodies of the hub's answers, as the OpenAPI document describes them, with an example of each."""

from laneway.web.openapi import TEXT, Schema, array, obj, ref

TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time"}
NUMBER: Schema = {"type": "number", "minimum": 0}
BUCKETS: Schema = array(array({"type": "number"}) | {"minItems": 3, "maxItems": 3})
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
MENTION = obj(
    {
        "seq": COUNT, "id": TEXT, "timestamp": TIME, "event": TEXT, "agent": TEXT, "error": FLAG,
        "text": TEXT,
    }
)  # fmt: skip
SEQ: Schema = {"type": ["integer", "null"]}
MAYBE_TIME: Schema = {"type": ["string", "null"]}
SPAN = obj(
    {
        "span_id": TEXT,
        "parent_span_id": TEXT,
        "depth": COUNT | {"description": "0 for a root."},
        "children": COUNT,
        "name": TEXT | {"description": "The tool or model, or else the agent."},
        "event": TEXT,
        "agent": TEXT,
        "start": MAYBE_TIME,
        "end": MAYBE_TIME | {"description": "Null while it is open."},
        "duration_ms": {"type": ["number", "null"]},
        "state": {"enum": ["open", "done", "failed", "missing"]},
        "text": TEXT,
        "start_seq": SEQ,
        "end_seq": SEQ,
        "events": array(MENTION)
        | {"description": "What lies in it, neither its start nor its end."},
    }
)
TRACE = obj(
    {
        "trace_id": TEXT, "start": TIME, "end": TIME, "duration_ms": NUMBER, "events": COUNT,
        "errors": COUNT, "agents": array(TEXT), "open": COUNT, "complete": FLAG,
        "spans": array(SPAN), "outside": array(MENTION) | {"description": "Events of no span."},
    }
)  # fmt: skip
LOG_HEALTH = obj(
    {
        "segments": COUNT,
        "bytes": COUNT,
        "writable": FLAG,
        "durability": {"enum": ["default", "durable"]},
        "sync_faults": COUNT | {"description": "Each may cost events in a power cut."},
        "damaged_lines": COUNT | {"description": "Lines that are lost."},
        "unreadable": COUNT | {"description": "Log files that the hub may not read."},
    }
)
INDEX_HEALTH = obj(
    {"events": COUNT, "lag_bytes": COUNT, "following": FLAG, "quarantined": COUNT, "broken": COUNT},
)

SCHEMAS: dict[str, Schema] = {
    "Event": EVENT,
    "Accuracy": ACCURACY,
    "Status": obj({"code": {"type": "integer"}, "message": TEXT}),
    "Page": obj(
        {
            "events": array(ref("Event")),
            "next": TEXT_OR_NULL,
            "scan": ref("Scan"),
            "total": obj(
                {"count": COUNT, "accuracy": ref("Accuracy"), "scan": ref("Scan")},
                optional=("scan",),
            ),
        },
        optional=("scan", "total"),
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
            "terms": array(ref("Term"))
            | {"description": "The conditions of `q` that must all hold, in its order."},
            "segments": COUNT | {"description": "Those that can hold a hit."},
            "total_segments": COUNT,
            "events": COUNT | {"description": "In those segments."},
            "bytes": COUNT,
        }
    ),
    "Term": obj(
        {
            "text": TEXT | {"description": "In its one spelling, fit to stand beside others."},
            "field": TEXT | {"description": "What it asks about; empty for words and groups."},
            "values": array(TEXT)
            | {"description": "Any of these, letter by letter; empty for other conditions."},
            "negated": {"type": "boolean"},
        }
    ),
    "Agent": obj(TOTALS),
    "Session": obj(
        TOTALS
        | {
            "agents": array(TEXT),
            "state": {
                "enum": ["working", "waiting", "idle", "failed", "ended"],
                "description": "By its last event; `waiting` is for a person, `idle` is 15 quiet minutes.",
            },
            "title": TEXT | {"description": "Its first user message, in one line, or empty."},
            "duration_ms": {"type": "number"} | {"description": "Of the whole session."},
            "last_event": TEXT,
        }
    ),
    "Failure": obj(
        {
            "fingerprint": TEXT | {"description": "The same for the same type and pattern."},
            "type": TEXT,
            "pattern": TEXT | {"description": "The message, with `#` for whatever changes."},
            "message": TEXT | {"description": "Of the newest."},
            "events": COUNT,
            "newest": COUNT | {"description": "Its number."},
            "first": TIME,
            "since_first": {
                "type": "boolean",
                "description": "False: there may be an earlier one.",
            },
            "last": TIME,
            "agents": array(TEXT),
            "tools": array(TEXT),
            "course": array(COUNT) | {"description": "How many in each step."},
        }
    ),
    "Facet": obj(
        {
            "field": TEXT,
            "accuracy": ref("Accuracy"),
            "distinct": COUNT | {"description": "Different values, told or not."},
            "events": COUNT | {"description": "Events that have the field."},
            "errors": COUNT,
            "values": array(obj({"value": TEXT, "events": COUNT, "errors": COUNT})),
            "scan": ref("Scan"),
        },
        optional=("scan",),
    ),
    "Duration": obj(
        {
            "events": COUNT,
            "errors": COUNT,
            "mean_ms": NUMBER,
            "max_ms": NUMBER,
            "p50_ms": NUMBER,
            "p90_ms": NUMBER,
            "p95_ms": NUMBER,
            "p99_ms": NUMBER,
        }
    )
    | {"description": "Also the fields of `by`."},
    "Usage": obj(
        {
            "events": COUNT,
            "errors": COUNT,
            "input_tokens": COUNT,
            "output_tokens": COUNT,
            "cost_usd": NUMBER,
            "start": TIME,
        },
        optional=("start",),
    )
    | {"description": "Also the fields of `by`; `start` where there are steps."},
    "Trace": TRACE,
    "Pulse": obj(
        {
            "step_ms": {"type": "integer", "minimum": 1},
            "accuracy": ref("Accuracy"),
            "buckets": BUCKETS
            | {"description": "Start in Unix milliseconds, and the two figures that `of` names."},
            "series": array(obj({"name": {"type": ["string", "null"]}, "buckets": BUCKETS})),
            "work": BUCKETS
            | {"description": "Start in Unix milliseconds, what began, what ended."},
            "scan": ref("Scan"),
        },
        optional=("series", "work", "scan"),
    ),
    "Health": obj(
        {
            "status": {"enum": ["ok", "failing"]},
            "version": TEXT,
            "log": LOG_HEALTH,
            "index": INDEX_HEALTH,
            "viewers": COUNT,
            "bus": obj({"connected": FLAG, "pending_bytes": COUNT})
            | {
                "description": "Where the hub has a bus. While that is away, events wait in the log."
            },
        },
        optional=("bus",),
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
PLAN_EXAMPLE: Schema = {
    "query": 'agent:planner ~"frag"',
    "cost": "scan",
    "steps": [
        "time and ids leave 2 of 3 segments",
        "index: agent:planner",
        'lines without "frag" are passed by',
        'read from the log and checked: ~"frag"',
    ],
    "terms": [
        {"text": "agent:planner", "field": "agent", "values": ["planner"], "negated": False},
        {"text": '~"frag"', "field": "", "values": [], "negated": False},
    ],
    "segments": 2,
    "total_segments": 3,
    "events": 500_000,
    "bytes": 350_000_000,
}
SESSION_EXAMPLE: Schema = {
    **AGENT_EXAMPLE, "name": "s1", "agents": ["planner"], "state": "waiting",
    "title": "Plan a weekend in Hamburg", "duration_ms": 1353000.123, "last_event": "agent_response",
}  # fmt: skip
FAILURE_EXAMPLE: Schema = {
    "fingerprint": "9f86d081884c", "type": "TimeoutError", "pattern": "run_tests took longer than # s",
    "message": "run_tests took longer than 120 s", "events": 12, "newest": 1041,
    "first": "2026-11-23T08:02:11.000000Z", "since_first": True, "last": "2026-11-23T18:22:32.000123Z",
    "agents": ["coder"], "tools": ["run_tests"], "course": [0] * 23 + [12],
}  # fmt: skip
FACET_EXAMPLE: Schema = {
    "field": "tool", "accuracy": "exact", "distinct": 7, "events": 410, "errors": 3,
    "values": [{"value": "search_files", "events": 120, "errors": 2}],
}  # fmt: skip
DURATION_EXAMPLE: Schema = {
    "tool": "search_files", "events": 120, "errors": 2, "mean_ms": 41.2, "max_ms": 812.0,
    "p50_ms": 18.1, "p90_ms": 96.4, "p95_ms": 177.0, "p99_ms": 640.3,
}  # fmt: skip
USAGE_EXAMPLE: Schema = {
    "start": "2026-11-23T00:00:00.000000Z", "model": "local-8b", "agent": "planner", "events": 51,
    "errors": 0, "input_tokens": 52000, "output_tokens": 9100, "cost_usd": 0.0123,
}  # fmt: skip
TRACE_EXAMPLE: Schema = {
    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "start": "2026-11-23T18:22:32.000123Z",
    "end": "2026-11-23T18:22:33.000123Z", "duration_ms": 1000.0, "events": 2, "errors": 0,
    "agents": ["planner"], "open": 0, "complete": True, "outside": [],
    "spans": [{
        "span_id": "00f067aa0ba902b7", "parent_span_id": "", "depth": 0, "children": 0,
        "name": "search_files", "event": "tool_invocation", "agent": "planner",
        "start": "2026-11-23T18:22:32.000123Z", "end": "2026-11-23T18:22:33.000123Z",
        "duration_ms": 1000.0, "state": "done", "text": "TODO", "start_seq": 1041, "end_seq": 1042,
        "events": [],
    }],
}  # fmt: skip
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
        "unreadable": 0,
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
