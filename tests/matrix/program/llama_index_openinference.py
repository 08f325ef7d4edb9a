import asyncio

import otel
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.llms.openai_like import OpenAILike
from openinference.instrumentation.llama_index import LlamaIndexInstrumentor

LlamaIndexInstrumentor().instrument()
model = OpenAILike(
    model=otel.MODEL,
    api_base=f"{otel.MODEL_URL}/v1",
    api_key="none",
    is_chat_model=True,
    is_function_calling_model=True,
    context_window=8000,
)
agent = FunctionAgent(tools=[otel.calculate], llm=model, name="worker", streaming=False)


async def main() -> None:
    await agent.run(otel.QUESTION)


asyncio.run(main())
