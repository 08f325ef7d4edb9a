"""Every form of the query language finds the same by the index, in the files and as an export."""

from collections.abc import Callable

import orjson
import pytest

from .conftest import Run, Write

EVENTS: list[dict[str, object]] = [
    {"id": "a", "agent": "planner", "event": "user_message", "content": "Connection refused by main.py"},
    {"id": "b", "agent": "coder", "event": "tool_invocation", "tool": "search_files", "span_id": "s1",
     "input": {"path": "src/main.py", "n": 3}, "content": "the poker tower"},
    {"id": "c", "agent": "coder", "event": "tool_result", "tool": "search_files", "span_id": "s1",
     "duration_ms": 1500, "error": {"type": "TimeoutError", "message": "time-out of 10.0.0.1:8080"}},
    {"id": "d", "agent": "my agent", "event": "log", "level": "warning", "content": "Zürich 東京タワー",
     "http": {"status": 503}, "retry": None, "session_id": "s"},
    {"id": "e", "agent": "critic", "event": "llm_response", "model": "gpt-x", "input_tokens": 2000,
     "cost_usd": 0.5, "role": "assistant", "retry": True, "content": "deployment done"},
]  # fmt: skip

FORMS = {
    "refused": "a",
    '"connection refused"': "a",
    "deploy*": "e",
    '"poker tow"*': "b",
    '~"ker tow"': "b",
    "~京タ": "d",
    "/time.?out/i": "c",
    "/Refused/": "",
    "/refused/": "a",
    "main.py": "ab",
    "zurich": "d",
    '"10.0.0.1:8080"': "c",
    "agent:(planner,coder) -event:tool*": "a",
    'agent:"my agent"': "d",
    "-agent:coder": "ade",
    "NOT agent:coder": "ade",
    "tool:s?arch*": "bc",
    "tool:~FILES": "bc",
    "tool:/^search/": "bc",
    "level>=warning": "cd",
    "level:warning..error": "cd",
    "duration:1s..2s": "c",
    "duration_ms>1500": "",
    "input_tokens:>1000": "e",
    "cost>=0.5": "e",
    "has:error": "c",
    "is:error": "c",
    "has:tool -has:error": "b",
    "content:refused": "a",
    'input.path:"src/main.py"': "b",
    "input.n>2": "b",
    "error.type:TimeoutError": "c",
    "attr.http.status:500..599": "d",
    "attr.retry:true": "e",
    "attr.retry:null": "d",
    "has:attr.retry": "e",
    "session:s": "d",
    "span:s1": "bc",
    "id:a": "a",
    "role:assistant": "e",
    "model:gpt*": "e",
    "since:2020-01-01": "abcde",
    "until:2020-01-01": "",
    "(agent:coder OR agent:planner) -tool:search*": "a",
    "agent:coder AND (poker OR ~nothing) OR refused": "ab",
    "*": "abcde",
}


@pytest.fixture
def find(call: Run, write: Write) -> Callable[..., str]:
    write(*EVENTS)

    def find(*args: str) -> str:
        lines = call(*args).out.splitlines()
        return "".join(sorted(str(orjson.loads(line)["id"]) for line in lines))

    return find


@pytest.mark.parametrize("form", FORMS)
def test_a_form_finds_the_same_everywhere(find: Callable[..., str], form: str) -> None:
    assert find("query", "--jsonl", form) == FORMS[form]
    assert find("tail", "--no-follow", "--json", form) == FORMS[form]
    assert find("export", form) == FORMS[form]


@pytest.mark.parametrize("form", [form for form in FORMS if form != "session:s"])
def test_a_form_finds_the_sessions_of_what_it_finds(call: Run, write: Write, form: str) -> None:
    write(*({**event, "session_id": event["id"]} for event in EVENTS))
    lines = call("sessions", "--jsonl", form).out.splitlines()
    assert "".join(sorted(orjson.loads(line)["name"] for line in lines)) == FORMS[form]


def test_what_is_open_is_told_by_the_index(find: Callable[..., str], write: Write) -> None:
    write({"id": "f", "agent": "coder", "event": "tool_invocation", "tool": "x", "span_id": "s2"})
    assert find("query", "--jsonl", "is:open") == "f"
    assert find("export", "is:open") == "f"
    assert find("tail", "--no-follow", "--json", "is:open") == "bf"  # as each was when it came
