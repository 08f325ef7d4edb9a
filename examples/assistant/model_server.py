"""An OpenAI-compatible model server that answers by rules: no weights, the real protocol.

It reads the conversation and the tools that are offered, calls the tools whose rule finds
something to do, and writes an answer from what they returned. It takes its time as a model
does, counts tokens, and refuses every so many requests.
"""

import argparse
import asyncio
import itertools
import json
import random
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

MODEL = "rules-1"
RETRY_AFTER_MS = 250
WORD_MS = 12  # between two words of a streamed answer: about 80 words a second
ANSWER_CHARS = 600

Json = dict[str, Any]
Arguments = dict[str, str]


def count_tokens(text: str) -> int:
    """The tokenizer: every run of word characters is one token, and so is every other sign."""
    return len(re.findall(r"\w+|[^\w\s]", text))


# --- what was said -------------------------------------------------------------------------


@dataclass
class Result:
    tool: str
    arguments: Arguments
    answer: str

    @property
    def failed(self) -> bool:
        return self.answer.startswith("Error")


@dataclass
class Talk:
    """The last thing the user asked for, and what the tools have answered since."""

    task: str
    offered: list[str]
    results: list[Result]

    def answer_of(self, tool: str) -> str:
        return next((r.answer for r in self.results if r.tool == tool and not r.failed), "")

    def tried(self, tool: str, arguments: Arguments) -> bool:
        return any(r.tool == tool and r.arguments == arguments for r in self.results)


def text_of(message: Json) -> str:
    """The text of a message, whose content may be a list of parts."""
    content = message.get("content") or ""
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content)
    return str(content)


def read_talk(body: Json) -> Talk:
    talk = Talk("", [tool["function"]["name"] for tool in body.get("tools") or []], [])
    calls: dict[str, Json] = {}
    for message in body["messages"]:
        if message["role"] == "user":
            talk.task, talk.results = text_of(message), []
        for call in message.get("tool_calls") or []:
            calls[call["id"]] = call["function"]
        if message["role"] == "tool":
            call = calls[message["tool_call_id"]]
            result = Result(call["name"], json.loads(call["arguments"]), text_of(message))
            talk.results.append(result)
    return talk


# --- the rules: each yields the arguments with which its tool is worth calling ---------------

ROUTES = {
    "memory": r"\b(remember|my notes|how many notes|select|diary)\b",
    "coder": r"\d\s*[-+*/%]+\s*[\d(]|\b(primes?|fibonacci|python|shuffle|endless)\b",
    "researcher": r"\b(who|what|where|when|how|find|search|read|summar\w+|look)\b|\.md\b",
}
CLAUSE_END = re.compile(
    r"(?<=[?!])\s+(?:then )?|(?<=\w{4})\.\s+(?:then )?(?=[A-Z])|;\s*|,? (?:and )?then ", re.I
)
EXPRESSION = re.compile(r"[\d(][\d\s.+\-*/%()]*[\d)]")
FILE = re.compile(r"[\w-]+\.md\b")
FILLER = re.compile(
    r"about|also|and|are|can|does|documents?|files?|find|for|from|have|how|long|look|many|much|out|"
    r"please|read|say|search|summar\w+|that|the|there|this|what|when|where|which|who|why|with|you"
)
SNIPPETS = {
    r"primes? below (\d+)": "print([p for p in range(2, {0}) if all(p % d for d in range(2, p))])",
    r"fibonacci\D*(\d+)": "a, b = 0, 1\nfor _ in range({0}):\n    print(a)\n    a, b = b, a + b",
    r"shuffle (\d+)": "import random\nprint(random.sample(range({0}), {0}))",
    r"(endless)": "while True:\n    pass",
    r"python.*(import \w+)": "{0}\nprint('done')",
}


def split_clauses(text: str) -> list[str]:
    return [clause.strip() for clause in CLAUSE_END.split(text) if clause.strip()]


def clauses_for(agent: str, talk: Talk) -> Iterator[Arguments]:
    """The planner's rule: the clauses of the request that this agent is the first to fit."""
    for clause in split_clauses(talk.task):
        fits = (name for name, words in ROUTES.items() if re.search(words, clause, re.I))
        if next(fits, None) == agent:
            yield {"task": clause}


