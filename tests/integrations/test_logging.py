"""Loggers of the field, into the log."""

import logging
from typing import Any

import loguru
import pytest
import structlog

from laneway import bind
from laneway.integrations.logging import LanewayHandler, laneway_processor, laneway_sink
from laneway.integrations.telegram import record

from ..sdk.conftest import Events


@pytest.fixture
def logger() -> Any:
    logger = logging.getLogger("test.laneway")
    logger.setLevel(logging.DEBUG)
    handler = LanewayHandler("worker")
    logger.addHandler(handler)
    yield logger
    logger.removeHandler(handler)


def test_the_standard_loggers_records_are_events(logger: logging.Logger, events: Events) -> None:
    logger.warning("disk %d %%", 93, extra={"volume": "/data", "id": 7, "level": "x"})
    [event] = events()
    assert (event["agent"], event["event"], event["level"], event["content"]) == (
        "worker",
        "log",
        "warning",
        "disk 93 %",
    )
    assert (event["volume"], event["extra.id"], event["extra.level"]) == ("/data", 7, "x")
    assert str(event["line"]).startswith("test_logging.py:")
    assert event["logger"] == "test.laneway"


def test_an_exception_keeps_its_stack(logger: logging.Logger, events: Events) -> None:
    try:
        raise LookupError("gone")
    except LookupError:
        logger.exception("it failed")
    [event] = events()
    assert event["error"]["type"] == "LookupError"  # type: ignore[index]
    assert event["level"] == "error"


def test_what_cannot_be_formatted_harms_nobody(
    logger: logging.Logger, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    logger.info("%d", "no number")
    logger.info("good")
    assert [event["content"] for event in events()] == ["good"]


def test_a_record_made_while_one_is_recorded_is_passed_over(
    logger: logging.Logger, events: Events
) -> None:
    class Noisy:
        def __str__(self) -> str:
            logger.info("from within")
            return "noisy"

    logger.info("outer", extra={"noisy": Noisy()})
    assert [event["content"] for event in events()] == ["outer"]


def test_structlogs_events_are_ours(events: Events) -> None:
    logger = structlog.wrap_logger(
        structlog.testing.CapturingLogger(),
        processors=[laneway_processor, structlog.processors.JSONRenderer()],
    )
    with bind(agent="planner", session_id="s1"):
        logger.warning("slow", took_s=3)
    try:
        raise ValueError("no")
    except ValueError:
        logger.exception("failed", agent="coder")
    first, second = events()
    assert (
        first["agent"],
        first["session_id"],
        first["level"],
        first["content"],
        first["took_s"],
    ) == ("planner", "s1", "warning", "slow", 3)
    assert (second["agent"], second["error"]["type"]) == ("coder", "ValueError")  # type: ignore[index]


def test_logurus_records_are_events(events: Events) -> None:
    number = loguru.logger.add(laneway_sink)
    try:
        loguru.logger.bind(agent="coder", job=7).success("built {}", "it")
    finally:
        loguru.logger.remove(number)
    [event] = events()
    assert (event["agent"], event["content"], event["job"], event["level"]) == (
        "coder",
        "built it",
        7,
        "info",
    )


async def test_a_telegram_handlers_talk_is_recorded(events: Events) -> None:
    """Objects of both frameworks' shapes; neither is installed here."""

    class Thing:
        def __init__(self, **fields: Any) -> None:
            vars(self).update(fields)

    message = Thing(text="hi", chat=Thing(id=5), from_user=Thing(id=9), message_id=1)

    @record("Bot")
    async def ptb(update: Any, context: Any) -> Any:
        return Thing(text="hello")

    @record("Bot")
    async def aiogram(message: Any, *, state: str) -> str:
        raise LookupError(state)

    await ptb(Thing(effective_message=message), None)
    with pytest.raises(LookupError):
        await aiogram(message, state="gone")
    asked, replied, again, error = events()
    assert (asked["content"], asked["session_id"], asked["user_id"]) == ("hi", "telegram-5", 9)
    assert (replied["event"], replied["content"]) == ("agent_response", "hello")
    assert again["event"] == "user_message"
    assert error["error"]["type"] == "LookupError"  # type: ignore[index]
