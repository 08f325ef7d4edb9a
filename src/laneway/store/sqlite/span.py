"""A run of rows with the times that they lie in."""

from typing import NamedTuple


class Span(NamedTuple):
    """A block: its seqs ``[first_seq, last_seq]`` and times ``[min_ns, max_ns]``."""

    first_seq: int
    last_seq: int
    min_ns: int
    max_ns: int
