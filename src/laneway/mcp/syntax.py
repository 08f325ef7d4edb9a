"""The query language in one page, for an assistant that has never seen it."""

EXAMPLES = (
    ("timeout", "the word in any text of an event"),
    ('"connection refused"', "these words in this order"),
    ("deploy*", "words that begin so"),
    ('~"onnection ref"', "these characters anywhere"),
    ("/time.?out/i", "a regular expression (RE2)"),
    ("agent:planner", "one agent; wildcards as in agent:plan*"),
    ("agent:(planner,coder) tool:search*", "one of several; conditions side by side must all hold"),
    ("-event:log", "not these; also NOT (…)"),
    ("level>=warning", "debug, info, warning, error, critical"),
    ("duration_ms>500", "numbers: > >= < <= and a..b; duration:1s..5s"),
    ("session:s1 has:error", "events of a session that failed"),
    ("trace:4bf92f3577b34da6a3ce929d0e0e4736", "by trace id; also span:, parent_span:, id:"),
    ("model:gpt* input_tokens>1000", "model calls; also output_tokens, cost_usd, provider"),
    ('input.path:"src/main.py"', "a key inside input, output, error or content"),
    ("attr.http.status:500..599", "a field of the program's own"),
    ("is:open", "work that has begun and not ended"),
    ("since:15m", "the last 15 minutes; s m h d w"),
    ("since:2026-11-26T10:00Z until:2026-11-26T11:00Z", "from, and before, a moment"),
    ("(agent:coder OR agent:planner) -tool:shell", "OR, AND, NOT in capitals; parentheses"),
)

FIELDS = (
    "agent event session tool level trace span parent parent_span id seq pod host pid role model "
    "provider duration_ms input_tokens output_tokens cost_usd content input output error attr.NAME"
)

EVENTS = (
    "user_message agent_response llm_request llm_response tool_invocation tool_result error session_start "
    "session_end agent_start agent_end decision learning safety_trigger handoff permission_request "
    "permission_decision evaluation log"
)


def tell_syntax() -> str:
    rows = "\n".join(f"{query:<48} {meaning}" for query, meaning in EXAMPLES)
    return (
        f"{rows}\n\nFields: {FIELDS}.\nUsual values of event: {EVENTS}; programs may use others.\n"
        "Values with spaces or signs are quoted. An empty query finds everything."
    )
