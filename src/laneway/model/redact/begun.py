"""A text that was cut somewhere else may end in the beginning of a secret, for which no rule knows it."""

from laneway.model.redact.patterns import TOKEN_RULES

TAIL_CHARS = 4_300
"""The longest beginning: a JWT whose first part is not over."""

ANCHOR_CHARS = 4
"""A shorter literal ends many a text."""

_WORD = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
_SIGNS = "".join(_WORD) + "-_+/=.%~"
_ANCHORS = ("eyJ", *(a for rule in TOKEN_RULES for a in rule.anchors if len(a) >= ANCHOR_CHARS))


def find_begun(text: str) -> int:
    """Where the secret begins that ``text`` ends within; its length where there is none."""
    tail = text[-TAIL_CHARS:]
    run = tail[len(tail.rstrip(_SIGNS)) :]
    starts = [
        at for at in map(run.find, _ANCHORS) if at >= 0 and (not at or run[at - 1] not in _WORD)
    ]
    if starts:
        return len(text) - len(run) + min(starts)
    address = tail.rpartition("://")
    user, colon, password = address[2].partition(":")
    if address[1] and colon and not any(c in "/@" or c.isspace() for c in user + password):
        return len(text) - len(password)
    return len(text)
