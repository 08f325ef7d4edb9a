import os

os.environ |= {
    "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_TRACING_ENABLED": "false",
    "OPENAI_API_KEY": "none",
}
import otel
from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool
from openinference.instrumentation.crewai import CrewAIInstrumentor

CrewAIInstrumentor().instrument(skip_dep_check=True)


@tool("calculate")
def calculate(expression: str) -> str:
    """Work out an arithmetic expression."""
    return otel.calculate(expression)


model = LLM(model=f"openai/{otel.MODEL}", base_url=f"{otel.MODEL_URL}/v1", api_key="none")
worker = Agent(role="worker", goal="sums", backstory="A clerk.", llm=model, tools=[calculate])
task = Task(description=otel.QUESTION, expected_output="a number", agent=worker)
Crew(agents=[worker], tasks=[task]).kickoff()
