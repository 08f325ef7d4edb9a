"""The agents. `@agent` opens a lane and a bar; all that happens inside belongs to it."""

import asyncio
import json
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress

from laneway import agent, log_event, span, tool

from . import tools
from .model import Message, ask, client, run, work

NOTE_CHARS = 120  # the coder may keep results, not whole printouts
SLOW_S = 3.0
FORBIDDEN = {
    "system files": r"/etc/|~/\.ssh|\.env\b",
    "mass deletion": r"\b(delete|wipe|erase)\b.*\b(all|every|everything)\b",
    "exfiltration": r"\b(upload|send|post)\b.*\b(secrets?|passwords?|keys?)\b",
}

answer_times_s: deque[float] = deque(maxlen=20)  # what the watcher judges


@agent("assistant")
async def assistant(message: str) -> str:
    """The front desk: checks the request, has it planned and worked on, and writes the answer."""
    began = time.perf_counter()
    log_event("assistant", "user_message", message, role="user")
    answer = refuse(message) or await write_answer(message, await planner(message))
    log_event("assistant", "agent_response", answer, role="assistant")
    answer_times_s.append(time.perf_counter() - began)
    return answer


def refuse(message: str) -> str:
    for rule, words in FORBIDDEN.items():
        if re.search(words, message, re.I):
            log_event("assistant", "safety_trigger", f"refused: {rule}", level="warning", rule=rule)
            return f"I will not do that; it falls under “{rule}”."
    return ""


async def write_answer(message: str, findings: list[str]) -> str:
    conversation: list[Message] = [
        {"role": "system", "content": "You answer the user in a few plain sentences."},
        {"role": "user", "content": message},
    ]
    if findings:
        conversation.append({"role": "user", "content": "Findings:\n" + "\n".join(findings)})
    return str((await ask(conversation, stream=True))["content"])


@agent("planner")
async def planner(request: str) -> list[str]:
    """Breaks the request into steps; the agents that fit them work side by side."""
    reply = await ask(
        [{"role": "system", "content": "You break a request into steps for your team."},
         {"role": "user", "content": request}],
        list(TEAM.values()),
    )  # fmt: skip
    calls = [call["function"] for call in reply.get("tool_calls", [])]
    steps = [(call["name"], json.loads(call["arguments"])["task"]) for call in calls]
    plan = "ask " + ", ".join(name for name, _ in steps) if steps else "answer directly"
    log_event("planner", "decision", plan, steps=steps)
    return await asyncio.gather(*(hand_off(name, task) for name, task in steps))


async def hand_off(name: str, task: str) -> str:
    log_event("planner", "handoff", f"{name}: {task}", to_agent=name)
    try:
        return f"{name}: {await TEAM[name](task)}"
    except Exception as error:  # noqa: BLE001 - recorded by @agent; the other steps go on
        return f"{name} had to give up: {error}"


@agent("researcher")
async def researcher(task: str) -> str:
    """Searches and reads the documents."""
    return await work("You find things in documents.", task, [tools.read_file, tools.search_files])


@agent("coder")
async def coder(task: str) -> str:
    """Calculates, and runs small Python programs."""
    known = [tools.calculate, tools.run_python, write_note]
    return await work("You work things out.", task, known)


async def write_note(text: str) -> str:
    """Keep a result as a note, if that is allowed."""
    with span("write_note", kind="permission", input=text) as permission:
        allowed = len(text) <= NOTE_CHARS
        permission.result = "allowed" if allowed else f"denied: over {NOTE_CHARS} characters"
    if not allowed:
        return f"Error: not kept, {permission.result}"
    return await run(tools.write_note, {"text": text})


@agent("memory")
async def memory(task: str) -> str:
    """Keeps the user's notes, and answers questions about them."""
    return await work("You keep the user's notes.", task, [remember, tools.query_notes])


async def remember(text: str) -> str:
    """Keep something that the user wants remembered."""
    kept = await run(tools.write_note, {"text": text})
    log_event("memory", "learning", text)
    return kept


TEAM: dict[str, Callable[[str], Awaitable[str]]] = {
    "researcher": researcher,
    "coder": coder,
    "memory": memory,
}


@agent("watcher")
async def watcher() -> None:
    """Looks after the others, on a schedule and not on request."""
    count = run(tools.query_notes, {"sql": "SELECT count(*) FROM note"})
    await asyncio.gather(list_models(), count)
    if answer_times_s:
        slow = [seconds for seconds in answer_times_s if seconds > SLOW_S]
        text = f"{len(slow)} of the last {len(answer_times_s)} answers took over {SLOW_S:g} s"
        score = round(1 - len(slow) / len(answer_times_s), 2)
        log_event("watcher", "evaluation", text, score=score, slowest_s=max(answer_times_s))


@tool
async def list_models() -> list[str]:
    return [model.id for model in (await client.models.list()).data]


async def watch_forever(every_s: float) -> None:
    while True:
        with suppress(Exception):  # recorded by @agent; the next round may find all well again
            await watcher()
        await asyncio.sleep(every_s)
