"""Finds secrets in a text. First a sieve that lets clean text through in about a microsecond a
hundred characters; patterns run only at the anchors that are there.

The sieve may hold back what is clean, never let pass what a rule would match.
"""

import re

from laneway.model.redact.judge import CHECKS, is_assigned, is_placeholder
from laneway.model.redact.patterns import (
    BASE64_CHARS,
    BEFORE_CHARS,
    HEX_ANCHORS,
    PATH_RULES,
    RUN_CHARS,
    SPLIT_ANCHORS,
    TOKEN_RULES,
    WORD_RULES,
    Rule,
)
from laneway.model.redact.sieve import (
    LONG_CHARS,
    Tokens,
    base64_runs,
    holds,
    load_automaton,
    token_runs,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence

    Present = Callable[[bytes], set[str]]
    Automatons = tuple[Present | None, ...]

Span = tuple[int, int, str]
"""Start, end and the name of the rule."""

_TOKEN_CHARS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_CLASSES = bytes(97 if code in _TOKEN_CHARS else 32 for code in range(256))
_RUN = "a" * RUN_CHARS
_HEX_OR_DASH = b"0123456789abcdefABCDEF-"
_HEX_ANCHORS = tuple(anchor.encode() for anchor in HEX_ANCHORS)
_WORD_CHARS = frozenset(_TOKEN_CHARS[:62].decode())
_TOKEN_SIGNS = frozenset(_TOKEN_CHARS.decode())
_DIGITS = frozenset("0123456789")

_TOKENS = {anchor: rule for rule in TOKEN_RULES for anchor in rule.anchors}
_PATHS = {anchor: rule for rule in PATH_RULES for anchor in rule.anchors}
_WORDS = {anchor: rule for rule in WORD_RULES for anchor in rule.anchors}
_TOKEN_ANCHORS = tuple(
    sorted(_TOKENS, key=len, reverse=True)
)  # of two that match alike, the first names it
_PATH_ANCHORS = tuple(_PATHS)
_WORD_ANCHORS = tuple(_WORDS)

_ASSIGNED = r"(?:[-_]?(?:access[-_]?)?key)?+(?:\\t|[\s\\\"'`]){0,12}+[:=]"
_PASS = re.compile(rf"pass(?:w|phrase|{_ASSIGNED})")
_TOKEN = re.compile(f"token{_ASSIGNED}")
_BASIC = re.compile("basic [A-Za-z0-9+/]{8}")
_KEY_KINDS = ("api", "access", "secret", "private", "signing", "encryption", "master", "shared",
              "account", "auth", "service", "ssh", "webhook", "subscription")  # fmt: skip

_NEEDLES = (
    "secret", "authorization", "credential", "bearer ", "pwd", "-----begin ", "q~", "absk", "[cut: ",
    "curl", "-u ", "--user ", "pass", "token", "--token", "key", "basic ",
    "atatt3", "atctt3", "atbb",
    "://", "cookie", "sig=", "signature=", "dsn", "connection", "string", "jdbc:oracle", "webhookb2",
)  # fmt: skip
"""Every word that `has_word` asks for in a text with signs."""

DENSE_CHARS = 1024
"""From here on one look for all words costs less than one for each: 4 µs a KB instead of 20 to 35. (In prose
few are looked for, and one by one is as cheap.)"""

RUNS_SHIFT = 9
"""With more than two long runs a KB, one look for all anchors of tokens costs less than one at each run."""

_ESCAPE = re.compile(r"(?:%[0-9A-Fa-f]{2}|\x1b\[[0-9;]{0,8}m)\Z")
_BASE64 = re.compile(f"[A-Za-z0-9+/]{{{BASE64_CHARS},}}+")

_tokens_of_runs = Tokens(_TOKENS)
_automatons: "list[Automatons]" = []  # loaded with the first text of `DENSE_CHARS`
_compiled: "dict[str, re.Pattern[str]]" = {}


def has_word(low: str) -> bool:
    """Whether lower-case ``low`` holds a word or sign that a rule or a secret name begins or ends with."""
    if not (
        ":" in low
        or "=" in low
        or ("-" in low and "--" in low)  # prose mostly has neither: one sign is found at once
        or ">" in low
        or "~" in low
    ):
        return (  # prose: only these need no sign
            "bearer " in low
            or (("+" in low or "/" in low) and "absk" in low)
            or (("/" in low or "%" in low) and "webhookb2" in low)
            or ("basic " in low and _BASIC.search(low) is not None)
            or ("login " in low and "passw" in low)
        )
    hay = low if len(low) < DENSE_CHARS else _needles_of(low)
    return (
        "secret" in hay
        or "authorization" in hay
        or "credential" in hay
        or "bearer " in hay
        or "pwd" in hay
        or "-----begin " in hay
        or "q~" in hay
        or (("+" in low or "/" in low) and "absk" in hay)
        or (("/" in low or "%" in low) and "webhookb2" in hay)
        or ("]" in low and "[cut: " in hay)
        or ("curl" in hay and ("-u " in hay or "--user " in hay))
        or ("pass" in hay and _PASS.search(low) is not None)
        or ("token" in hay and (_TOKEN.search(low) is not None or "--token" in hay))
        or ("key" in hay and _has_key_kind(low))
        or ("basic " in hay and _BASIC.search(low) is not None)
        or (("=" in low or "@" in low) and _has_word_of_signs(hay))
    )


def _has_word_of_signs(hay: "Container[str]") -> bool:
    """The words whose secrets hold ``=`` or ``@``: cookies, signatures, addresses with passwords, and the
    anchors of tokens that ``=`` may split."""
    return (
        "atatt3" in hay
        or "atctt3" in hay
        or "atbb" in hay
        or "://" in hay
        or "cookie" in hay
        or "sig=" in hay
        or "signature=" in hay
        or "dsn" in hay
        or ("connection" in hay and "string" in hay)
        or "jdbc:oracle" in hay
    )


def _needles_of(low: str) -> "Container[str]":
    """Which of `_NEEDLES` stand in ``low``, by one look at it; the text itself without the library."""
    automaton = load_automatons()[2]
    return low if automaton is None else automaton(low.encode("latin-1", "replace"))


def _has_key_kind(low: str) -> bool:
    at = low.find("key")
    while at > 0:
        end = at - 1 if low[at - 1] in "-_. " else at
        if low.endswith(_KEY_KINDS, 0, end):
            return True
        at = low.find("key", at + 3)
    return False


def long_runs(data: bytes) -> list[str]:
    """The runs of `RUN_CHARS` token characters and more, but for UUIDs and hex digests.

    Each comes with the `BEFORE_CHARS` before it, where the anchors with a dot or colon stand.
    """
    return _long_runs(data, len(data)) or []


def _long_runs(data: bytes, most: int) -> list[str] | None:
    """`long_runs`; None where there are more than ``most``, UUIDs and digests with them."""
    classes = data.translate(_CLASSES).decode("latin-1")
    found: list[str] = []
    at = classes.find(_RUN)
    while at >= 0:
        if most <= 0:
            return None
        most -= 1
        end = classes.find(" ", at)
        if end < 0:
            end = len(data)
        if data[at:end].strip(_HEX_OR_DASH) or data.startswith(_HEX_ANCHORS, at):
            found.append(data[max(at - BEFORE_CHARS, 0) : end].decode("latin-1"))
        at = classes.find(_RUN, end)
    return found


def has_token(runs: "Sequence[str]", text: str) -> bool:
    """Whether the runs of ``text`` hold an anchor, or base64 of a text, which may."""
    return bool(
        _anchors_in(" ".join(runs))
        or [anchor for anchor in _PATH_ANCHORS if anchor in text]
        or (any(map(may_be_base64, runs)) and _has_text_in_base64(text))
    )


def _has_text_in_base64(text: str) -> bool:
    """Whether what is shaped like base64 is that of a text: an image or a digest is not, nor a long name.
    Behind an escape of JSON nobody can tell where it begins."""
    return "\\" in text or any(
        _try_decode(found[0]) is not None for found in _BASE64.finditer(text)
    )


def _anchors_in(joined: str) -> "set[str] | list[str]":
    """By the automaton, where a longer text has loaded it: 5 ms are much for a process of a few events."""
    automaton = _automatons[0][1] if _automatons else None
    if automaton is not None:
        return automaton(joined.encode("latin-1", "replace"))
    return [anchor for anchor in _TOKEN_ANCHORS if anchor in joined]


def may_hold_token(text: str) -> bool:
    """The sieve for tokens: `has_token` of the long runs.

    Looking at each run is cheap while there are few; an access log is full of ids.
    """
    data = text.encode("latin-1", "replace")
    most = len(data)
    if most >= DENSE_CHARS and is_looked_at_once(text):
        most >>= RUNS_SHIFT
    runs = _long_runs(data, most)
    if runs is None:
        return bool(_present(text, data)) or bool(base64_runs(data))
    return bool(runs) and has_token(runs, text)


def holds_token(text: str) -> bool:
    """Whether a rule matches in a text in which `has_word` finds nothing."""
    if not is_looked_at_once(text):
        return bool(find_spans(text))
    data = text.encode("latin-1", "replace")
    present = _present(text, data)
    if present and _match_present(text, present):
        return True
    return any(True for _ in _find_base64(text, base64_runs(data)))


def may_be_base64(run: str) -> bool:
    return len(run) >= BASE64_CHARS and any(
        found[0].strip("0123456789abcdefABCDEF") for found in _BASE64.finditer(run)
    )


def is_looked_at_once(text: str) -> bool:
    """Whether one look for all anchors costs less than a sieve before it, and is to be had."""
    return len(text) >= DENSE_CHARS and load_automatons()[0] is not None


def find_spans(text: str) -> list[Span]:
    """Every secret in ``text``, in order and without overlap."""
    low = text.lower()
    if len(low) != len(text):  # U+0130 alone grows in lower case
        low = text.replace("\u0130", "I").lower()
    if len(text) >= LONG_CHARS or is_looked_at_once(text):
        return _without_overlap(_find_in_long(text, low))
    runs = long_runs(text.encode("latin-1", "replace")) if len(text) >= RUN_CHARS else []
    spans = _find_words(text, low) if has_word(low) else []
    split = [anchor for anchor in SPLIT_ANCHORS if anchor in text]
    if runs or split:
        spans += _find_tokens(text, " ".join([*runs, *split]))
        if any(map(may_be_base64, runs)):
            spans += _find_base64(text, [found.span() for found in _BASE64.finditer(text)])
    return _without_overlap(spans)


def may_hold(text: str, data: bytes) -> bool:
    """Whether any rule could match in a long ``text``, of which ``data`` are the bytes."""
    return has_word(text.lower()) or bool(_present(text, data)) or bool(base64_runs(data))


def _present(text: str, data: bytes) -> set[str]:
    """The anchors of tokens and of paths in ``text``, of which ``data`` are the bytes."""
    automaton = load_automatons()[1]
    if automaton is not None:
        return automaton(data)
    found = _tokens_of_runs.present(text, token_runs(data))
    found.update(anchor for anchor in _PATH_ANCHORS if holds(text, anchor))
    return found


def load_automatons() -> "Automatons":
    """For the anchors of words, for those of tokens and paths, and for `_NEEDLES`. 5 ms, once.

    None without the library.
    """
    if not _automatons:
        sets = _WORD_ANCHORS, _TOKEN_ANCHORS + _PATH_ANCHORS, _NEEDLES
        _automatons.append(tuple(map(load_automaton, sets)))
    return _automatons[0]


def _find_in_long(text: str, low: str) -> list[Span]:
    """`find_spans` for a text of `LONG_CHARS` and more, where looking for each anchor would cost most."""
    data = text.encode("latin-1", "replace")
    automaton = load_automatons()[0]
    words: set[str] = set()
    if automaton is not None:
        words = automaton(low.encode("latin-1", "replace"))
    elif has_word(low):
        words = {anchor for anchor in _WORD_ANCHORS if holds(low, anchor)}
    present = _present(text, data)
    spans = _match_words(text, low, [anchor for anchor in _WORD_ANCHORS if anchor in words])
    if present:
        spans += _match_present(text, present)
    return spans + list(_find_base64(text, base64_runs(data)))


def _find_words(text: str, low: str) -> list[Span]:
    words: Container[str] = low
    automaton = load_automatons()[0] if len(low) >= DENSE_CHARS else None
    if automaton is not None:
        words = automaton(low.encode("latin-1", "replace"))
    return _match_words(text, low, [anchor for anchor in _WORD_ANCHORS if anchor in words])


def _match_words(text: str, low: str, anchors: "Sequence[str]") -> list[Span]:
    return [span for anchor in anchors for span in _match(text, low, anchor, _WORDS[anchor])]


def _find_tokens(text: str, hay: str) -> list[Span]:
    """``hay`` is where the anchors of tokens are looked for: the long runs of ``text``."""
    tokens = [anchor for anchor in _TOKEN_ANCHORS if anchor in hay]
    return _match_tokens(text, tokens, [anchor for anchor in _PATH_ANCHORS if anchor in text])


def _match_present(text: str, present: set[str]) -> list[Span]:
    tokens = [anchor for anchor in _TOKEN_ANCHORS if anchor in present]
    return _match_tokens(text, tokens, [anchor for anchor in _PATH_ANCHORS if anchor in present])


def _match_tokens(text: str, tokens: "Sequence[str]", paths: "Sequence[str]") -> list[Span]:
    return [
        *(span for anchor in tokens for span in _match(text, text, anchor, _TOKENS[anchor])),
        *(span for anchor in paths for span in _match(text, text, anchor, _PATHS[anchor])),
    ]


def _match(text: str, hay: str, anchor: str, rule: Rule) -> "Iterator[Span]":
    pattern = _compile(rule)
    at = hay.find(anchor)
    while at >= 0:
        found = None
        start = at + len(anchor)
        if _may_begin(text, at, rule.before):
            found = pattern.match(text, start)
        if found is not None:
            group = next((i for i in range(1, pattern.groups + 1) if found[i] is not None), 0)
            begin = found.start(group) if group else _begin(text, at, rule.back)
            value = text[begin : found.end()] if rule.back else found[group]
            if _is_secret(rule, text[at:start], value, group):
                yield begin, found.end(group), rule.name
                start = found.end(group)
            elif rule.check in ("random", "mixed") and not is_placeholder(found[group]):
                # A secret that began in the first half would have made the whole look random.
                # Without the leap, a text of nothing but anchors is read a hundred times over.
                start = max(start, (at + found.end(group)) // 2)
        at = hay.find(anchor, start)


def _begin(text: str, at: int, back: int) -> int:
    """Where the token with the anchor at ``at`` begins, at most ``back`` characters before."""
    end = max(at - back, 0)
    while at > end and text[at - 1] in _TOKEN_SIGNS:
        at -= 1
    return at


def _is_secret(rule: Rule, anchor: str, value: str, group: int) -> bool:
    if rule.name == "assignment" and rule.check == "password":
        return is_assigned(value, anchor, quoted=group == 1)
    return CHECKS[rule.check](value)


def _compile(rule: Rule) -> "re.Pattern[str]":
    """Compiled at the first hit: sixty patterns at import would cost 20 ms."""
    pattern = _compiled.get(rule.tail)
    if pattern is None:
        pattern = _compiled[rule.tail] = re.compile(rule.tail)
    return pattern


def _may_begin(text: str, at: int, before: str) -> bool:
    """Whether a rule's anchor may stand at ``at``; ``%3D`` and a terminal's ``ESC[31m`` are no word."""
    if not before or at == 0:
        return before != "digit"
    if before == "digit":
        return text[at - 1] in _DIGITS
    return text[at - 1] not in _WORD_CHARS or _ESCAPE.search(text, max(at - 12, 0), at) is not None


def _find_base64(text: str, runs: "Sequence[tuple[int, int]]") -> "Iterator[Span]":
    for start, end in runs:
        inner = _try_decode(text[start:end])
        if inner is None:
            continue
        low = inner.lower()
        if len(inner) >= LONG_CHARS and len(low) == len(inner):
            spans = _find_in_long(inner, low)
        else:
            spans = _find_tokens(inner, inner) or (
                _find_words(inner, low) if len(low) == len(inner) else []
            )
        if spans:
            padding = text[end : end + 2]
            yield start, end + len(padding) - len(padding.lstrip("=")), spans[0][2]


def _try_decode(run: str) -> str | None:
    """The text in a run of base64, None where there is none."""
    from binascii import Error, a2b_base64

    run = run[:-1] if len(run) % 4 == 1 else run
    try:
        return a2b_base64(run + "=" * (-len(run) % 4)).decode()
    except (Error, UnicodeDecodeError):
        return None


def _without_overlap(spans: list[Span]) -> list[Span]:
    """Of spans that overlap, the one that begins first, and of those the longest."""
    if len(spans) < 2:
        return spans
    kept: list[Span] = []
    for span in sorted(spans, key=lambda span: (span[0], -span[1])):
        if kept and span[0] < kept[-1][1]:
            if span[1] > kept[-1][1]:
                kept[-1] = (kept[-1][0], span[1], kept[-1][2])
        else:
            kept.append(span)
    return kept
