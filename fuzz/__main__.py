"""Coverage-guided fuzzing of one parser: ``python -m fuzz TARGET [libFuzzer options]``, or ``make fuzz``.

Needs atheris (`pip install atheris`), which has wheels for some Pythons only; the same parsers are
fuzzed by hypothesis in tests/security/test_fuzz.py, everywhere and at every `make test`.
"""

import sys
from collections.abc import Callable

import atheris

with atheris.instrument_imports(include=["laneway"]):
    from laneway.base.errors import LanewayError
    from laneway.hub.metric import Metric
    from laneway.hub.pipeline import Intake
    from laneway.model.event import normalise, parse_timestamp_ns
    from laneway.model.redact import Redactor
    from laneway.model.wire import decode_body, decode_line
    from laneway.web import filter as query_filter
    from laneway.web.auth import read_headers
    from laneway.web.body import unzip
    from laneway.web.live import Wanted

intake = Intake(Redactor(), Metric(), None)


def fuzz_body(data: bytes) -> None:
    kind = "application/x-ndjson" if data[:1] < b"\x80" else "application/json"
    for line in intake.take(decode_body(data[1:], kind)).lines:
        decode_line(line)


def fuzz_line(data: bytes) -> None:
    normalise(decode_line(data))


def fuzz_gzip(data: bytes) -> None:
    assert len(unzip(data, 1000)) <= 1000


def fuzz_query(data: bytes) -> None:
    words = data.decode("utf-8", "replace").split("&")
    items = [(name, value) for name, _, value in (word.partition("=") for word in words)]
    query_filter.to_query(query_filter.parse(items, query_filter.PAGE, query_filter.STEP))


def fuzz_time(data: bytes) -> None:
    try:
        parse_timestamp_ns(data.decode("utf-8", "replace"))
    except ValueError:
        pass


def fuzz_head(data: bytes) -> None:
    pairs = [line.partition(b":")[::2] for line in data.split(b"\n")]
    read_headers(pairs)
    Wanted({"since": data.decode("latin-1")}, data.decode("latin-1"))


TARGETS: dict[str, Callable[[bytes], None]] = {
    name.removeprefix("fuzz_"): call
    for name, call in dict(globals()).items()
    if name.startswith("fuzz_")
}


def main() -> None:
    if sys.argv[1:2] and sys.argv[1] in TARGETS:
        target = TARGETS[sys.argv.pop(1)]
    else:
        sys.exit(f"usage: python -m fuzz {'|'.join(TARGETS)} [-max_total_time=60]")

    def run(data: bytes) -> None:
        try:
            target(data)
        except LanewayError:
            pass

    atheris.Setup(sys.argv, run)
    atheris.Fuzz()


main()
