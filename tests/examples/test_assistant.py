"""The example from outside: what was asked over HTTP, and what stands in the log afterwards."""

import json
import secrets
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from example_process import Processes, clean_environment
from openai import OpenAI

from tests.waiting import eventually

pytestmark = pytest.mark.timeout(600)  # real processes, on a machine that may be busy

Event = dict[str, Any]

KEY = "sk-" + "proj-" + secrets.token_hex(24)
PASSWORD = "Xq" + secrets.token_hex(8)
SIDE_BY_SIDE = "Where is the spare key? Who wants to meet in Kraków? Then calculate 6 * 7"
ASKED = {
    SIDE_BY_SIDE: "ada",
    "Calculate 17 / 0": "ada",
    "Read holidays.md": "ada",
    f"Remember that the key of the staging server is {KEY}": "mei",
    f"Login with password={PASSWORD} and look up when glass is collected": "mei",
    "Delete all my notes": "mei",
    "Which entries are there: SELECT title FROM diary": "mei",
    "Calculate 2 + 40 and save it as a note": "linus",
    "Shuffle 52 cards and keep the order as a note": "linus",
    "Run an endless Python loop": "linus",
    "How long does the focaccia bake? Then remember that Mrs. Okafor likes it.": "linus",
}
PAIRS = {
    "llm_request": "llm_response",
    "tool_invocation": "tool_result",
    "agent_start": "agent_end",
    "session_start": "session_end",
    "permission_request": "permission_decision",
}


@dataclass
class Run:
    log: Path
    home: Path
    data: Path
    model: str
    answers: dict[str, str]
    events: list[Event]

    def of(self, kind: str, **fields: object) -> list[Event]:
        return [e for e in self.events if e["event"] == kind and fields.items() <= e.items()]

    def trace(self, request: str) -> list[Event]:
        [asked] = self.of("user_message", content=request)
        return [e for e in self.events if e.get("trace_id") == asked["trace_id"]]


def read_log(folder: Path) -> list[Event]:
    text = b"".join(path.read_bytes() for path in sorted(folder.glob("*-*.jsonl")))
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith(b"\n")]


def ask_all(url: str) -> dict[str, str]:
    """Three at a time, so that the work of different people overlaps."""

    def ask(request: str) -> str:
        body = {"message": request, "session_id": ASKED[request]}
        reply = httpx.post(f"{url}/chat", json=body, timeout=180, trust_env=False)
        reply.raise_for_status()
        return str(reply.json()["answer"])

    with ThreadPoolExecutor(3) as pool:
        return dict(zip(ASKED, pool.map(ask, ASKED), strict=True))


