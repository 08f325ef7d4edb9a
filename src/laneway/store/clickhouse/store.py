"""`ClickHouseStore`: the `Store` protocol over tables of a ClickHouse server or cluster."""

import re
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Literal

from laneway.base.errors import StoreError
from laneway.store.api import (
    Added,
    DiskError,
    Groups,
    Meanwhile,
    Page,
    Plan,
    Query,
    QueryTimeout,
    Record,
    SegmentState,
    Split,
    Table,
    do_nothing,
)
from laneway.store.query.expr import Text, conjuncts, iter_leaves
from laneway.store.query.write import write
from laneway.store.sqlite.aggregate import check_split
from laneway.store.sqlite.directory import Directory

from .client import Address, Client, connect, parse_address
from .ledger import Ledger
from .owner import read_owner
from .schema import Names, iter_statements
from .search import Search, find
from .server import Server
from .total import Ask, with_patience
from .where import Binder, compile_where

QUERY_LIMIT_S = 10.0
"""A reader's patience. A cold part of a far server takes longer than a file at hand."""


class ClickHouseStore:
    """``directory`` is this log's own: it holds the lock of the one process that writes, and the name under
    which the tables are this log's. Two hubs that number their events in the same tables would take each
    other's numbers. ``client`` is for tests.

    Raises:
        StoreError: the server does not answer, its tables are another hub's, or another process has the
            index.
    """

    def __init__(
        self,
        address: Address | str,
        *,
        directory: str = "",
        client: Client | None = None,
        query_limit_s: float = QUERY_LIMIT_S,
    ) -> None:
        self._directory = Directory(directory) if directory else None
        self._address = parse_address(address) if isinstance(address, str) else address
        self._names = Names(self._address.database, self._address.cluster)
        self._query_limit_s = query_limit_s
        self._writing = threading.RLock()
        self._is_closed = False
        with ExitStack() as stack:
            if self._directory:
                stack.callback(self._directory.close)
            self._server = Server(client or connect(self._address), self._names, query_limit_s)
            stack.callback(self._server.close)
            self._make_tables()
            self._ledger = Ledger(self._server, self._names, read_owner(directory))
            self._ledger.load()
            self._resources = stack.pop_all()

    @property
    def epoch(self) -> str:
        """Names this index; another epoch means that every seq known before is void."""
        return self._ledger.epoch

    @property
    def last_seq(self) -> int:
        """The highest seq ever given, 0 at first."""
        return self._ledger.reached_seq

    def segments(self) -> list[SegmentState]:
        return sorted(
            self._ledger.states.values(),
            key=lambda state: (not state.event_count, state.first_ns, state.segment),
        )

    def add(
        self,
        segment: str,
        fingerprint: str,
        records: Sequence[Record],
        indexed_bytes: int,
        meanwhile: Meanwhile = do_nothing,
    ) -> Added:
        """Records below the offset reached before are skipped: they were indexed then, and count as no
        duplicates. Another fingerprint than before drops what was known of the segment."""
        with self._writing:
            self._require_open()
            try:
                added = self._ledger.add(segment, fingerprint, records, indexed_bytes)
            except QueryTimeout as error:  # no event is at fault
                raise DiskError(f"ClickHouse is slow: {error.message}") from error
            meanwhile(added.seqs)
            return added

    def forget(self, segment: str) -> None:
        with self._writing:
            self._require_open()
            self._ledger.forget(segment)

    def rename(self, names: Mapping[str, str]) -> None:
        """Log files have other names, old → new, all at once; a new name that is none of the old ones is
        forgotten first. What is known of the files stays as it is, seqs included."""
        with self._writing:
            self._require_open()
            self._ledger.rename(names)

    def reset(self) -> None:
        """Forget everything and begin another epoch, at seq 1."""
        with self._writing:
            self._require_open()
            self._ledger.reset()
            self._note_renewal()

    def renew_epoch(self) -> None:
        """Begin another epoch and keep what is there; whoever remembers anything asks again."""
        with self._writing:
            self._require_open()
            self._ledger.renew()
            self._note_renewal()

    def settle(self) -> None:
        """Nothing is kept open between batches."""

    def size_bytes(self, segment: str) -> int:
        """What the segment takes on this machine's disk: nothing."""
        return 0

    def take_damaged(self) -> list[str]:
        """The server checks its own parts."""
        return []

    def compactable(self, segment: str) -> str:
        """The server merges by itself."""
        return ""

    def adopt(self, segment: str, copy: str, digest: str) -> bool:
        return False

    def verify(self, segment: str) -> bool:
        return True

    def count_lines(self, segment: str, start: int, end: int) -> int:
        """Events of whose line, newline included, a part stands in ``[start, end)``; -1 if unknown."""
        try:
            ((count,),) = self._server.ask(
                f"SELECT count() FROM {self._names.event} WHERE segment = {{segment:String}}"  # noqa: S608 - values are bound
                " AND offset < {end:Int64} AND offset + length >= {start:Int64} AND seq <= {seq:Int64}",
                {
                    "segment": self._ledger.keys.get(segment, ""),
                    "start": start,
                    "end": end,
                    "seq": self.last_seq,
                },
            )
        except StoreError:
            return -1
        return int(count) if segment in self._ledger.keys else -1

    def find(self, query: Query) -> Page:
        return find(self._server, self._search(query), self._query_limit_s, self._total_bytes())

    def groups(self, by: Literal["agent", "session"], query: Query) -> Groups:
        ask = Ask(self._server, self._search(query), self._query_limit_s, self._total_bytes())
        return ask.groups(by)

    def aggregate(self, query: Query, split: Split) -> Table:
        check_split(split)
        limit_s = with_patience(split, self._query_limit_s)
        if limit_s <= 0:
            return Table([], 0, 0, 0, "at_least")
        ask = Ask(self._server, self._search(query), limit_s, self._total_bytes())
        return ask.aggregate(split, self._writing)

    def explain(self, query: Query) -> Plan:
        search = self._search(query)
        states = self._ledger.states.values()
        steps = ["partitions by day, then pod, agent and time"]
        for part in conjuncts(search.expr):
            told = compile_where(part, Binder(), self._names, "1").is_exact
            has_text = any(isinstance(leaf, Text) for leaf in iter_leaves(part))
            how = (
                "read from the store and checked" if not told else "words" if has_text else "index"
            )
            steps.append(f"{how}: {write(part)}")
        has_words = any(isinstance(leaf, Text) for leaf in iter_leaves(search.expr))
        return Plan(
            steps,
            "scan" if search.matcher else "words" if has_words else "index",
            len(states),
            len(states),
            sum(state.event_count for state in states),
            self._total_bytes(),
        )

    def close(self) -> None:
        with self._writing:
            if not self._is_closed:
                self._is_closed = True
                self._resources.close()

    def _note_renewal(self) -> None:
        """For those who watch the directory of the index."""
        if self._directory:
            self._directory.renew(self.last_seq)

    def _search(self, query: Query) -> Search:
        self._require_open()
        return Search(query, self._names, self._ledger.reached_seq, self._ledger.names)

    def _total_bytes(self) -> int:
        return sum(state.indexed_bytes for state in self._ledger.states.values())

    def _make_tables(self) -> None:
        ((told,),) = self._server.ask("SELECT version()")
        version = tuple(map(int, re.findall(r"\d+", str(told))[:2]))
        for statement in iter_statements(self._address, version):
            self._server.tell(statement)

    def _require_open(self) -> None:
        if self._is_closed:
            raise StoreError("the index is closed")
