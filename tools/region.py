"""The parts of a page that a program writes: between ``<!-- made: NAME -->`` and ``<!-- end -->``.

`tools/reference.py` makes most of them from the code; figures, the table of frameworks and the rules of
redaction take a run to make, and are written by those who make them.
"""

import re

REGION = re.compile(r"(<!-- made: ([\w-]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def names(page: str) -> list[str]:
    """What is made on ``page``, from top to bottom."""
    return [found[2] for found in REGION.finditer(page)]


def put(page: str, name: str, text: str) -> str:
    """``page`` with ``text`` as its part ``name``; the rest stays.

    Raises:
        ValueError: it has no such part.
    """
    if name not in names(page):
        raise ValueError(f"no part <!-- made: {name} --> … <!-- end -->")
    body = text.rstrip("\n") + "\n"
    return REGION.sub(
        lambda found: f"{found[1]}{body}{found[4]}" if found[2] == name else found[0], page
    )
