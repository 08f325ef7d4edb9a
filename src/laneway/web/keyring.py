"""Named tokens: what each may do, kept as hashes in ``tokens.json`` in the home.

A token has 256 random bits, so its plain SHA-256 gives nothing away: there is no list of likely
tokens to try, which is what a slow hash with a salt would hold up, and the hub checks one with
every request. The token itself is shown once and kept by whoever uses it. (``ingest.token`` and
``access.token`` are such copies: the SDK and the commands on this machine read them.)
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_urlsafe
from time import time
from typing import Any, Literal

from laneway.base.errors import EventError, Problem, QueryError, SettingError, quote
from laneway.base.limits import NAME_CHARS
from laneway.web.document import Content, Document
from laneway.web.token import TOKEN_BYTES

Scope = Literal["ingest", "read", "admin"]
SCOPES: tuple[Scope, ...] = ("ingest", "read", "admin")

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
PREFIX = "laneway_"
"""A secret scanner that finds one in a file can tell whose it is."""

INGEST, ACCESS = "ingest", "access"
OWN = {INGEST: frozenset({"ingest"}), ACCESS: frozenset(SCOPES)}
"""The tokens of this machine, each in a file of its own, and what they may do."""

GRACE_S = 3600.0
"""After a rotation the former token is taken for so long: time to hand out the new one."""

FOREVER = float("inf")


@dataclass(frozen=True, slots=True)
class Grant:
    """What the bearer of one token may do, until ``until_s`` (Unix time)."""

    name: str
    scopes: frozenset[str]
    digest: bytes = b""
    agents: frozenset[str] = frozenset()
    """The only agents it may speak for, and see; empty: any. The same for ``pods``."""
    pods: frozenset[str] = frozenset()
    until_s: float = FOREVER

    @property
    def is_bound(self) -> bool:
        return bool(self.agents or self.pods)

    def check_sender(self, agent: object, pod: object) -> None:
        """Let an event pass that claims to be of this agent and pod.

        Raises:
            EventError: the token is bound to others.
        """
        for field, value, allowed in (("agent", agent, self.agents), ("pod", pod, self.pods)):
            if allowed and value not in allowed:
                seen = "is missing" if value is None else f"{quote(value)} is another's name"
                wanted = ", ".join(sorted(allowed))
                raise EventError([Problem(field, f"{seen}; this token speaks for {wanted} only")])


def digest(token: bytes) -> bytes:
    return sha256(token).digest()


def new_token() -> str:
    return PREFIX + token_urlsafe(TOKEN_BYTES)


class Keyring:
    """The named tokens of one home."""

    def __init__(self, home: str) -> None:
        self.document = Document(f"{home}/tokens.json")

    def entries(self) -> list[Content]:
        """As they stand in the file; a token's `Grant` and more.

        Raises:
            SettingError: the file is not ours.
        """
        found = self.document.read().get("tokens", [])
        if not isinstance(found, list) or not all(map(_is_entry, found)):
            raise SettingError(
                f"{self.document.path} holds what is no list of tokens", hint="move it away"
            )
        return found

    def grants(self) -> Iterator[Grant]:
        """One for each token that is taken, former ones within their grace among them."""
        for entry in self.entries():
            scopes = OWN.get(entry["name"]) or frozenset(entry["scopes"])
            until_s = FOREVER if entry["expires"] is None else entry["expires"]
            agents, pods = frozenset(entry["agents"]), frozenset(entry["pods"])
            held = [(entry["sha256"], until_s)]
            held += [(old["sha256"], min(until_s, old["until"])) for old in entry["former"]]
            for hashed, ends_s in held:
                if hashed:
                    key = bytes.fromhex(hashed)
                    yield Grant(entry["name"], scopes, key, agents, pods, ends_s)

    def add(
        self,
        name: str,
        scopes: Iterable[str],
        *,
        agents: Iterable[str] = (),
        pods: Iterable[str] = (),
        life_s: float = 0,
    ) -> str:
        """A new token, good for ``life_s`` (0: until it is revoked).

        Raises:
            QueryError: the name is taken or no name, or a scope is none.
        """
        scopes = sorted(set(scopes), key=SCOPES.index) if set(scopes) <= set(SCOPES) else []
        if not scopes:
            raise QueryError("a token needs a scope", hint=f"one or several of {', '.join(SCOPES)}")
        if not NAME.fullmatch(name):
            raise QueryError(f"{quote(name)} is not a name of a-z, 0-9, dots and dashes")
        bound = sorted(set(agents)), sorted(set(pods))
        if any(not text or len(text) > NAME_CHARS for names in bound for text in names):
            raise QueryError(f"an agent or pod has 1 to {NAME_CHARS} characters")
        if any(bound) and "admin" in scopes:
            raise QueryError("a token of scope admin cannot be bound to agents or pods")
        token, now_s = new_token(), time()
        entry = _entry(name, scopes)
        entry |= {"agents": bound[0], "pods": bound[1], "sha256": digest(token.encode()).hex()}
        entry["expires"] = now_s + life_s if life_s else None

        def insert(tokens: list[Content]) -> None:
            if name in OWN or any(other["name"] == name for other in tokens):
                raise QueryError(
                    f"there is a token {quote(name)}",
                    hint=f"`laneway token rotate {name}` makes it anew",
                )
            tokens.append(entry)

        self._change(insert)
        return token

    def rotate(self, name: str, grace_s: float = GRACE_S) -> str:
        """A new token in place of the old one, which is taken for another ``grace_s``.

        Raises:
            QueryError: there is no such token.
        """
        token = new_token()

        def renew(tokens: list[Content]) -> None:
            entry = _find(tokens, name)
            _retire(entry, entry["sha256"], grace_s)
            entry["sha256"] = digest(token.encode()).hex()
            entry["created"] = time()

        self._change(renew)
        return token

    def keep_former(self, name: str, token: str, grace_s: float) -> None:
        """Remember that ``token``, which stood in its own file, is taken for another ``grace_s``."""

        def remember(tokens: list[Content]) -> None:
            found = [entry for entry in tokens if entry["name"] == name]
            if not found:
                found = [_entry(name, sorted(OWN[name]))]
                tokens += found
            _retire(found[0], digest(token.encode()).hex(), grace_s)

        self._change(remember)

    def revoke(self, name: str) -> None:
        """Take it, its former ones and its sessions no more.

        Raises:
            QueryError: there is no such token.
        """
        self._change(lambda tokens: tokens.remove(_find(tokens, name)))

    def _change(self, edit: Any) -> None:
        self.entries()  # complains of a file that is not ours before it is locked

        def change(content: Content) -> None:
            edit(content.setdefault("tokens", []))

        self.document.change(change)


def _entry(name: str, scopes: list[str]) -> Content:
    bounds: Content = {"agents": [], "pods": [], "expires": None}
    made: Content = {"name": name, "scopes": scopes, "created": time()}
    return {**made, **bounds, "sha256": "", "former": []}


def _find(tokens: list[Content], name: str) -> Content:
    for entry in tokens:
        if entry["name"] == name and entry["sha256"]:
            return entry
    raise QueryError(f"there is no token {quote(name)}", hint="`laneway token list` shows them")


def _retire(entry: Content, hashed: str, grace_s: float) -> None:
    """Put a hash among the former ones, and drop those whose grace is over."""
    now_s = time()
    kept = [old for old in entry["former"] if old["until"] > now_s]
    if hashed and grace_s > 0:
        kept.append({"sha256": hashed, "until": now_s + grace_s})
    entry["former"] = kept


HASH = re.compile(r"([0-9a-f]{64})?")


def _is_entry(entry: object) -> bool:
    """Whether nothing in it would be misread; a hand may have been at the file."""
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("name"), str)
        and _are_texts(entry.get("scopes"))
        and set(entry["scopes"]) <= set(SCOPES)
        and _are_texts(entry.get("agents"))
        and _are_texts(entry.get("pods"))
        and "expires" in entry
        and isinstance(entry["expires"], (int, float, type(None)))
        and _is_hash(entry.get("sha256"))
        and isinstance(entry.get("former"), list)
        and all(map(_is_former, entry["former"]))
    )


def _is_former(old: object) -> bool:
    return (
        isinstance(old, dict)
        and _is_hash(old.get("sha256"))
        and isinstance(old.get("until"), (int, float))
    )


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and HASH.fullmatch(value) is not None


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
