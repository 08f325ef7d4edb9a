"""The service managers that can keep the hub running: what each reads, and how each is asked."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol


class Job(NamedTuple):
    """What is to run, whoever runs it."""

    command: Sequence[str]
    environment: Mapping[str, str]
    writes: Sequence[str]
    """Directories that the hub writes; `laneway service install` makes them."""


class Manager(Protocol):
    """One service manager, for the user who asks.

    ``start`` and ``stop`` raise `LanewayError` with what the manager said; ``stop`` of what does not run
    is no error. ``start`` of what runs starts it again, with the file as it is now.
    """

    file: Path
    help: str
    """Where to look when the hub does not start."""
    after: str
    """What the user may want to do next; one line, or ``""``."""

    def text(self, job: Job, *, hardened: bool) -> bytes: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def state(self) -> str:
        """In the manager's words, such as ``active`` or ``failed``; ``""`` where it cannot be asked."""
        ...
