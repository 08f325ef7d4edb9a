import asyncio

import otel
from google.adk.agents import LlmAgent
from google.adk.models.lite_llm import LiteLlm
from google.adk.runners import InMemoryRunner
from google.genai import types

model = LiteLlm(model=f"openai/{otel.MODEL}", api_base=f"{otel.MODEL_URL}/v1", api_key="none")
agent = LlmAgent(name="worker", model=model, instruction="Be exact.", tools=[otel.calculate])


async def main() -> None:
    runner = InMemoryRunner(agent=agent, app_name="sums")
    session = await runner.session_service.create_session(app_name="sums", user_id="u")
    said = types.Content(role="user", parts=[types.Part(text=otel.QUESTION)])
    async for _ in runner.run_async(user_id="u", session_id=session.id, new_message=said):
        pass


asyncio.run(main())
