"""The hub's hold on its courier: starts it, hears how it stands, and starts it again if it dies."""

import logging
import pickle
import subprocess
import sys
import threading

import orjson

from laneway.base.settings import Settings
from laneway.hub.bus.status import Status
from laneway.hub.metric import Metric
from laneway.sdk.bus.address import read_address

RESTART_S = 1.0
"""Pause before a courier that died is started again."""

STOP_S = 10.0

log = logging.getLogger("laneway.hub")


class BusLink:
    """Runs from when it is made until `close`. Thread-safe.

    Raises:
        SettingError: the bus cannot be reached with these settings, whoever answers.
    """

    def __init__(self, settings: Settings, metric: Metric) -> None:
        read_address(settings)
        self._settings = settings
        self._metric = metric
        self._closing = threading.Event()
        self.status = Status()
        self._process = self._start()
        self._thread = threading.Thread(target=self._run, name="laneway-bus", daemon=True)
        self._thread.start()

    def gauges(self) -> dict[str, tuple[str, float]]:
        """For the page of metrics; counts begin anew with each courier."""
        now = self.status
        return {
            "laneway_bus_connected": ("Whether the bus answers.", int(now.is_connected)),
            "laneway_bus_pending_bytes": (
                "Bytes of the log that the bus does not have yet.",
                now.pending_bytes,
            ),
            "laneway_bus_published": ("Events that the bus has acknowledged.", now.published),
            "laneway_bus_repeated": ("Of those, known to it already.", now.repeated),
            "laneway_bus_received": ("Events taken from other hubs.", now.received),
            "laneway_bus_rejected": ("Messages on the bus that are no events.", now.rejected),
            "laneway_bus_cut": (
                "Events published without the rest of their payloads: too long for a message.",
                now.cut,
            ),
            "laneway_bus_lost_bytes": (
                "Bytes of log files that were removed before they were published.",
                now.lost_bytes,
            ),
        }

    def close(self) -> None:
        """Let it finish the batch at hand, and end."""
        self._closing.set()
        self._hang_up()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._thread.join(STOP_S)

    def _start(self) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [sys.executable, "-m", "laneway.hub.bus.courier"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdin
        try:
            process.stdin.write(pickle.dumps(self._settings))
            process.stdin.flush()
        except OSError:  # it died; its end is met below
            pass
        return process

    def _run(self) -> None:
        while True:
            assert self._process.stdout
            for line in self._process.stdout:
                self._hear(line)
            code = self._process.wait()
            self._process.stdout.close()
            self._hang_up()
            if self._closing.wait(RESTART_S):
                return
            self._metric.fault.add(1, "bus")
            log.error("the bus: its courier ended with code %s and is started again", code)
            self.status = self.status._replace(is_connected=False)
            self._process = self._start()
            if self._closing.is_set():  # just now, and the one before was hung up on
                self._hang_up()

    def _hear(self, line: bytes) -> None:
        try:
            self.status = Status(**orjson.loads(line))
        except (ValueError, TypeError):  # it was killed in the middle of a line
            pass

    def _hang_up(self) -> None:
        try:
            if self._process.stdin:
                self._process.stdin.close()
        except OSError:
            pass
