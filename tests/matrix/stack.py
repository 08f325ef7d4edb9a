"""The stacks that are tried: what is installed, which program runs, and what must arrive."""

from typing import NamedTuple

EXPORTER = ("opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http")


class Stack(NamedTuple):
    """``name`` is the environment's, ``program`` a file of ``program/``."""

    name: str
    program: str
    packages: tuple[str, ...]
    shown: tuple[str, ...]
    """Those whose versions the table tells: the framework and its instrumentation."""
    events: frozenset[str]
    """Types that must arrive."""
    agents: frozenset[str] = frozenset()
    """Lanes that must be there."""
    parents: frozenset[tuple[str, str]] = frozenset()
    """Agents and those who called them."""
    session: str = ""
    has_tokens: bool = True


def stack(name: str, program: str, packages: str, shown: str, events: str, **more: object) -> Stack:
    return Stack(
        name,
        program,
        tuple(packages.split()),
        tuple(shown.split()),
        frozenset(events.split()),
        **more,  # type: ignore[arg-type]
    )


MODEL = "llm_request llm_response"
TOOL = "tool_invocation tool_result"
AGENT = "agent_start agent_end"
TEAM = frozenset({("worker", "planner")})

STACKS = (
    stack("openai", "openai_otel", "openai opentelemetry-instrumentation-genai-openai",
          "openai opentelemetry-instrumentation-genai-openai", MODEL),
    stack("openai-openllmetry", "openai_openllmetry", "openai opentelemetry-instrumentation-openai",
          "openai opentelemetry-instrumentation-openai", MODEL),
    stack("anthropic", "anthropic_openinference", "anthropic openinference-instrumentation-anthropic",
          "anthropic openinference-instrumentation-anthropic", MODEL),
    stack("anthropic-otel", "anthropic_otel", "anthropic opentelemetry-instrumentation-genai-anthropic",
          "anthropic opentelemetry-instrumentation-genai-anthropic", MODEL),
    stack("openai-agents", "openai_agents", "openai-agents openinference-instrumentation-openai-agents",
          "openai-agents openinference-instrumentation-openai-agents", f"{MODEL} {TOOL} {AGENT}",
          agents=frozenset({"planner agent", "coder agent"}), parents=frozenset({("coder agent", "planner agent")})),
    stack("openai-agents-otel", "openai_agents_otel", "openai-agents opentelemetry-instrumentation-genai-openai-agents opentelemetry-instrumentation-genai-openai",
          "openai-agents opentelemetry-instrumentation-genai-openai-agents", f"{MODEL} {TOOL} {AGENT}",
          agents=frozenset({"planner agent", "coder agent"}), parents=frozenset({("coder agent", "planner agent")})),
    stack("pydantic-ai", "pydantic_ai_native", "pydantic-ai-slim[openai]", "pydantic-ai-slim",
          f"{MODEL} {TOOL} {AGENT} user_message agent_response", agents=frozenset({"planner", "worker"}), parents=TEAM),
    stack("langgraph", "langgraph_openinference", "langchain langgraph langchain-openai openinference-instrumentation-langchain",
          "langchain langgraph openinference-instrumentation-langchain", f"{MODEL} {TOOL} user_message agent_response",
          agents=frozenset({"planner", "worker"}), parents=TEAM, session="conversation-7"),
    stack("langgraph-openllmetry", "langgraph_openllmetry", "langchain langgraph langchain-openai opentelemetry-instrumentation-langchain",
          "langchain langgraph opentelemetry-instrumentation-langchain", f"{MODEL} {TOOL} {AGENT}",
          agents=frozenset({"planner", "worker"}), parents=TEAM),
    stack("litellm", "litellm_openinference", "litellm openinference-instrumentation-litellm",
          "litellm openinference-instrumentation-litellm", MODEL),
    stack("smolagents", "smolagents_openinference", "smolagents[openai] openinference-instrumentation-smolagents",
          "smolagents openinference-instrumentation-smolagents", f"{MODEL} {TOOL} {AGENT} user_message"),
    stack("mcp", "mcp_native", "mcp", "mcp",
          TOOL, has_tokens=False),
    stack("llama-index", "llama_index_openinference",
          "llama-index-core llama-index-llms-openai-like openinference-instrumentation-llama-index",
          "llama-index-core openinference-instrumentation-llama-index", f"{MODEL} {TOOL}"),
    stack("crewai", "crewai_openinference", "crewai openinference-instrumentation-crewai openinference-instrumentation-litellm",
          "crewai openinference-instrumentation-crewai", f"{AGENT}", agents=frozenset({"worker"}), has_tokens=False),
    # The second is what pip chooses beside a newest OpenTelemetry, which the first does not take.
    stack("google-adk", "google_adk_native", "google-adk>=2 litellm", "google-adk", f"{MODEL} {TOOL} {AGENT}",
          agents=frozenset({"worker"})),
    stack("google-adk-1", "google_adk_native", "google-adk<2 litellm", "google-adk", f"{MODEL} {TOOL} {AGENT}",
          agents=frozenset({"worker"})),
)  # fmt: skip
