"""The patterns beside the pack (sieve, names, marks, personal data, users') are linear in the text, too."""

import re
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from types import ModuleType

import pytest

from laneway.model import cut
from laneway.model.redact import judge, keys, mark, personal, scan, sieve
from laneway.model.redact.safe import rewrite
from tests.model.redact.test_patterns import repeats
from tests.model.redact.test_safe import SIMPLE

MOST_WAYS = 64
"""Ways to go on from one start, all backtrackable repeats taken together."""

COMPILED = {
    f"{module.__name__.rpartition('.')[2]}.{name}": value.pattern
    for module in (cut, judge, keys, mark, personal, scan, sieve)
    for name, value in vars(module).items()
    if isinstance(module, ModuleType) and isinstance(value, re.Pattern)
}
NAMES = {f"keys.{rule}": f"(?:{pattern})$" for rule, _, _, pattern in keys._NAMES}
NAMES["keys._HARMLESS"] = keys._HARMLESS


@pytest.mark.parametrize("pattern", (COMPILED | NAMES).values(), ids=COMPILED | NAMES)
def test_a_pattern_has_few_ways_to_go_on_and_takes_all_that_has_no_bound_for_good(
    pattern: str,
) -> None:
    ways = 1
    for kind, least, most in repeats(parser.parse(pattern)):
        if kind is not sre.POSSESSIVE_REPEAT:
            assert most is not sre.MAXREPEAT, "a repeat without a bound that gives back"
            ways *= int(most) - int(least) + 1

    assert ways <= MOST_WAYS


def test_the_patterns_are_found_where_they_stand() -> None:
    assert {
        "mark._MARK",
        "scan._PASS",
        "sieve._SGR_END",
        "personal._CARD",
    } <= set(COMPILED)


@pytest.mark.parametrize("pattern", SIMPLE)
def test_a_users_pattern_gives_nothing_back(pattern: str) -> None:
    for kind, least, most in repeats(parser.parse(rewrite(pattern))):
        assert kind is sre.POSSESSIVE_REPEAT or least == most
