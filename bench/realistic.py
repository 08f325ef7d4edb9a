"""Events like those of agents that work on a code base, made up from a seed.

No log of anybody is in them. Words have the frequencies of natural text, and so have the sentences,
lines of code and paths that are put together from them: 6,000 of each, from which every event draws
anew. Turns go as an agent's do: a question, requests to a model that repeat the end of the talk, calls
of tools with arguments as JSON, and what they give back (code, listings, output of tests, JSON). A
beginning and its end share a span; two calls of a hundred fail. Real logs repeat more: whole files
that are read again, system prompts, tracebacks.
"""

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from bench.index import make_words
from laneway.base.clock import NS_PER_MS, NS_PER_S, format_ns
from laneway.base.ids import new_event_id, new_span_id, new_trace_id

START_NS = 1_790_000_000 * NS_PER_S
GAP_NS = 20 * NS_PER_MS
AGENTS, TOOLS, TURN_SESSIONS = 40, 20, 30
POOL = 6_000
TURN = ("user_message", "llm_request", "llm_response", "tool_invocation", "tool_result",
        "llm_request", "llm_response", "tool_invocation", "tool_result", "decision",
        "log", "agent_response")  # fmt: skip
CODE = (
    "def {a}_{b}({c}: {d}, {e}: int = {n}) -> {d}:",
    "    {a} = self._{b}.{c}({d}, {e}={n})",
    "    if not {a}.{b} or {c}[{n}] is None:",
    '        raise ValueError(f"{a} {b}: {{{c}}} is not {d}")',
    "    return [{a}({b}) for {b} in {c}.{d}() if {b}.{e} > {n}]",
    "from {a}.{b} import {c}, {d}",
    "    async with {a}.{b}(timeout={n}) as {c}:",
    "        await {c}.{d}({e})",
    "class {a}{b}({c}):",
    '    """{a} {b} {c} {d} {e}."""',
    "        log.debug('{a} %s {b}', {c}.{d})",
    "    assert {a}.{b}({c}) == {{'{d}': {n}}}",
)
SEEN = (
    "{path}:{n}: {line}",
    "-rw-r--r-- 1 dev dev {n:>7} Nov {d:02} {h:02}:{m:02} {path}",
    "{path}::test_{word}_{other} PASSED [{p:>3}%]",
    '{{"path": "{path}", "line": {n}, "match": "{word} {other}", "score": 0.{p:02}}}',
    "2026-11-{d:02}T{h:02}:{m:02}:{p:02}Z INFO {word}.{other} request {n} took {p} ms",
)


