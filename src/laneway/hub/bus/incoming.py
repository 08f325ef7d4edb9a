"""From the bus to the log: what other hubs published becomes lines of a series of its own beside the log's.

From there it takes the way of every line, into the index and to the viewers. That series is not published
again, so that nothing goes in circles.
"""

from collections.abc import Sequence
from time import sleep

from nats.aio.msg import Msg

from laneway.base.errors import EventError, LogError
from laneway.hub.bus.stream import ORIGIN
from laneway.hub.pipeline import Intake
from laneway.log.append import Appender
from laneway.model.wire import decode_line

RETRY_S = 1.0
"""Pause after the log could not be written."""


class Incoming:
    """For one thread at a time."""

    def __init__(self, hub: str, intake: Intake, appender: Appender) -> None:
        """``hub``: the name of this one; what bears it is in the log already."""
        self._hub = hub
        self._intake = intake
        self._appender = appender
        self.received_count = 0
        self.rejected_count = 0
        self.fault = ""
        """Why the log cannot be written; empty while it can."""
        self.is_stopping = False

    def keep(self, messages: Sequence[Msg]) -> bool:
        """Put them into the log; whether they may be acknowledged. Waits where the log cannot be written."""
        foreign = [one for one in messages if (one.headers or {}).get(ORIGIN) != self._hub]
        taken = self._intake.take([_decode(one.data) for one in foreign], most=len(foreign))
        while not self._try_append(taken.lines):
            if self.is_stopping:
                return False
            sleep(RETRY_S)
        self.received_count += len(taken.lines)
        self.rejected_count += taken.rejected_count
        return True

    def _try_append(self, lines: list[bytes]) -> bool:
        try:
            self._appender.append(lines)
        except LogError as error:
            self.fault = error.message
            return False
        self.fault = ""
        return True


def _decode(data: bytes) -> object:
    try:
        return decode_line(data)
    except EventError as error:
        return error.problems[0]
