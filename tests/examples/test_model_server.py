"""The model server speaks the protocol well enough for the official client, refusals included."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from example_process import Processes, clean_environment
from openai import BadRequestError, OpenAI, RateLimitError

TOOL = {"type": "function", "function": {"name": "calculate", "parameters": {"type": "object"}}}


@pytest.fixture(scope="module")
def url(processes: Processes, tmp_path_factory: pytest.TempPathFactory) -> str:
    env = clean_environment(tmp_path_factory.mktemp("home"))
    arguments = ("--latency-ms", "1", "--fail-every", "0")
    return processes.serve(env, "examples.assistant.model_server", "/v1/models", *arguments)


@pytest.fixture
def client(url: str) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
        yield client


def test_it_calls_the_tool_that_fits_and_then_answers_from_it(client: OpenAI) -> None:
    messages = [{"role": "user", "content": "What is 6 * 7?"}]
    first = client.chat.completions.create(model="rules-1", messages=messages, tools=[TOOL])
    [call] = first.choices[0].message.tool_calls or []
    assert call.function.name == "calculate"
    assert call.function.arguments == '{"expression": "6 * 7"}'
    messages.append(first.choices[0].message.model_dump(exclude_none=True))
    messages.append({"role": "tool", "tool_call_id": call.id, "content": "6 * 7 = 42"})
    second = client.chat.completions.create(model="rules-1", messages=messages, tools=[TOOL])
    assert second.choices[0].message.content == "6 * 7 = 42"


def test_a_stream_says_the_same_as_a_whole_answer(client: OpenAI) -> None:
    messages = [
        {"role": "user", "content": "Findings:\nMrs. Okafor,  on the\tsecond floor – 布商大廈"}
    ]
    whole = client.chat.completions.create(model="rules-1", messages=messages)
    options = {"include_usage": True}
    with client.chat.completions.create(
        model="rules-1", messages=messages, stream=True, stream_options=options
    ) as chunks:
        parts = list(chunks)
    text = "".join(choice.delta.content or "" for part in parts for choice in part.choices)
    assert text == whole.choices[0].message.content
    assert parts[-1].usage == whole.usage


def test_tokens_are_words_and_signs(client: OpenAI) -> None:
    messages = [{"role": "user", "content": "Hello, is anybody there?"}]
    usage = client.chat.completions.create(model="rules-1", messages=messages).usage
    assert usage is not None
    assert usage.prompt_tokens == 6
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"[]", b"{}", b'{"messages": 7}', b'{"messages": [7]}',
        b'{"messages": [{"role": "tool", "tool_call_id": "nobody", "content": "?"}]}',
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_answered_400(url: str, body: bytes) -> None:
    reply = httpx.post(f"{url}/v1/chat/completions", content=body, trust_env=False)
    assert reply.status_code == 400
    assert "cannot read" in reply.json()["error"]["message"]


def test_the_client_raises_its_own_error_for_a_bad_request(client: OpenAI) -> None:
    with pytest.raises(BadRequestError):
        client.chat.completions.create(model="rules-1", messages=[{"role": "tool"}])


def test_a_refused_client_is_told_when_to_come_back(processes: Processes, tmp_path: Path) -> None:
    url = processes.serve(
        clean_environment(tmp_path), "examples.assistant.model_server", "/v1/models",
        "--latency-ms", "1", "--fail-every", "1",
    )  # fmt: skip
    with (
        OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client,
        pytest.raises(RateLimitError) as refusal,
    ):
        client.chat.completions.create(model="rules-1", messages=[{"role": "user", "content": "?"}])
    assert int(refusal.value.response.headers["retry-after-ms"]) > 0
