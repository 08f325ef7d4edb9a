"""The mark that stands where a secret was: ``[redacted:RULE:hmac6]``.

Six hex digits of an HMAC under a key that never leaves the machine: equal
secrets can be matched, and no guess can be checked without the key.
"""

import os
import re

KEY_BYTES = 32

WITHHELD = "[withheld:redactor-error]"
TOO_LARGE = "[withheld:too-large]"

_MARK = re.compile(r"\[redacted:[a-z0-9-]{1,40}:[0-9a-f]{6}\]")


def is_mark(text: str) -> bool:
    return text in (WITHHELD, TOO_LARGE) or _MARK.fullmatch(text) is not None


def hide_marks(text: str) -> str:
    """``text`` with quotes in place of marks: no value reaches across one, so none is redacted again."""
    if "[redacted:" not in text:
        return text
    return _MARK.sub(lambda found: '"' * len(found[0]), text)


class Marker:
    """Makes marks. The key is read or made at the first one; with no usable file it dies with the process."""

    __slots__ = ("_key", "_path")

    def __init__(self, key_path: str | None) -> None:
        self._path = key_path
        self._key = b""

    def mark(self, rule: str, secret: str) -> str:
        from hmac import digest

        if not self._key:
            self._key = load_key(self._path) or os.urandom(KEY_BYTES)
        return f"[redacted:{rule}:{digest(self._key, secret.encode('utf-8', 'replace'), 'sha256').hex()[:6]}]"


def load_key(path: str | None) -> bytes:
    """The key in ``path``, made there (0600) if there is none; empty where that cannot be done."""
    if not path:
        return b""
    try:
        return _read(path) or _create(path) or _read(path)
    except OSError:
        return b""


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            key = file.read(KEY_BYTES + 1)
    except FileNotFoundError:
        return b""
    return key if len(key) == KEY_BYTES else b""


def _create(path: str) -> bytes:
    """Writes a new key beside ``path`` and links it there: another process sees all of it or nothing."""
    os.makedirs(os.path.dirname(path) or ".", mode=0o700, exist_ok=True)
    key = os.urandom(KEY_BYTES)
    draft = f"{path}.{os.urandom(6).hex()}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
        try:
            os.link(draft, path)
        except FileExistsError:  # another process was first
            return b""
        return key
    finally:
        os.unlink(draft)
