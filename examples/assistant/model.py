"""How the agents talk to the model: the `openai` client, with every attempt recorded."""

import asyncio
import inspect
import json
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from openai import APIConnectionError, APIStatusError, AsyncOpenAI, DefaultAsyncHttpxClient
from openai.types import CompletionUsage

from laneway import aspan, log_event

MODEL = os.environ.get("ASSISTANT_MODEL", "rules-1")
MODEL_URL = os.environ.get("ASSISTANT_MODEL_URL", "http://127.0.0.1:8123/v1")
ATTEMPTS = 4
TURNS = 6  # an agent that has not finished by then is going in circles

# The client's own retries are off: they would hide failed attempts from the log.
client = AsyncOpenAI(
    base_url=MODEL_URL,
    api_key="not-needed",
    max_retries=0,
    timeout=120,
    http_client=DefaultAsyncHttpxClient(trust_env=False),  # a local model needs no proxy
)

Message = Any  # a dict of the chat protocol
Tool = Callable[..., Any]


async def ask(messages: list[Message], tools: Sequence[Tool] = (), stream: bool = False) -> Message:
    """The model's next message. A busy or stumbling model is asked again."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await (speak(messages) if stream else complete(messages, tools))
        except (APIConnectionError, APIStatusError) as error:
            status = getattr(error, "status_code", 503)
            if attempt == ATTEMPTS or status not in (429, 500, 503):
                raise
            pause_ms = int(wait_asked_for(error)) * attempt
            log_event(
                None, "retry", f"attempt {attempt + 1} in {pause_ms} ms, since: {error}",
                level="warning", attempt=attempt + 1, status=status,
            )  # fmt: skip
            await asyncio.sleep(pause_ms / 1000)
    raise AssertionError("the last attempt returns or raises")


def wait_asked_for(error: Exception) -> str:
    response = getattr(error, "response", None)
    return response.headers.get("retry-after-ms", "500") if response is not None else "500"


async def complete(messages: list[Message], tools: Sequence[Tool]) -> Message:
    async with aspan(MODEL, kind="llm", provider="local", input=messages) as call:
        reply = await client.chat.completions.create(
            model=MODEL, messages=messages, tools=[describe(function) for function in tools]
        )
        message = reply.choices[0].message.model_dump(exclude_none=True)
        call.set(**count(reply.usage))
        call.result = message.get("content") or [c["function"] for c in message["tool_calls"]]
    return message


def count(usage: CompletionUsage | None) -> dict[str, int]:
    """What the model reported; where it reports nothing, nothing is recorded."""
    if usage is None:
        return {}
    return {"input_tokens": usage.prompt_tokens, "output_tokens": usage.completion_tokens}


async def speak(messages: list[Message]) -> Message:
    """The same, streamed: the time to the first word is what a person waiting feels."""
    async with aspan(MODEL, kind="llm", provider="local", input=messages, stream=True) as call:
        began, text = time.perf_counter(), ""
        async for chunk in await client.chat.completions.create(
            model=MODEL, messages=messages, stream=True, stream_options={"include_usage": True}
        ):
            if not text and chunk.choices and chunk.choices[0].delta.content:
                call.set(first_word_ms=round((time.perf_counter() - began) * 1000, 1))
            text += "".join(choice.delta.content or "" for choice in chunk.choices)
            call.set(**count(chunk.usage))
        call.result = text
    return {"role": "assistant", "content": text}


def describe(function: Tool) -> Any:
    """A function as the tool definition of the chat protocol; all our parameters are texts."""
    names = list(inspect.signature(function).parameters)
    properties = {name: {"type": "string"} for name in names}
    schema = {"type": "object", "properties": properties, "required": names}
    about = {"name": function.__name__, "description": function.__doc__, "parameters": schema}
    return {"type": "function", "function": about}


async def work(instructions: str, task: str, tools: Sequence[Tool]) -> str:
    """Every agent's loop: the model asks for tools, and writes when it knows enough."""
    messages: list[Message] = [
        {"role": "system", "content": instructions},
        {"role": "user", "content": task},
    ]
    by_name = {function.__name__: function for function in tools}
    for _ in range(TURNS):
        reply = await ask(messages, tools)
        if not reply.get("tool_calls"):
            return str(reply["content"])
        answers = await asyncio.gather(*(use(by_name, call) for call in reply["tool_calls"]))
        messages += [reply, *answers]
    raise RuntimeError(f"no answer after {TURNS} turns")


async def use(tools: dict[str, Tool], call: dict[str, Any]) -> Message:
    """Call one tool. Its failure goes back to the model, which may know another way."""
    function = tools[call["function"]["name"]]
    arguments = json.loads(call["function"]["arguments"])
    try:
        answer = await run(function, arguments)
    except Exception as error:  # noqa: BLE001 - recorded by @tool; the model decides what now
        answer = f"Error: {type(error).__name__}: {error}"
    return {"role": "tool", "tool_call_id": call["id"], "content": answer}


async def run(function: Tool, arguments: dict[str, str]) -> str:
    """Plain functions run in a thread, so that they block nobody; the context goes with them."""
    if inspect.iscoroutinefunction(function):
        pending: Awaitable[str] = function(**arguments)
    else:
        pending = asyncio.to_thread(function, **arguments)
    return await pending
