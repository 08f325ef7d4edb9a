"""Browsers that were let in: one-time codes, and the sessions that they are exchanged for.

A session reads with the rights of the token that made its code, and ends with it. Codes and
sessions are kept as hashes; sessions stand in ``sessions.json``, so that they outlive a restart.
"""

from collections.abc import Callable
from http import HTTPStatus
from secrets import token_urlsafe
from time import monotonic, time

from laneway.base.errors import AccessError, SettingError
from laneway.web.document import MISSING, Content, Document
from laneway.web.keyring import digest

CODE_LIFE_S = 600
"""Time to get from the terminal to the browser."""

CODES = 64
"""One-time codes at a time; the oldest makes room."""

SESSION_LIFE_S = 30 * 86_400

SESSIONS = 256
"""Browsers at a time; the one that was let in first makes room."""


class Sessions:
    """The sessions of one home, and the codes of one hub."""

    def __init__(self, home: str) -> None:
        self._document = Document(f"{home}/sessions.json")
        self._stamp = MISSING
        self._codes: dict[bytes, tuple[float, bytes]] = {}
        self._known: dict[bytes, tuple[bytes | None, float]] = {}

    def new_code(self, token_digest: bytes) -> str:
        """A code that `exchange` takes once, within `CODE_LIFE_S`."""
        while len(self._codes) >= CODES:
            del self._codes[next(iter(self._codes))]
        code = token_urlsafe(24)
        self._codes[digest(code.encode())] = monotonic() + CODE_LIFE_S, token_digest
        return code

    def exchange(self, code: str, is_good: Callable[[bytes], object]) -> str:
        """The new session's secret for a one-time code; ``is_good`` tells whether a token still is.

        Raises:
            AccessError: there is no such code, or it was used, or is too old, or its token ended.
        """
        until_s, token_digest = self._codes.pop(digest(code.encode()), (0.0, b""))
        if until_s < monotonic() or not is_good(token_digest):
            raise AccessError(
                "this link was used already, or is older than ten minutes",
                hint="`laneway open` makes another one",
                status=HTTPStatus.UNAUTHORIZED,
            )
        secret = token_urlsafe(32)
        self._add(secret, token_digest, time() + SESSION_LIFE_S)
        return secret

    def find(self, secret: bytes) -> bytes | None:
        """The digest of the token that a session belongs to, or None. Whether the token is still
        good is the caller's to ask."""
        self._load()
        token_digest, until_s = self._known.get(digest(secret), (None, 0.0))
        return token_digest if until_s > time() else None

    def end(self, secret: bytes) -> None:
        """Log out: the secret is worthless, wherever else it was copied to."""
        hashed = digest(secret).hex()

        def remove(content: Content) -> None:
            content["sessions"] = [s for s in _list(content) if s["sha256"] != hashed]

        self._document.change(remove)
        self._load()

    def _add(self, secret: str, token_digest: bytes, until_s: float) -> None:
        made = {
            "sha256": digest(secret.encode()).hex(),
            "token": token_digest.hex(),
            "until": int(until_s),
        }

        def append(content: Content) -> None:
            live = [session for session in _list(content) if session["until"] > time()]
            content["sessions"] = [*live[-SESSIONS + 1 :], made]

        self._document.change(append)
        self._load()

    def _load(self) -> None:
        stamp = self._document.stamp()
        if stamp == self._stamp:
            return
        try:
            content = self._document.read()
            self._known = {
                bytes.fromhex(session["sha256"]): (
                    bytes.fromhex(session["token"]),
                    float(session["until"]),
                )
                for session in _list(content)
            }
        except (SettingError, KeyError, TypeError, ValueError):
            self._known = {}  # fail closed: everybody asks for another link
        self._stamp = stamp


def _list(content: Content) -> list[Content]:
    found = content.get("sessions", [])
    return found if isinstance(found, list) else []