def keywords(text: str) -> list[str]:
    words = (word.strip(".,:?!").lower() for word in text.split())
    return [w for w in words if len(w) > 2 and w.isalpha() and not FILLER.fullmatch(w)]


def search_files(talk: Talk) -> Iterator[Arguments]:
    """Where no file is named, and where the named one is not there."""
    words = keywords(FILE.sub(lambda name: name[0].removesuffix(".md"), talk.task))
    if words and (not FILE.search(talk.task) or any(r.failed for r in talk.results)):
        yield {"words": " ".join(words[:4])}


def read_file(talk: Talk) -> Iterator[Arguments]:
    """The file that the task names; after a search, the file of the best hit."""
    if named := FILE.search(talk.task):
        yield {"path": named[0]}
    if hit := FILE.match(talk.answer_of("search_files")):
        yield {"path": hit[0]}


def calculate(talk: Talk) -> Iterator[Arguments]:
    for found in EXPRESSION.findall(talk.task):
        if re.search(r"[-+*/%]", found):
            yield {"expression": found.strip()}


def run_python(talk: Talk) -> Iterator[Arguments]:
    for pattern, snippet in SNIPPETS.items():
        if found := re.search(pattern, talk.task, re.I):
            yield {"code": snippet.format(found[1])}


def write_note(talk: Talk) -> Iterator[Arguments]:
    outcome = talk.answer_of("calculate") or talk.answer_of("run_python")
    if outcome and re.search(r"\b(save|note|keep)\b", talk.task, re.I):
        yield {"text": outcome}


def remember(talk: Talk) -> Iterator[Arguments]:
    if found := re.search(r"\bremember (?:that )?(.+)", talk.task, re.I | re.S):
        yield {"text": found[1]}


def query_notes(talk: Talk) -> Iterator[Arguments]:
    if found := re.search(r"\bselect .+", talk.task, re.I | re.S):
        yield {"sql": found[0]}
    elif re.search(r"how many notes", talk.task, re.I):
        yield {"sql": "SELECT count(*) FROM note"}
    elif found := re.search(r"notes.* about (?:the )?(\w+)", talk.task, re.I):
        yield {"sql": f"SELECT text FROM note WHERE text LIKE '%{found[1]}%' LIMIT 5"}  # noqa: S608 - \w only


TOOL_RULES: tuple[Callable[[Talk], Iterator[Arguments]], ...] = (
    read_file, search_files, calculate, run_python, write_note, remember, query_notes,
)  # fmt: skip


def next_calls(talk: Talk) -> list[tuple[str, Arguments]]:
    wanted = [(name, arguments) for name in ROUTES for arguments in clauses_for(name, talk)]
    wanted += [(rule.__name__, arguments) for rule in TOOL_RULES for arguments in rule(talk)]
    return [call for call in wanted if call[0] in talk.offered and not talk.tried(*call)]


def compose(talk: Talk) -> str:
    good = [r for r in talk.results if not r.failed]
    lost = "" if not talk.results or good[-1:] == talk.results[-1:] else talk.results[-1].answer
    if good and good[-1].tool == "read_file":
        return f"{good[-1].arguments['path']} says: {quote_best(good[-1].answer, talk.task)}"
    if good:
        return good[-1].answer[:ANSWER_CHARS] + (lost and f"\nBut one thing failed. {lost}")
    if lost:
        return f"That did not work. {lost[:ANSWER_CHARS]}"
    if talk.task.startswith("Findings:"):
        return "Here is what came of it.\n" + talk.task.removeprefix("Findings:").strip()
    return "Hello! Ask me about your documents and notes, or give me something to work out."


def quote_best(text: str, task: str) -> str:
    """The two lines that share most words with the task, in their order."""
    lines = [line for line in text.splitlines() if line.strip() and line[0] not in "#|"]
    words = keywords(task)
    best = sorted(lines, key=lambda line: -sum(word in line.lower() for word in words))[:2]
    return " ".join(line for line in lines if line in best)[:ANSWER_CHARS]


# --- the protocol --------------------------------------------------------------------------


def write_message(body: Json, number: int) -> Json:
    talk = read_talk(body)
    calls = [
        {"id": f"call_{number}_{i}", "type": "function", "index": i,
         "function": {"name": name, "arguments": json.dumps(arguments)}}
        for i, (name, arguments) in enumerate(next_calls(talk))
    ]  # fmt: skip
    if calls:
        return {"role": "assistant", "content": None, "tool_calls": calls}
    return {"role": "assistant", "content": compose(talk)}