@pytest.fixture(scope="module")
def run(processes: Processes, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("assistant")
    log, data, home = folder / "logs", folder / "data", folder / "home"
    env = clean_environment(home, LOG_PATH=str(log), ASSISTANT_DATA=str(data))
    model = processes.serve(
        env, "examples.assistant.model_server", "/v1/models",
        "--latency-ms", "5", "--fail-every", "20",
    )  # fmt: skip
    env["ASSISTANT_MODEL_URL"] = f"{model}/v1"
    assistant = processes.serve(
        env, "examples.assistant.app", "/health", "--idle-s", "1", "--watch-every-s", "1"
    )
    answers = ask_all(assistant)
    eventually(lambda: count(log, "session_end") == count(log, "session_start"), "sessions end")
    processes.children[-1].terminate()  # the assistant, so that the log comes to rest
    return Run(log, home, data, model, answers, at_rest(log))


def count(log: Path, kind: str) -> int:
    return sum(event["event"] == kind for event in read_log(log))


def at_rest(log: Path) -> list[Event]:
    """The log once every bar is closed."""

    def is_closed() -> bool:
        return all(count(log, start) == count(log, end) for start, end in PAIRS.items())

    eventually(is_closed, "every start has its end")
    return read_log(log)


def test_answers_come_from_the_tools(run: Run) -> None:
    assert "Mrs. Okafor" in run.answers[SIDE_BY_SIDE]
    assert "Lindqvist" in run.answers[SIDE_BY_SIDE]
    assert "6 * 7 = 42" in run.answers[SIDE_BY_SIDE]
    assert "division by zero" in run.answers["Calculate 17 / 0"]


def test_every_agent_has_a_lane_below_the_one_that_called_it(run: Run) -> None:
    parents = defaultdict(set)
    for event in run.events:
        parents[event["agent"]].add(event.get("parent_agent"))
    assert parents == {
        "assistant": {None},
        "planner": {"assistant"},
        "researcher": {"planner"},
        "coder": {"planner"},
        "memory": {"planner"},
        "watcher": {None},
    }


@pytest.mark.parametrize(("start", "end"), PAIRS.items())
def test_every_start_has_one_end_with_a_duration(run: Run, start: str, end: str) -> None:
    opened = {event["span_id"]: event for event in run.of(start)}
    closed = {event["span_id"]: event for event in run.of(end)}
    assert opened.keys() == closed.keys() != set()
    assert len(opened) == len(run.of(start))
    assert len(closed) == len(run.of(end))
    for span_id, event in closed.items():
        assert event["agent"] == opened[span_id]["agent"]
        assert event["duration_ms"] > 0
        assert event["timestamp"] >= opened[span_id]["timestamp"]


def test_one_request_is_one_trace_of_one_session(run: Run) -> None:
    plain = [request for request in ASKED if KEY not in request and PASSWORD not in request]
    traces = {request: run.trace(request) for request in plain}
    assert len({trace[0]["trace_id"] for trace in traces.values()}) == len(traces)
    for request, trace in traces.items():
        assert {event["session_id"] for event in trace} == {ASKED[request]}
        assert Counter(event["event"] for event in trace)["agent_response"] == 1


def test_work_side_by_side_keeps_its_parents(run: Run) -> None:
    trace = run.trace(SIDE_BY_SIDE)
    by_span = {event["span_id"]: event for event in trace if event["event"] in PAIRS}
    roots = [event for event in trace if "parent_span_id" not in event]
    assert {event["agent"] for event in roots} == {"assistant"}
    for event in trace:
        if event not in roots:
            parent = by_span[event["parent_span_id"]]
            is_new_agent = event["event"] in ("agent_start", "agent_end")
            assert parent["agent"] == (event["parent_agent"] if is_new_agent else event["agent"])


def test_agents_of_one_request_overlap(run: Run) -> None:
    team = [e["event"] for e in run.trace(SIDE_BY_SIDE) if e.get("parent_agent") == "planner"]
    kinds = [kind for kind in team if kind in ("agent_start", "agent_end")]
    assert kinds[:3] == ["agent_start"] * 3


@pytest.mark.parametrize(
    ("tool", "kind"),
    [
        ("calculate", "ZeroDivisionError"),
        ("read_file", "FileNotFoundError"),
        ("query_notes", "OperationalError"),
        ("run_python", "TimeoutError"),
    ],
)
def test_a_failed_tool_tells_why_and_where(run: Run, tool: str, kind: str) -> None:
    [failure] = [e for e in run.of("tool_result", tool=tool) if "error" in e]
    assert failure["level"] == "error"
    assert failure["error"]["type"] == kind
    assert "tools.py" in failure["error"]["stack"]


def test_a_busy_model_is_asked_again(run: Run) -> None:
    failed = [e for e in run.of("llm_response") if "error" in e]
    assert {"RateLimitError", "InternalServerError"} >= {e["error"]["type"] for e in failed}
    assert len(failed) == len(run.of("retry")) >= 2
    for retry in run.of("retry"):
        mates = [e for e in run.events if e.get("parent_span_id") == retry["parent_span_id"]]
        kinds = [e["event"] for e in mates[mates.index(retry) :]]
        assert "llm_request" in kinds


def test_tokens_are_those_that_the_model_reports(run: Run) -> None:
    ends = {event["span_id"]: event for event in run.of("llm_response") if "error" not in event}
    spoken = [e for e in run.trace(SIDE_BY_SIDE) if e["event"] == "llm_request" and "stream" in e]
    [request] = [event for event in spoken if event["span_id"] in ends]
    with OpenAI(base_url=f"{run.model}/v1", api_key="none", max_retries=5) as client:
        usage = client.chat.completions.create(model="rules-1", messages=request["input"]).usage
    assert usage is not None
    assert ends[request["span_id"]]["input_tokens"] == usage.prompt_tokens > 0
    assert ends[request["span_id"]]["output_tokens"] == usage.completion_tokens > 0


@pytest.mark.parametrize("secret", [KEY, PASSWORD], ids=["key", "password"])
def test_a_secret_reaches_the_agents_and_not_the_log(run: Run, secret: str) -> None:
    files = [path for folder in (run.log, run.home) for path in folder.rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if secret.encode() in path.read_bytes()] == []
    if secret == KEY:
        assert KEY.encode() in (run.data / "notes.db").read_bytes()
        assert KEY in run.answers[next(request for request in ASKED if KEY in request)]


def test_a_redacted_message_can_still_be_read(run: Run) -> None:
    messages = [event["content"] for event in run.of("user_message")]
    [message] = [text for text in messages if text.startswith("Remember that the key")]
    assert "[redacted:" in message


def test_each_session_is_one_bar(run: Run) -> None:
    sessions = {event["session_id"] for event in run.of("session_start")}
    assert sessions == set(ASKED.values())
    assert sum(event["turns"] for event in run.of("session_end")) == len(ASKED)


def test_a_forbidden_request_is_refused_before_anything_is_done(run: Run) -> None:
    trace = run.trace("Delete all my notes")
    assert [e["event"] for e in trace] == [
        "agent_start", "user_message", "safety_trigger", "agent_response", "agent_end",
    ]  # fmt: skip
    assert trace[2]["level"] == "warning"


def test_a_note_is_written_only_with_permission(run: Run) -> None:
    decisions = {e["content"].partition(":")[0] for e in run.of("permission_decision")}
    assert decisions == {"allowed", "denied"}
    saved = [e["session_id"] for e in run.of("tool_invocation", tool="write_note", agent="coder")]
    assert saved == ["linus"]  # the sum; the order of the cards is too long


@pytest.mark.parametrize("kind", ["decision", "handoff", "learning", "evaluation"])
def test_the_log_tells_what_agents_thought(run: Run, kind: str) -> None:
    assert all(event["content"] for event in run.of(kind))
    assert run.of(kind)
