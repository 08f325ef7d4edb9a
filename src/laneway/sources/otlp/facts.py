"""What a span's attributes mean: GenAI conventions of today and before, OpenInference, OpenLLMetry, MCP.

Each fact has its names in order of precedence. What no fact takes stays in ``rest``, so that nothing is lost.
"""

from dataclasses import dataclass, field
from typing import Any

from laneway.sources.otlp.message import Attributes, parse_json, read_messages, take_list

OPERATIONS = {
    "chat": "llm",
    "generate_content": "llm",
    "text_completion": "llm",
    "llm_call": "llm",
    "execute_tool": "tool",
    "tool_call": "tool",
    "invoke_agent": "agent",
    "agent_call": "agent",
    "invoke_workflow": "workflow",
    "embeddings": "embedding",
}
"""``gen_ai.operation.name``; those that are missing are kinds of their own."""

INFERENCE_KINDS = {"LLM": "llm", "TOOL": "tool", "AGENT": "agent"}
"""``openinference.span.kind``; the others (CHAIN, RETRIEVER, …) are kinds of their own."""

TRACELOOP_KINDS = {"tool": "tool", "agent": "agent", "workflow": "workflow", "task": "task"}

OWN_PREFIX = "laneway."
"""Before the name of a field of ours, on what `sinks.otlp` has written."""

OWN_ID, OWN_START_ID, OWN_KIND, OWN_EVENT = (
    f"{OWN_PREFIX}{name}" for name in ("id", "start_id", "kind", "event")
)
"""Ids of the events of which such a span was made, what kind of work it is, and the type of its one event
where it has no start."""

LIVE_KIND, LIVE_AGENT, LIVE_SESSION = (
    "laneway.live.kind",
    "laneway.live.agent",
    "laneway.live.session",
)
"""On a span whose start was recorded when it began (`laneway.integrations.otel`): as what, and whose."""

AGENT = (LIVE_AGENT, "gen_ai.agent.name", "agent.name", "agent_name", "gen_ai.agent.id")
SESSION = (
    LIVE_SESSION,
    "gen_ai.conversation.id",
    "session.id",
    "conversation.id",
    "traceloop.association.properties.session_id",
    "traceloop.association.properties.thread_id",
    "gcp.vertex.agent.session_id",
    "langfuse.session.id",
)
TOOL = ("gen_ai.tool.name", "tool.name", "tool_name", "mcp.tool.name")
TOOL_INPUT = ("gen_ai.tool.call.arguments", "tool.parameters", "tool_arguments")
TOOL_OUTPUT = ("gen_ai.tool.call.result", "tool_response")
INPUT = ("input.value", "traceloop.entity.input")
OUTPUT = ("output.value", "traceloop.entity.output", "final_result")
INPUT_MESSAGES = ("gen_ai.input.messages", "pydantic_ai.all_messages", "all_messages_events")
OUTPUT_MESSAGES = ("gen_ai.output.messages",)
FLAT_INPUT = ("llm.input_messages", "gen_ai.prompt")
FLAT_OUTPUT = ("llm.output_messages", "gen_ai.completion")
REQUEST_MODEL = ("gen_ai.request.model", "llm.request.model_name", "llm.request.model")
MODEL = (
    "gen_ai.response.model",
    "llm.response.model_name",
    "llm.model_name",
    "embedding.model_name",
    "llm.response.model",
)
PROVIDER = ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system")

USAGE = {
    "input_tokens": (
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.prompt_tokens",
        "llm.token_count.prompt",
        "llm.usage.prompt_tokens",
    ),
    "output_tokens": (
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "llm.token_count.completion",
        "llm.usage.completion_tokens",
    ),
    "cache_read_tokens": (
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "llm.token_count.prompt_details.cache_read",
    ),
    "cache_write_tokens": (
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "llm.token_count.prompt_details.cache_write",
    ),
    "cost_usd": ("llm.cost.total", "gen_ai.usage.cost", "operation.cost"),
}
"""Only a model call's own: agents and chains repeat the sum of what is in them."""

METERED = frozenset({"llm", "embedding", "embeddings"})

MARKS = (
    "gen_ai.operation.name",
    "openinference.span.kind",
    "traceloop.span.kind",
    "llm.request.type",
    "input.mime_type",
    "output.mime_type",
    "llm.token_count.total",
    "llm.usage.total_tokens",
)
"""Said by the event's type, or the sum of others: not kept once more (the kind is, where it is a new one)."""

MODEL_MARKS = ("llm.request.type", "gen_ai.request.model", "llm.model_name")
MANNERS = (
    *("invoke_agent ", "execute_tool ", "create_agent "),
    *(".agent", ".tool", ".workflow", ".task", ".run", ".kickoff", "._execute_core"),
)
"""What instrumentations put before or behind the name in a span's name."""

ADK_RUN = "agent_run ["
"""The spans of agents of Google's ADK before 2.0, ``agent_run [worker]``, have no attribute that says so."""


@dataclass(slots=True)
class Facts:
    """What is known of a span, whatever its dialect; ``rest`` are the attributes that nothing took."""

    kind: str
    live_kind: str = ""
    """As what its start is in the log already; empty where it is not."""
    own_id: str = ""
    own_start_id: str = ""
    own_event: str = ""
    agent: str = ""
    parent_agent: str = ""
    session: str = ""
    tool: str = ""
    request_model: str = ""
    model: str = ""
    provider: str = ""
    usage: dict[str, int | float] = field(default_factory=dict)
    input: Any = None
    output: Any = None
    rest: Attributes = field(default_factory=dict)

    @property
    def is_agentic(self) -> bool:
        """Whether it is part of an agent's work, and not any span of any program."""
        return self.kind != "step"

    @property
    def is_scope(self) -> bool:
        """Whether others happen within it: what is said to the outermost is what the user said."""
        return self.kind in ("agent", "workflow", "chain")


