import json

import litellm
import otel
from openinference.instrumentation.litellm import LiteLLMInstrumentor

LiteLLMInstrumentor().instrument()
parameters = {"type": "object", "properties": {"expression": {"type": "string"}}}
tool = {"type": "function", "function": {"name": "calculate", "parameters": parameters}}
messages = [{"role": "user", "content": otel.QUESTION}]
while True:
    reply = litellm.completion(
        model=f"openai/{otel.MODEL}",
        api_base=f"{otel.MODEL_URL}/v1",
        api_key="none",
        messages=messages,
        tools=[tool],
    )
    message = reply.choices[0].message
    messages.append(message.model_dump(exclude_none=True))
    if not message.tool_calls:
        break
    for call in message.tool_calls:
        answer = otel.calculate(**json.loads(call.function.arguments))
        messages.append({"role": "tool", "tool_call_id": call.id, "content": answer})
