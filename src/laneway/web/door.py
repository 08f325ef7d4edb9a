"""Who somebody is: the tokens that are taken, from the home and the settings, and the sessions.

The hub holds hashes only. Files are looked at again after `LOOK_S`, so that a token that was
made, rotated or revoked counts within a second, without a restart.
"""

import hmac
import logging
from time import monotonic, time

from laneway.base.errors import SettingError
from laneway.base.settings import Settings
from laneway.web import token as token_file
from laneway.web.document import MISSING, Stamp, stamp_of
from laneway.web.keyring import ACCESS, INGEST, OWN, Grant, Keyring, digest
from laneway.web.session import Sessions

LOOK_S = 1.0
"""Four `stat` calls; a revoked token is taken for that much longer at most."""

MISS_S = 0.05
"""Unknown tokens make the hub look again at once, and this often at most."""

HeaderMap = dict[bytes, bytes]

log = logging.getLogger(__name__)


class Door:
    """The tokens of one hub. For one thread: the event loop's.

    Raises:
        SettingError: a token cannot be read or made, or ``tokens.json`` is not ours.
    """

    def __init__(self, settings: Settings) -> None:
        self._keyring = Keyring(settings.home)
        self._fixed = settings.token and token_file.check(settings.token, "token")
        self._files = {ACCESS: f"{settings.home}/access.token"}
        if not self._fixed:
            self._files[INGEST] = settings.token_file or f"{settings.home}/ingest.token"
        for path in self._files.values():
            token_file.load_or_make(path)
        self._sessions = Sessions(settings.home)
        self._grants: dict[bytes, Grant] = {}
        self._used_s: dict[bytes, float] = {}
        self._stamps = self._look()
        self._load()
        self._look_at_s = monotonic() + LOOK_S
        self._miss_at_s = 0.0

    def bearer(self, headers: HeaderMap) -> Grant | None:
        """What the token in ``Authorization`` is good for; None without one that is taken."""
        scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
        if scheme != b"Bearer" and scheme.lower() != b"bearer":
            return None
        return self.find(digest(given.strip()))

    def find(self, key: bytes) -> Grant | None:
        """The grant of the token with this digest.

        The search is by hash: how long it takes tells nothing of a token, for nobody can choose
        what the hash of a guess begins with. What was found is compared in constant time besides.
        """
        now_s = monotonic()
        if now_s >= self._look_at_s:
            self._look_at_s = now_s + LOOK_S
            self._refresh()
        grant = self._grants.get(key)
        if grant is None and now_s >= self._miss_at_s:  # perhaps made a moment ago
            self._miss_at_s = now_s + MISS_S
            self._refresh()
            grant = self._grants.get(key)
        if grant is None or not hmac.compare_digest(grant.digest, key) or grant.until_s <= time():
            return None
        self._used_s[key] = now_s
        return grant

    def session(self, secret: bytes) -> Grant | None:
        """The grant of the token that a browser's session belongs to."""
        key = self._sessions.find(secret)
        return self.find(key) if key else None

    def new_code(self, grant: Grant | None = None) -> str:
        """A one-time code for a browser, with the rights of ``grant`` or this machine's own."""
        if grant is None:
            grant = next(g for g in self._grants.values() if g.name == ACCESS)
        return self._sessions.new_code(grant.digest)

    def exchange(self, code: str) -> str:
        """The secret of a new session. Raises AccessError for a code that is not good."""
        return self._sessions.exchange(code, self.find)

    def end_session(self, secret: bytes) -> None:
        self._sessions.end(secret)

    def idle_s(self, grant: Grant) -> float | None:
        """Seconds since it was used last; None if it was not since the hub's start."""
        used_s = self._used_s.get(grant.digest)
        return None if used_s is None else monotonic() - used_s

    def grants(self) -> list[Grant]:
        return list(self._grants.values())

    def _refresh(self) -> None:
        stamps = self._look()
        if stamps == self._stamps:
            return
        self._stamps = stamps
        try:
            self._load()
        except SettingError as error:  # an unfinished edit by hand: go on with what is known
            log.warning("the tokens stay as they were: %s", error.message)

    def _look(self) -> dict[str, Stamp]:
        paths = [self._keyring.document.path, *self._files.values()]
        return {path: stamp_of(path) for path in paths}

    def _load(self) -> None:
        """Read all tokens anew; a file that is gone takes its token with it."""
        grants = {grant.digest: grant for grant in self._keyring.grants()}
        if self._fixed:
            grants |= _own(INGEST, self._fixed)
        for name, path in self._files.items():
            if self._stamps[path] != MISSING:
                grants |= _own(name, token_file.load(path))
        self._grants = grants
        self._used_s = {key: at_s for key, at_s in self._used_s.items() if key in grants}


def _own(name: str, token: str) -> dict[bytes, Grant]:
    key = digest(token.encode())
    return {key: Grant(name, OWN[name], key)}
