"""The pytest plugin: fixture ``laneway_events``, also as ``events``.

A run that uses neither pays for the import of this file and nothing else: no option, no hook.
"""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from laneway.testing.capture import Events


@pytest.fixture
def laneway_events(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> "Iterator[Events]":
    """The Laneway events of this test, whatever the program configures; its processes' as well.

    ``assert laneway_events.tools == ["search", "write"]``; also ``.errors``, ``.spans``, ``.agents``,
    ``.kinds``, ``.where(agent="coder")``, or as a sequence of dicts. Where the test fails they are
    saved, and the report says where.
    """
    from laneway.testing.hold import holding
    from laneway.testing.report import report_events

    with holding(tmp_path_factory.mktemp("laneway")) as events:
        report_events(request, events)
        yield events


@pytest.fixture
def events(laneway_events: "Events") -> "Events":
    """The same as ``laneway_events``; a fixture of your own with this name takes its place."""
    return laneway_events
