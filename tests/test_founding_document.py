"""The founding document's own calls, in its order: utility, middleware, service, dashboard, volume."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from websockets.sync.client import connect

import laneway
from laneway import log_event
from tests.torture.harness import Hub
from tests.waiting import eventually


@pytest.fixture
def hub(tmp_path: Path, home: Path) -> Iterator[Hub]:
    """`laneway up` as the logging service, its log where the document has it."""
    hub = Hub(home, tmp_path / "mnt" / "data" / "logs" / "observability.jsonl")
    hub.start()
    yield hub
    assert hub.stop() == 0


def test_1_a_jsonl_log_format_is_kept_as_the_document_prints_it(hub: Hub) -> None:
    """A writer of nothing but these lines needs no Laneway at all."""
    document = [
        {"timestamp": "2025-12-24T14:37:52Z", "agent": "PlannerAgent", "event": "user_message",
         "content": "Schedule a meeting tomorrow at 10am."},
        {"timestamp": "2025-12-24T14:37:53Z", "agent": "PlannerAgent", "event": "tool_invocation",
         "tool": "CalendarAPI", "input": {"date": "2025-12-25 10:00", "title": "Meeting"}},
        {"timestamp": "2025-12-24T14:37:54Z", "agent": "PlannerAgent", "event": "tool_result",
         "tool": "CalendarAPI", "output": "Event created successfully."},
        {"timestamp": "2025-12-24T14:37:55Z", "agent": "PlannerAgent", "event": "agent_response",
         "content": "I've scheduled your meeting for tomorrow at 10:00 AM."},
    ]  # fmt: skip
    with open(hub.env["LOG_PATH"], "a") as file:
        for event in document:
            file.write(json.dumps(event) + "\n")

    eventually(lambda: len(list(hub.iter_events())) == 4, "the four lines")
    kept = list(hub.iter_events())
    for wanted, event in zip(document, kept, strict=True):
        assert event["timestamp"] == wanted["timestamp"].replace("Z", ".000000Z")
        assert {key: event[key] for key in wanted if key != "timestamp"} == {
            key: value for key, value in wanted.items() if key != "timestamp"
        }


def test_2_a_the_utility_appends_to_the_central_file(hub: Hub) -> None:
    laneway.configure(log_path=hub.env["LOG_PATH"])
    log_event("MainAgent", "user_message", content="What is on today?")
    log_event("MainAgent", "tool_invocation", tool="ToolName", input={"day": "today"})
    log_event("MainAgent", "tool_result", tool="ToolName", output=["a", "b"])
    log_event("MainAgent", "agent_response", content="Two things.")

    lines = Path(hub.env["LOG_PATH"]).read_text().splitlines()
    assert [json.loads(line)["event"] for line in lines] == [
        "user_message", "tool_invocation", "tool_result", "agent_response",
    ]  # fmt: skip
    eventually(lambda: len(list(hub.iter_events("&agent=MainAgent"))) == 4, "the four events")


async def test_2_b_a_middleware_logs_the_chat_and_leaves_the_stream_alone(hub: Hub) -> None:
    laneway.configure(log_path=hub.env["LOG_PATH"])
    app = FastAPI()

    @app.middleware("http")
    async def log_requests(request: Request, call_next):
        body = await request.json() if request.method == "POST" else {}
        log_event("MainAgent", "user_message", content=body.get("message") or "(empty)")
        response = await call_next(request)
        chunks = [chunk async for chunk in response.body_iterator]
        log_event("MainAgent", "agent_response", content=b"".join(chunks).decode()[:500])
        return StreamingResponse(iter(chunks), response.status_code, dict(response.headers))

    @app.post("/chat")
    async def chat(message: dict) -> dict:
        return {"reply": f"You said {message['message']}"}

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test"
    ) as client:
        answer = await client.post("/chat", json={"message": "hi"})
    assert answer.json() == {"reply": "You said hi"}

    eventually(lambda: len(list(hub.iter_events())) == 2, "both events")
    asked, answered = hub.iter_events()
    assert (asked["event"], asked["content"]) == ("user_message", "hi")
    assert answered["content"] == '{"reply":"You said hi"}'


def test_2_c_the_logging_service_takes_a_post_and_answers_logged(hub: Hub) -> None:
    event = {"agent": "MainAgent", "event": "user_message", "content": "by HTTP"}
    token = (hub.home / "ingest.token").read_text().strip()
    request = urllib.request.Request(
        f"{hub.url}/log",
        data=json.dumps(event).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
    )
    with urllib.request.urlopen(request) as response:
        assert json.load(response)["status"] == "logged"

    assert "by HTTP" in Path(hub.env["LOG_PATH"]).read_text()


def test_2_d_logging_url_is_all_that_an_agent_without_the_volume_needs(
    hub: Hub, monkeypatch
) -> None:
    monkeypatch.setenv("LOGGING_URL", f"{hub.url}/log")
    log_event("MainAgent", "user_message", content="by LOGGING_URL")
    assert laneway.flush(180)

    assert "by LOGGING_URL" in Path(hub.env["LOG_PATH"]).read_text()


def test_3_a_the_socket_pushes_each_event_as_json(hub: Hub) -> None:
    laneway.configure(log_path=hub.env["LOG_PATH"])
    headers = {"Authorization": f"Bearer {hub.access_token}"}
    address = f"{hub.url.replace('http', 'ws', 1)}/logs/ws?format=json"
    with connect(address, additional_headers=headers) as socket:
        log_event("PlannerAgent", "tool_invocation", tool="CalendarAPI")
        data = json.loads(socket.recv(timeout=180))

    assert (data["agent"], data["event"], data["tool"]) == (
        "PlannerAgent",
        "tool_invocation",
        "CalendarAPI",
    )


def test_3_b_the_page_is_at_logs_and_the_root_leads_there(hub: Hub) -> None:
    root = httpx.get(f"{hub.url}/")
    page = httpx.get(f"{hub.url}/logs")

    assert (root.status_code, root.headers["location"]) == (307, "/logs")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")


def test_4_a_what_is_logged_survives_a_restart_of_the_service(hub: Hub) -> None:
    laneway.configure(log_path=hub.env["LOG_PATH"])
    log_event("MainAgent", "user_message", content="before")
    assert hub.stop() == 0
    log_event("MainAgent", "user_message", content="while it was away")
    hub.start()

    eventually(lambda: len(list(hub.iter_events())) == 2, "both events")


def test_4_b_rotation_keeps_every_line_and_the_name(hub: Hub) -> None:
    laneway.configure(log_path=hub.env["LOG_PATH"], segment_bytes=2_000)
    for n in range(30):
        log_event("MainAgent", "log", content="x" * 200, n=n)

    folder = Path(hub.env["LOG_PATH"]).parent
    assert len(list(folder.glob("observability-*.jsonl"))) > 3
    assert json.loads(Path(hub.env["LOG_PATH"]).read_text().splitlines()[-1])["n"] == 29
    eventually(lambda: len(list(hub.iter_events())) == 30, "all thirty")
    assert [event["n"] for event in hub.iter_events()] == list(range(30))


def test_4_c_two_stacks_in_one_hub_are_told_apart_by_their_pod(hub: Hub) -> None:
    for pod in ("home", "work"):
        laneway.configure(log_path=hub.env["LOG_PATH"], pod=pod)
        log_event("MainAgent", "user_message", content=f"from {pod}")

    eventually(lambda: len(list(hub.iter_events())) == 2, "both events")
    assert [event["content"] for event in hub.iter_events("&pod=work")] == ["from work"]
