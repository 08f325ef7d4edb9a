"""What the hub's processes say on stderr. A traceback quotes what made it fail: secrets go there, too."""

import logging
import sys

from laneway.base.errors import redacted


class RedactedFormatter(logging.Formatter):
    """Redacts the whole of a record, its traceback included."""

    def format(self, record: logging.LogRecord) -> str:
        return redacted(super().format(record))


def configure_output(template: str) -> None:
    """Once a process, before its first message."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactedFormatter(template))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
