"""The example's local model, with Anthropic's Messages API beside OpenAI's. Prints its address when it is ready."""

import itertools
import json
import socket
from typing import Any

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from examples.assistant.model_server import build_app, count_usage, write_message

Json = dict[str, Any]

numbers = itertools.count(1)


def as_chat(body: Json) -> Json:
    """A Messages request as the chat protocol has it."""
    messages: list[Json] = []
    for message in body["messages"]:
        parts = message["content"]
        if isinstance(parts, str):
            messages.append({"role": message["role"], "content": parts})
            continue
        for part in parts:
            messages.append(_chat_message(message["role"], part))
    tools = [{"type": "function", "function": {"name": t["name"]}} for t in body.get("tools") or ()]
    return {"messages": messages, "tools": tools}


def _chat_message(role: str, part: Json) -> Json:
    if part["type"] == "tool_use":
        call = {"name": part["name"], "arguments": json.dumps(part["input"])}
        return {"role": role, "content": "", "tool_calls": [{"id": part["id"], "function": call}]}
    if part["type"] == "tool_result":
        return {"role": "tool", "tool_call_id": part["tool_use_id"], "content": part["content"]}
    return {"role": role, "content": part.get("text", "")}


async def messages(request: Request) -> Response:
    body = as_chat(await request.json())
    said = write_message(body, next(numbers))
    usage = count_usage(body, said)
    content = [{"type": "text", "text": said["content"]}] if said["content"] else []
    for call in said.get("tool_calls") or ():
        function = call["function"]
        content.append({"type": "tool_use", "id": call["id"], "name": function["name"],
                        "input": json.loads(function["arguments"])})  # fmt: skip
    return JSONResponse({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "rules-1", "content": content,
        "stop_reason": "tool_use" if said.get("tool_calls") else "end_turn", "stop_sequence": None,
        "usage": {"input_tokens": usage["prompt_tokens"], "output_tokens": usage["completion_tokens"],
                  "cache_read_input_tokens": 3, "cache_creation_input_tokens": 0},
    })  # fmt: skip


def main() -> None:
    app = build_app(latency_ms=20, seed=7, fail_every=0)
    app.router.routes.append(Route("/v1/messages", messages, methods=["POST"]))
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    server.run(sockets=[listener])


if __name__ == "__main__":
    main()