class Texts:
    """Pools, and draws from them in which few are common and most are rare."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        words = make_words(draw)
        self._weights = list(itertools.accumulate(1 / (rank + 20) for rank in range(POOL)))
        self.words = words(POOL).split()
        self._sentences = [_sentence(words, draw) for _ in range(POOL)]
        self._lines = [self._fill(CODE[draw.randrange(len(CODE))]) for _ in range(POOL)]
        self.paths = [self._path() for _ in range(POOL)]

    def pick(self, pool: Sequence[str], count: int) -> list[str]:
        return self._draw.choices(pool, cum_weights=self._weights, k=count)

    def prose(self, sentences: int) -> str:
        return " ".join(self.pick(self._sentences, sentences))

    def code(self, lines: int) -> str:
        return "\n".join(self.pick(self._lines, lines))

    def seen(self, lines: int) -> str:
        """What a tool prints."""
        draw = self._draw
        form = SEEN[draw.randrange(len(SEEN))]
        return "\n".join(
            form.format(
                path=path, line=line.strip(), word=word, other=other, n=draw.randrange(9_000),
                d=draw.randrange(1, 29), h=draw.randrange(24), m=draw.randrange(60), p=draw.randrange(60),
            )
            for path, line, word, other in zip(
                self.pick(self.paths, lines), self.pick(self._lines, lines), self.pick(self.words, lines),
                self.pick(self.words, lines), strict=True,
            )
        )  # fmt: skip

    def _path(self) -> str:
        draw, words = self._draw, self.words
        parts = [words[draw.randrange(300)] for _ in range(draw.randint(2, 4))]
        return f"src/{'/'.join(parts)}.{('py', 'py', 'ts', 'md', 'json')[draw.randrange(5)]}"

    def _fill(self, form: str) -> str:
        draw, words = self._draw, self.words
        a, b, c, d, e = (words[draw.randrange(POOL)] for _ in range(5))
        return form.format(a=a, b=b, c=c, d=d, e=e, n=draw.randrange(200))


def _sentence(words: Callable[[int], str], draw: random.Random) -> str:
    text = words(draw.randint(5, 18))
    return f"{text[0].upper()}{text[1:]}{'.:?'[draw.randrange(3)]}"


class Agent:
    """One agent's way through its turns."""

    def __init__(self, name: str, texts: Texts, draw: random.Random) -> None:
        self._name, self._texts, self._draw = name, texts, draw
        self._turn = 0
        self._step = 0
        self._talk: list[dict[str, str]] = []
        self._model = f"local-{draw.randrange(4)}"

    def event(self, ts_ns: int) -> dict[str, Any]:
        step = self._step % len(TURN)
        if step == 0:
            self._begin()
        self._step += 1
        kind = TURN[step]
        event: dict[str, Any] = {
            "timestamp": format_ns(ts_ns),
            "agent": self._name,
            "event": kind,
            "id": new_event_id(ts_ns),
            "session_id": f"session-{self._name}-{self._turn // TURN_SESSIONS}",
            "trace_id": self._trace,
            "host": "workstation",
        }
        if kind in ("llm_request", "tool_invocation"):
            self._span = new_span_id()
        if kind.startswith(("llm", "tool")):
            event["span_id"] = self._span
        event |= getattr(self, f"_{kind}")()
        return event

    def _begin(self) -> None:
        self._turn += 1
        self._trace = new_trace_id()
        self._talk = self._talk[-2:]

    def _say(self, role: str, text: str) -> dict[str, Any]:
        self._talk.append({"role": role, "content": text})
        return {"content": text}

    def _user_message(self) -> dict[str, Any]:
        return self._say("user", self._texts.prose(self._draw.randint(1, 6)))

    def _agent_response(self) -> dict[str, Any]:
        return self._say("assistant", self._texts.prose(self._draw.randint(3, 9)))

    def _llm_request(self) -> dict[str, Any]:
        return {"model": self._model, "provider": "ollama", "input": {"messages": self._talk[-2:]}}

    def _llm_response(self) -> dict[str, Any]:
        text = self._texts.prose(self._draw.randint(1, 4))
        if self._draw.random() < 0.3:
            text += f"\n```python\n{self._texts.code(6)}\n```"
        return self._say("assistant", text) | {
            "model": self._model,
            "provider": "ollama",
            "duration_ms": round(self._draw.lognormvariate(7, 0.8), 3),
            "input_tokens": self._draw.randrange(400, 9_000),
            "output_tokens": len(text) // 4,
            "cost_usd": 0.0012,
        }

    def _tool_invocation(self) -> dict[str, Any]:
        texts, draw = self._texts, self._draw
        self._tool = f"tool_{draw.randrange(TOOLS)}"
        (path,) = texts.pick(texts.paths, 1)
        given: dict[str, Any] = {"path": path}
        match draw.randrange(4):
            case 0:
                given |= {"old": texts.code(2), "new": texts.code(3)}
            case 1:
                given |= {"pattern": "_".join(texts.pick(texts.words, 2)), "limit": 50}
            case 2:
                given = {
                    "command": f"pytest -q {path} -k {texts.pick(texts.words, 1)[0]}",
                    "timeout": 60,
                }
        return {"tool": self._tool, "input": given}

    def _tool_result(self) -> dict[str, Any]:
        draw, texts = self._draw, self._texts
        told: dict[str, Any] = {
            "tool": self._tool,
            "duration_ms": round(draw.lognormvariate(4, 1.5), 3),
        }
        if draw.random() < 0.02:
            (path,) = texts.pick(texts.paths, 1)
            return told | {
                "level": "error",
                "error": {"type": "FileNotFoundError", "message": f"no such file: {path}"},
            }
        few = draw.randint(2, 14)
        return told | {"output": texts.code(few) if draw.random() < 0.5 else texts.seen(few)}

    def _decision(self) -> dict[str, Any]:
        return {"content": self._texts.prose(1)}

    def _log(self) -> dict[str, Any]:
        level = {"level": "warning"} if self._draw.random() < 0.1 else {}
        return {
            "content": self._texts.seen(1),
            "logger": f"app.{self._texts.pick(self._texts.words, 1)[0]}",
        } | level


def iter_events(count: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """Time and event."""
    draw = random.Random(7)
    texts = Texts(draw)
    agents = [Agent(f"agent-{n}", texts, draw) for n in range(AGENTS)]
    for i in range(count):
        ts_ns = START_NS + i * GAP_NS + draw.randrange(GAP_NS)
        event = agents[int(draw.paretovariate(1)) % AGENTS].event(ts_ns)
        if i == count // 3:
            event |= {"content": "xylograph zeppelin", "agent": "recluse"}
        yield ts_ns, event
