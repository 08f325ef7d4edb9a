"""The subject of an event: one token for its pod and one for its agent, whatever characters they hold.

Consumers may filter by them (``laneway.shop.*``); the event itself stands in the message, so that
nothing is ever read back out of a subject.
"""

import re
from hashlib import blake2b

SAFE = re.compile(rb"[A-Za-z0-9_-]")
PLAIN = re.compile(r"[A-Za-z0-9_-]{1,120}")
"""Most names, and all ids that we make: they stay as they are."""

NOT_GIVEN = "="
"""Stands for an empty name: no name encodes to it."""

TOKEN_CHARS = 120
"""Longer tokens are cut and told apart by a hash: servers take control lines of 4 KB, and show subjects."""

STREAM_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""The first token of every subject, too."""


def subject_of(stream: str, pod: str, agent: str) -> str:
    return f"{stream}.{encode_name(pod)}.{encode_name(agent)}"


def encode_name(name: str) -> str:
    """A subject token; two names never share one. Other bytes are written ``=XX``, as in quoted-printable."""
    if PLAIN.fullmatch(name):
        return name
    if not name:
        return NOT_GIVEN
    data = name.encode("utf-8", "surrogatepass")
    token = "".join(chr(byte) if SAFE.match(bytes([byte])) else f"={byte:02X}" for byte in data)
    if len(token) <= TOKEN_CHARS:
        return token
    return f"{token[:TOKEN_CHARS]}=-{blake2b(data, digest_size=12).hexdigest()}"
