#!/bin/sh
# One event, and several as JSON lines. LOGGING_URL is the hub's …/log, LANEWAY_TOKEN a token of scope `ingest`.
set -eu
send() { curl -fsS "$LOGGING_URL" -H "Authorization: Bearer $LANEWAY_TOKEN" "$@"; }

send -H 'Content-Type: application/json' -d '{"agent": "curl", "event": "decision", "content": "go by train", "session_id": "s1"}'

send -H 'Content-Type: application/x-ndjson' --data-binary @- <<'LINES'
{"agent": "curl", "event": "tool_invocation", "tool": "timetable", "input": {"to": "Bergen"}, "span_id": "00f067aa0ba902b7"}
{"agent": "curl", "event": "tool_result", "tool": "timetable", "output": "08:25", "span_id": "00f067aa0ba902b7", "duration_ms": 12}
LINES
