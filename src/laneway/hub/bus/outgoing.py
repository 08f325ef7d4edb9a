"""From the log to the bus: reads what this hub's log holds of its own, and remembers what was acknowledged.

The log is the spool: while the bus is away nothing is copied anywhere, and reading goes on later from the
place of the last acknowledgement.
"""

from typing import Any, cast

import orjson

from laneway.base.clock import now_ns
from laneway.base.limits import KIB
from laneway.hub.bus.place import Place
from laneway.hub.bus.stream import Message
from laneway.hub.line import LineReader
from laneway.log.position import rename_keys
from laneway.log.segment import LogPath
from laneway.log.side import SideFiles
from laneway.log.tail import Chunk, Tail
from laneway.model.cut import SIDE_FIELD, put_back
from laneway.sdk.bus.subject import encode_name, subject_of

CHUNK_BYTES = 512 * KIB
"""Read at a time from a file: its events are acknowledged before more is read."""

IDLE_S = 0.5
"""Longest wait while nothing comes; bounds the stop, nothing else."""


class Outgoing:
    """`fill`, `look` and `settle` are for one thread at a time."""

    def __init__(
        self, log_path: LogPath, place: Place, stream: str, lines: LineReader, side: SideFiles
    ) -> None:
        self._place = place
        self._stream = stream
        self._lines = lines
        self._side = side
        self._positions = place.read_positions()
        series = place.series
        self._tail = Tail(log_path, self._positions, skip=lambda name: series.number_of(name) > 0)
        self._tail.look()
        self._ends: list[Chunk] = []
        self._last_ns: dict[str, int] = {}
        self.batch: list[Message] = []
        """What is to be published before more is read."""
        self.message_bytes = 0
        """Events above it go without the rest of their payloads; set it before `fill`."""
        self.cut_count = 0
        self.lost_bytes = 0
        """Of files that were removed before they were published."""

    def fill(self) -> None:
        """Read what is new, or wait a moment for it. What an earlier call read is kept."""
        if self.batch or self._ends:
            return
        chunks = self._tail.poll(CHUNK_BYTES)
        for change in self._tail.take_changes():
            rename_keys(self._positions, change)
            rename_keys(self._last_ns, change)
        self.lost_bytes += sum(one.unread_bytes for one in self._tail.take_breaks())
        for chunk in chunks:
            self.batch += self._read(chunk)
        self._ends = chunks
        if not chunks:
            self._tail.wait(IDLE_S)

    def look(self) -> None:
        """See what the log has got, while the bus is away and nobody calls `fill`: it is pending."""
        self._tail.look()

    def note_acknowledged(self, ids: "dict[str, bool]") -> None:
        self.batch = [message for message in self.batch if message.id not in ids]

    def settle(self) -> None:
        """The bus has all of the batch: go on from behind it, after a restart, too.

        Raises:
            LogError: the place cannot be noted.
        """
        assert not self.batch
        if not self._ends:
            return
        for chunk in self._ends:
            self._positions[chunk.segment] = chunk.fingerprint, chunk.end
        self._ends = []
        self._place.write_positions(self._positions)

    def pending_bytes(self) -> int:
        """Bytes of the log that the bus does not have yet."""
        try:
            return self._tail.lag_bytes()
        except OSError:  # a file was closed between the list and the look
            return 0

    def wake(self) -> None:
        self._tail.wake()

    def close(self) -> None:
        self._tail.close()

    def _read(self, chunk: Chunk) -> list[Message]:
        """The chunk's events; lines that are none go nowhere, and the index tells of them."""
        found = []
        for offset, data in chunk.lines:
            if offset < chunk.seen_bytes:  # published under the file's other name
                continue
            last_ns = self._last_ns.get(chunk.segment) or now_ns()
            line = self._lines.read(data, chunk.fingerprint, offset, last_ns)
            if line.event is None:
                continue
            self._last_ns[chunk.segment] = line.ts_ns
            event = cast(dict[str, Any], line.event)
            subject = subject_of(self._stream, event.get("pod", ""), event["agent"])
            found.append(Message(encode_name(event["id"]), subject, self._whole(line.shown, event)))
        return found

    def _whole(self, line: bytes, event: dict[str, Any]) -> bytes:
        """The line with its payloads in it, as far as a message can be so long: other hubs have no part
        in this one's side files."""
        if SIDE_FIELD not in event:
            return line
        whole = orjson.loads(line)
        if put_back(whole, self._side.read):
            whole.pop(SIDE_FIELD, None)
        data = orjson.dumps(whole)
        if len(data) <= self.message_bytes:
            return data
        self.cut_count += 1
        bare = orjson.loads(line)
        bare.pop(SIDE_FIELD, None)
        return orjson.dumps(bare)
