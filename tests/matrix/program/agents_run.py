import asyncio

import otel
from agents import Agent, OpenAIChatCompletionsModel, Runner, function_tool, trace
from openai import AsyncOpenAI

calculate = function_tool(otel.calculate)


def main() -> None:
    client = AsyncOpenAI(base_url=f"{otel.MODEL_URL}/v1", api_key="none")
    model = OpenAIChatCompletionsModel(model=otel.MODEL, openai_client=client)
    worker = Agent(name="coder agent", model=model, tools=[calculate])

    @function_tool
    async def coder(task: str) -> str:
        """Give a task to the coder."""
        return (await Runner.run(worker, task)).final_output

    planner = Agent(name="planner agent", model=model, tools=[coder])

    async def run() -> None:
        with trace("planning", group_id="conversation-7"):
            await Runner.run(planner, otel.QUESTION)

    asyncio.run(run())
