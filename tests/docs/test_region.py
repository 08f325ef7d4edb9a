"""What programs write into pages."""

import pytest

from tools.region import names, put

PAGE = """# A page
<!-- made: x -->
old
<!-- end -->
between
<!-- made: y -->
<!-- end -->
after
"""


def test_only_the_named_part_is_written() -> None:
    assert names(PAGE) == ["x", "y"]
    assert put(PAGE, "x", "new\n") == PAGE.replace("old", "new")
    assert put(PAGE, "y", r"a \1 b") == PAGE.replace("made: y -->\n", "made: y -->\na \\1 b\n")


def test_a_part_that_is_not_there_is_told() -> None:
    with pytest.raises(ValueError, match="no part <!-- made: z -->"):
        put(PAGE, "z", "")
