"""What redaction costs, beside the encoder in the same run. ``python bench/redact.py``

Each figure is the best of many short runs, so that a busy machine does not blur it;
read the ratios first, for they hold on other machines.
"""

import random
import string
import timeit
from base64 import b64encode
from collections.abc import Callable, Iterator
from functools import partial

import orjson

from bench.table import machine, show, sized
from laneway.model.encode import encode
from laneway.model.event import normalise
from laneway.model.redact import Redactor
from laneway.model.redact.patterns import PATH_RULES, TOKEN_RULES, WORD_RULES
from laneway.model.redact.scan import find_spans
from laneway.model.wire import decode_line, encode_redacted

ROUNDS, FEW = sized((20, 5), (1, 1))

SECRET = "gh" + "p_" + "aB3dE6gH9" * 4
PROSE = (
    "The config loader is defined in src/app/config.py and reads the environment first, then the file "
    "in the home directory; the planner asked for 3 files and the tests of the loader pass. "
)


def event_of(content: str) -> dict[str, object]:
    return {
        "timestamp": "2026-11-23T18:22:33.000123Z",
        "agent": "researcher",
        "event": "llm_response",
        "id": "0192f0c1-7a3b-7c4d-8e5f-0123456789ab",
        "session_id": "s-2026-11-23-1",
        "model": "qwen3-8b",
        "content": content,
        "duration_ms": 12.5,
        "input_tokens": 120,
        "output_tokens": 33,
    }


def best_us(call: Callable[[], object], rounds: int) -> float:
    number = max(1, int(0.002 / max(timeit.timeit(call, number=1), 1e-7)))
    return min(timeit.repeat(call, number=number, repeat=rounds)) / number * 1e6


def row_of(name: str, us: float, base_us: float, size: int = 0) -> dict[str, object]:
    per_kb = us / size * 1024 if size else "-"
    return {"text": name, "µs": us, "of orjson.dumps": us / base_us, "µs a KB": per_kb}


def sample_anchor() -> str:
    """Every anchor of the pack, again and again: the sieve holds nothing back and no rule matches."""
    anchors = [
        anchor for rule in (*TOKEN_RULES, *PATH_RULES, *WORD_RULES) for anchor in rule.anchors
    ]
    return "".join(anchors)


def hostile() -> dict[str, str]:
    """Texts that make patterns start as often, and run as far, as they can."""
    letters = random.Random(7).choices(string.ascii_letters + string.digits, k=1 << 14)
    return {
        "all anchors": sample_anchor(),
        "one anchor": "sk-",
        "assignments": "password=",
        "addresses": "://a:",
        "keys that never end": "-----BEGIN PRIVATE KEY-----",
        "tokens that almost are": "eyJ" + "a" * 40 + " ",
        "quotes": '"password": "',
        "base64": "".join(letters),
        "random": "".join(chr(random.Random(i).randrange(32, 127)) for i in range(4096)),
    }


def large() -> dict[str, str]:
    """A megabyte each of what tools give back."""
    draw = random.Random(3)
    letters = string.ascii_letters + string.digits
    uuid = lambda: f"{draw.getrandbits(32):08x}-4d1b-4c1b-8d1b-{draw.getrandbits(48):012x}"  # noqa: E731
    pieces: dict[str, Callable[[], str]] = {
        "prose": lambda: PROSE,
        "rows of numbers": lambda: (
            f"{draw.random()},{draw.randrange(10**6)},{draw.randrange(99)}\n"
        ),
        "JSON rows": lambda: (
            f'{{"id": "{uuid()}", "path": "/usr/lib/x{draw.randrange(999)}.py"}}\n'
        ),
        "an access log": lambda: (
            f"2026-11-23T18:22:33Z INFO GET /api/events/{uuid()}?limit=10 200\n"
        ),
        "web page": lambda: (
            f'<a class="btn btn-large-{draw.randrange(9)}" href="/en/p{draw.random()}.html">\n'
        ),
        "base64": lambda: b64encode(draw.randbytes(48 * 1024)).decode(),
        "call ids": lambda: f"call_{''.join(draw.choices(letters, k=24))} ",
    }
    return {name: "".join(iter_until(piece, 1 << 20)) for name, piece in pieces.items()}


def iter_until(piece: Callable[[], str], size: int) -> Iterator[str]:
    while size > 0:
        text = piece()
        size -= len(text)
        yield text


def small_rows(redactor: Redactor) -> list[dict[str, object]]:
    small = event_of(PROSE[:110])
    line = encode(small)
    dirty = event_of(f"{PROSE[:110]} {SECRET}")
    calls: dict[str, Callable[[], object]] = {
        "orjson.dumps": lambda: orjson.dumps(small),
        "encode": lambda: encode(small),
        "redact_line": lambda: redactor.redact_line(small, line),
        "encode_redacted": lambda: encode_redacted(small, redactor),
        "normalise": lambda: normalise(small),
        "decode + normalise + redact + encode": lambda: encode_redacted(
            normalise(decode_line(line))[0], redactor
        ),
        "encode_redacted, one secret": lambda: encode_redacted(dirty, redactor),
    }
    times = {name: best_us(call, 3 * ROUNDS) for name, call in calls.items()}
    return [row_of(name, us, times["orjson.dumps"]) for name, us in times.items()]


def redacted_rows(
    redactor: Redactor, texts: dict[str, str], rounds: int
) -> list[dict[str, object]]:
    rows = []
    for name, text in texts.items():
        event = event_of(text)
        base = best_us(partial(orjson.dumps, event), rounds)
        cost = best_us(partial(encode_redacted, event, redactor), rounds)
        rows.append(row_of(name, cost, base, len(text)))
    return rows


def scanned_rows(texts: dict[str, str]) -> list[dict[str, object]]:
    rows = []
    for name, text in texts.items():
        base = best_us(partial(orjson.dumps, text), FEW)
        cost = best_us(partial(find_spans, text), FEW)
        rows.append(row_of(name, cost, base, len(text)))
    return rows


def main() -> None:
    redactor = Redactor()
    show(
        f"A clean event of {len(encode(event_of(PROSE[:110])))} bytes ({machine()})",
        small_rows(redactor),
    )
    long = {"clean prose": PROSE * 60, "prose with a secret": PROSE * 60 + SECRET}
    show("Events with 11 KB", redacted_rows(redactor, long, ROUNDS))
    texts = large()
    show(
        "Events with 4 KB", redacted_rows(redactor, {k: v[:4096] for k, v in texts.items()}, ROUNDS)
    )
    show("Texts of 1 MB", scanned_rows(texts))
    bad = {name: (piece * (65_536 // len(piece) + 1))[:65_536] for name, piece in hostile().items()}
    show("Hostile texts of 64 KB", redacted_rows(redactor, bad, 2))


if __name__ == "__main__":
    main()