def read_facts(name: str, attributes: Attributes) -> Facts:
    """Facts of the span called ``name``; ``attributes`` are not changed."""
    rest = dict(attributes)
    kind = find_kind(rest)
    adk_agent = name[len(ADK_RUN) : -1] if name.startswith(ADK_RUN) and name[-1] == "]" else ""
    if kind == "step" and adk_agent:
        kind = "agent"
    facts = Facts(kind, live_kind=str(rest.pop(LIVE_KIND, "")), rest=rest)
    facts.own_id, facts.own_start_id, facts.own_event, facts.parent_agent = (
        _text(rest.pop(name, ""))
        for name in (OWN_ID, OWN_START_ID, OWN_EVENT, f"{OWN_PREFIX}parent_agent")
    )
    rest.pop(OWN_KIND, None)
    metadata = parse_json(rest.get("metadata"))
    known = metadata if isinstance(metadata, dict) else {}
    facts.agent = take_name(rest, AGENT) or _text(known.get("lc_agent_name"))
    if kind == "chain" and name == known.get("lc_agent_name"):
        kind = facts.kind = "agent"  # LangGraph's agents are chains that bear their own name
    facts.session = take_name(rest, SESSION) or _text(known.get("thread_id"))
    entity = rest.get("traceloop.entity.name")
    if kind == "agent" and not facts.agent:
        facts.agent = _text(entity) or adk_agent or bare_name(name)
    if kind == "tool":
        facts.tool = take_name(rest, TOOL) or _text(entity) or bare_name(name)
    elif facts.own_id:
        facts.tool = take_name(rest, TOOL)
    facts.request_model = take_name(rest, REQUEST_MODEL)
    facts.model = take_name(rest, MODEL)
    facts.provider = take_name(rest, PROVIDER)
    if kind in METERED or facts.own_id:
        facts.usage = take_usage(rest)
    _take_words(facts)
    for mark in MARKS:
        rest.pop(mark, None)
    return facts


def find_kind(attributes: Attributes) -> str:
    """``llm``, ``tool``, ``agent``, ``chain``, … or ``step`` for a span that says nothing of agents."""
    if own := attributes.get(OWN_KIND):
        return str(own)
    operation = str(attributes.get("gen_ai.operation.name") or "").lower()
    if operation:
        return OPERATIONS.get(operation, operation)
    inference = str(attributes.get("openinference.span.kind") or "").upper()
    if inference and inference != "UNKNOWN":
        return INFERENCE_KINDS.get(inference, inference.lower())
    traceloop = str(attributes.get("traceloop.span.kind") or "").lower()
    if traceloop in TRACELOOP_KINDS:
        return TRACELOOP_KINDS[traceloop]
    if attributes.get("mcp.method.name") == "tools/call":
        return "tool"
    if "gen_ai.tool.call.id" in attributes or "gen_ai.tool.name" in attributes:
        return "tool"
    if any(mark in attributes for mark in MODEL_MARKS):
        return "embedding" if attributes.get("llm.request.type") == "embedding" else "llm"
    return "step"


def bare_name(name: str) -> str:
    """``researcher`` of ``invoke_agent researcher`` or ``researcher.agent``."""
    for manner in MANNERS:
        name = name.removesuffix(manner) if manner[0] == "." else name.removeprefix(manner)
    return name


def take(rest: Attributes, names: tuple[str, ...]) -> Any:
    """The first that is there; it is taken, and so are the others where they say the same."""
    found = next((rest[name] for name in names if rest.get(name) not in (None, "")), None)
    if found is not None:
        for name in names:
            if rest.get(name) == found:
                del rest[name]
    return found


def take_name(rest: Attributes, names: tuple[str, ...]) -> str:
    return _text(take(rest, names))


def take_usage(rest: Attributes) -> dict[str, int | float]:
    found: dict[str, int | float] = {}
    for field_name, names in USAGE.items():
        value = take(rest, names)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
            found[field_name] = value if field_name == "cost_usd" else int(value)
        elif value is not None:
            rest[names[0]] = value
    return found


def _take_words(facts: Facts) -> None:
    """What went in and what came out: messages of a model, arguments and result of a tool."""
    rest = facts.rest
    given = _take_messages(rest, INPUT_MESSAGES, FLAT_INPUT)
    answer = _take_messages(rest, OUTPUT_MESSAGES, FLAT_OUTPUT)
    if facts.kind == "tool":
        arguments, result = take(rest, TOOL_INPUT), take(rest, TOOL_OUTPUT)
        given = parse_json(arguments) if arguments is not None else given
        answer = parse_json(result) if result is not None else answer
    raw_input, raw_output = take(rest, INPUT), take(rest, OUTPUT)
    # OpenInference says a model's messages twice: once flattened, once as the raw request
    facts.input = read_messages(raw_input) if given is None else given
    facts.output = read_messages(raw_output) if answer is None else answer


def _take_messages(rest: Attributes, names: tuple[str, ...], flat: tuple[str, ...]) -> Any:
    for prefix in flat:
        listed = take_list(rest, prefix)
        if listed:
            return read_messages(listed)
    found = take(rest, names)
    return None if found is None else read_messages(found)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)
