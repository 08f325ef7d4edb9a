"""``laneway hook claude-code``: one hook's payload from standard input into the log.

It runs inside somebody's turn, on every tool call: it imports little, says nothing, and ends with 0 whatever
happens. With LANEWAY_HOOK_DEBUG it says what went wrong.
"""

import os
import sys
from collections.abc import Sequence

from laneway.base.clock import now_ns

USAGE_TEXT = """\
Usage: laneway hook claude-code [--agent NAME] < PAYLOAD

Record what a hook of Claude Code tells. It never fails; `laneway connect
claude-code` puts it into Claude Code's settings.
"""
MOST_BYTES = 16 * 1024 * 1024
"""Of a payload: what the hub takes of one request."""


def run(args: Sequence[str]) -> int:
    if args[:1] in (["-h"], ["--help"]):
        sys.stdout.write(USAGE_TEXT)
        return 0
    received_ns = now_ns()
    try:
        record(args, sys.stdin.buffer.read(MOST_BYTES), received_ns)
    except BaseException as fault:  # noqa: BLE001 - a hook that fails may stop the agent's turn
        if os.environ.get("LANEWAY_HOOK_DEBUG"):
            sys.stderr.write(f"laneway hook: {type(fault).__name__}: {fault}\n")
    return 0


def record(args: Sequence[str], body: bytes, received_ns: int) -> str:
    """The event's id.

    Raises:
        ValueError: the payload is no JSON object.
    """
    from laneway.cli.plain_json import stand_in

    stand_in()
    from orjson import loads

    from laneway.sdk.recorder import shared
    from laneway.sources.claude.hook import AGENT, hook_event

    payload = loads(body)
    if not isinstance(payload, dict):
        raise ValueError("the payload is not an object")
    agent = args[args.index("--agent") + 1] if "--agent" in args else AGENT
    event = hook_event(payload, received_ns, agent=agent)
    if not os.environ.get("LANEWAY_HOOK_DEBUG"):
        shared.say = lambda text: None
    name, kind, content = event.pop("agent"), event.pop("event"), event.pop("content", None)
    return shared.record(name, kind, content, event)
