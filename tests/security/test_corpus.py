"""Every input that the fuzzers begin with, and every one that once broke a parser, at every run."""

import pytest

from fuzz.target import CORPUS, TARGETS, run

FILES = sorted(path for path in CORPUS.rglob("*") if path.is_file())


def test_every_target_has_something_to_begin_with() -> None:
    assert {path.parent.name for path in FILES} == set(TARGETS)


@pytest.mark.parametrize("name", TARGETS)
def test_what_once_broke_a_parser_does_so_no_more(name: str) -> None:
    for path in FILES:
        if path.parent.name == name:
            run(TARGETS[name], path.read_bytes())
