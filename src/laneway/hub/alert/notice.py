"""What a receiver is told of a rule's turn, and how it knows that we said it."""

import hashlib
import hmac
from typing import NamedTuple

import orjson

from laneway import __version__
from laneway.base.clock import format_ns
from laneway.base.ids import new_event_id
from laneway.base.settings import Settings
from laneway.hub.alert.evaluator import Transition

TEXT_CHARS = 500


class Notice(NamedTuple):
    """What is sent: small, redacted, and the same bytes at every try."""

    id: str
    body: bytes

    @classmethod
    def of(cls, turn: Transition, text: str, settings: Settings) -> "Notice":
        """``text`` is redacted already; names of agents and spans are in it, and nowhere else."""
        notice_id = new_event_id()
        told = {
            "id": notice_id,
            "type": "alert",
            "state": turn.state,
            "rule": {"id": turn.rule.id, "kind": turn.rule.kind},
            "text": text[:TEXT_CHARS],
            "value": turn.value,
            "threshold": turn.rule.threshold,
            "at": format_ns(turn.at_ns),
            "since": format_ns(turn.began_ns or turn.at_ns),
        }
        if settings.pod:
            told["pod"] = settings.pod
        if settings.public_url:
            told["link"] = f"{settings.public_url}/logs?alert={turn.rule.id}"
        return cls(notice_id, orjson.dumps(told))


def sign(notice: Notice, key: bytes, at_s: int) -> dict[str, str]:
    """The headers of a notice. The signature is over ``TIME.BODY``: an old one cannot be sent again."""
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"laneway/{__version__}",
        "Laneway-Delivery": notice.id,
    }
    if key:
        mac = hmac.new(key, b"%d.%b" % (at_s, notice.body), hashlib.sha256).hexdigest()
        headers["Laneway-Signature"] = f"t={at_s},v1={mac}"
    return headers
