"""Coverage-guided fuzzing of one parser: ``python -m fuzz TARGET [libFuzzer options]``, or ``make fuzz``.

Begins with what is in ``fuzz/corpus/TARGET``. Needs atheris (`pip install atheris`), which has wheels for
some Pythons only; some of the parsers are fuzzed by hypothesis in tests/security/test_fuzz.py as well,
everywhere and at every `make test`.
"""

import sys
from functools import partial
from tempfile import TemporaryDirectory

import atheris

with atheris.instrument_imports(include=["laneway"]):
    from fuzz.target import CORPUS, TARGETS, run


def main() -> None:
    name = sys.argv.pop(1) if len(sys.argv) > 1 else ""
    if name not in TARGETS:
        sys.exit(f"usage: python -m fuzz {'|'.join(TARGETS)} [-max_total_time=60]")
    with TemporaryDirectory(prefix="laneway-corpus-") as grown:  # what is found new goes there
        atheris.Setup([*sys.argv, grown, str(CORPUS / name)], partial(run, TARGETS[name]))
        atheris.Fuzz()


main()