def count_usage(body: Json, message: Json) -> dict[str, int]:
    def spoken(part: Json) -> str:
        calls = part.get("tool_calls")
        return text_of(part) + (json.dumps(calls) if calls else "")

    asked = "\n".join(map(spoken, body["messages"]))
    asked += json.dumps(body["tools"]) if body.get("tools") else ""
    given, made = count_tokens(asked), count_tokens(spoken(message))
    return {"prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made}


def refuse(status: int, kind: str, message: str) -> Response:
    headers = {"retry-after-ms": str(RETRY_AFTER_MS)} if status != 400 else None
    error = {"message": message, "type": kind, "code": kind}
    return JSONResponse({"error": error}, status, headers=headers)


def answer(body: Json, message: Json, number: int) -> Response:
    usage = count_usage(body, message)
    head = {"id": f"chatcmpl-{number}", "created": int(time.time()), "model": MODEL}
    reason = "tool_calls" if message.get("tool_calls") else "stop"
    if body.get("stream"):
        wants_usage = (body.get("stream_options") or {}).get("include_usage")
        frames = stream(head, message, reason, usage if wants_usage else None)
        return StreamingResponse(frames, media_type="text/event-stream")
    choice = {"index": 0, "message": message, "finish_reason": reason}
    return JSONResponse({**head, "object": "chat.completion", "choices": [choice], "usage": usage})


async def stream(
    head: Json, message: Json, reason: str, usage: dict[str, int] | None
) -> AsyncIterator[str]:
    def frame(delta: Json | None, reason: str | None = None, **more: Any) -> str:
        choices = (
            [{"index": 0, "delta": delta, "finish_reason": reason}] if delta is not None else []
        )
        body = {**head, "object": "chat.completion.chunk", "choices": choices, **more}
        return f"data: {json.dumps(body)}\n\n"

    yield frame({**message, "content": ""})
    for word in re.findall(r"\S+\s*|\s+", message["content"] or ""):
        await asyncio.sleep(WORD_MS / 1000)
        yield frame({"content": word})
    yield frame({}, reason)
    if usage:
        yield frame(None, usage=usage)
    yield "data: [DONE]\n\n"


class ModelServer:
    def __init__(self, latency_ms: float, seed: int, fail_every: int) -> None:
        self.latency_ms = latency_ms
        self.seed = seed
        self.fail_every = fail_every
        self.numbers = itertools.count(1)

    async def list_models(self, request: Request) -> Response:
        model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "laneway"}
        return JSONResponse({"object": "list", "data": [model]})

    async def complete(self, request: Request) -> Response:
        number = next(self.numbers)
        try:
            body = await request.json()
            message = write_message(body, number)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return refuse(400, "invalid_request_error", f"cannot read the request: {error!r}")
        await self.think(number)
        if self.fail_every and number % (2 * self.fail_every) == 0:
            return refuse(500, "server_error", "The model lost its thread; try again.")
        if self.fail_every and number % self.fail_every == 0:
            return refuse(429, "rate_limit_exceeded", "Too many requests; try again shortly.")
        return answer(body, message, number)

    async def think(self, number: int) -> None:
        """Mostly short, at times five times as long; the same for the same seed and number."""
        chance = random.Random(f"{self.seed}:{number}")
        await asyncio.sleep(self.latency_ms / 1000 * min(5, 0.3 + chance.expovariate(1)))


def build_app(latency_ms: float, seed: int, fail_every: int) -> Starlette:
    server = ModelServer(latency_ms, seed, fail_every)
    chat = Route("/v1/chat/completions", server.complete, methods=["POST"])
    return Starlette(routes=[Route("/v1/models", server.list_models), chat])


def main() -> None:
    parser = argparse.ArgumentParser(description="An OpenAI-compatible model of rules.")
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 in a container")
    parser.add_argument("--port", type=int, default=8123)
    parser.add_argument("--latency-ms", type=float, default=220, help="typical thinking time")
    parser.add_argument("--seed", type=int, default=7, help="the same seed, the same latencies")
    parser.add_argument("--fail-every", type=int, default=17, help="0: refuse no request")
    options = parser.parse_args()
    app = build_app(options.latency_ms, options.seed, options.fail_every)
    uvicorn.run(app, host=options.host, port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
