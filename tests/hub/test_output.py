"""What the hub's processes say quotes no secret, not even in a traceback."""

import io
import logging
from collections.abc import Iterator

import pytest

from laneway.base import errors
from laneway.hub.output import RedactedFormatter
from laneway.model.redact import Redactor

SECRET = "gh" + "p_" + "aB3dE6gH9" * 4


@pytest.fixture(autouse=True)
def redacted() -> Iterator[None]:
    before = errors._redact
    errors.redact_quotes(Redactor().redact_text)
    yield
    errors.redact_quotes(before)


def test_a_message_and_its_traceback_are_redacted() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(RedactedFormatter("%(levelname)s: %(message)s"))
    log = logging.Logger("hub of a test")
    log.addHandler(handler)
    try:
        raise OSError(f"no file named {SECRET}")
    except OSError:
        log.exception("it met %s", SECRET)

    assert SECRET not in stream.getvalue()
    assert stream.getvalue().count("[redacted:github-token:") == 2
    assert "Traceback" in stream.getvalue()
