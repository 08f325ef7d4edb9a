import otel
from anthropic import Anthropic


def main() -> None:
    client = Anthropic(base_url=otel.MODEL_URL, api_key="none")
    tool = {
        "name": "calculate",
        "input_schema": {"type": "object", "properties": {"expression": {"type": "string"}}},
    }
    messages = [{"role": "user", "content": otel.QUESTION}]
    while True:
        reply = client.messages.create(
            model=otel.MODEL, max_tokens=100, messages=messages, tools=[tool]
        )
        messages.append(
            {
                "role": "assistant",
                "content": [part.model_dump(exclude_none=True) for part in reply.content],
            }
        )
        calls = [part for part in reply.content if part.type == "tool_use"]
        if not calls:
            break
        results = [
            {"type": "tool_result", "tool_use_id": c.id, "content": otel.calculate(**c.input)}
            for c in calls
        ]
        messages.append({"role": "user", "content": results})
