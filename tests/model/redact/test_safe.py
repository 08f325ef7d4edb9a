"""A user's pattern is linear in the text, or it is refused with what to install."""

import re
import sys

import pytest

from laneway.model.redact.safe import (
    MOST_CHARS,
    PatternError,
    compile_safe,
    literal_prefix,
    rewrite,
)

SIMPLE = {
    "acme_[a-z0-9]{32}": "acme_[a-z0-9]{32}",
    "[a-z]{2,8}[0-9]{4}": "[a-z]{2,8}+[0-9]{4}",
    "x?y": "x?+y",
    r"\bINT-[0-9]{3,5}\b": r"\bINT-[0-9]{3,5}+\b",
    "[]x]{2,3}y": "[]x]{2,3}+y",
    r"tok-(\w{8,16});": r"tok-(\w{8,16}+);",
    r"a\?b{1,2}c": r"a\?b{1,2}+c",
    "[^ ]{3,9} end": "[^ ]{3,9}+ end",
}
NOT_SIMPLE = [
    *("(a+)+b", "[a-z]{2,8}[a-z]x", "foo.{0,10}bar", "a{2,}", "a*b", "(?:ab){2,3}", "ab|cd"),
    *("(?i)abc", f"a{{1,{MOST_CHARS + 1}}}b", "x{1,3}?y", "[^a]{1,3}é", r"\w{1,9}?"),
]


@pytest.mark.parametrize(("pattern", "rewritten"), SIMPLE.items())
def test_a_simple_pattern_gives_nothing_back(pattern: str, rewritten: str) -> None:
    assert rewrite(pattern) == rewritten


@pytest.mark.parametrize("pattern", NOT_SIMPLE)
def test_whatever_could_go_on_in_two_ways_is_not_simple(pattern: str) -> None:
    assert rewrite(pattern) == ""


@pytest.mark.parametrize("pattern", SIMPLE)
def test_a_simple_pattern_means_the_same_as_written(pattern: str) -> None:
    texts = ("acme_" + "a1" * 16, "abc1234", "y xy xxy", "INT-12 INT-1234 INT-123456",
             "]]xy", "tok-abcdefgh; tok-abc;", "a?bbc", "abc end")  # fmt: skip

    for text in texts:
        spans = [found.span() for found in compile_safe(pattern).finditer(text)]
        assert spans == [found.span() for found in re.finditer(pattern, text)]


@pytest.mark.parametrize("pattern", ["(a+)+b", "foo.{0,10}bar", "ab|cd", "(?i)abc"])
def test_other_patterns_run_on_re2(pattern: str) -> None:
    found = compile_safe(pattern).search("xx aab foo 1 bar ABC cd")

    assert found is not None
    assert "re2" in type(found).__module__


def test_without_re2_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "re2", None)

    assert compile_safe("acme_[a-z0-9]{32}")
    with pytest.raises(PatternError) as caught:
        compile_safe("(a+)+b")

    assert "laneway[re2]" in caught.value.hint


@pytest.mark.parametrize("pattern", ["(", "[a", "a{9999}", "x{0,3}", "", "(?<=a)b", r"(a)\1"])
def test_what_is_no_pattern_or_takes_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        compile_safe(pattern)


@pytest.mark.parametrize(
    ("pattern", "prefix"),
    [("acme_[a-z]{3}", "acme_"), (r"a\?b{1,2}", "a?"), ("(?i)abc", ""), ("[ab]c", "")],
)
def test_the_literal_that_a_match_begins_with(pattern: str, prefix: str) -> None:
    assert literal_prefix(pattern) == prefix
