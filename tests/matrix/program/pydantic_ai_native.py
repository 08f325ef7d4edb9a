import otel
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

Agent.instrument_all()
model = OpenAIChatModel(
    otel.MODEL, provider=OpenAIProvider(base_url=f"{otel.MODEL_URL}/v1", api_key="none")
)
worker = Agent(model, name="worker", tools=[otel.calculate])
planner = Agent(model, name="planner")


@planner.tool_plain
async def coder(task: str) -> str:
    """Give a task to the coder."""
    return (await worker.run(task)).output


planner.run_sync(otel.QUESTION)
