"""The fenced blocks of the documents, and the commands in them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "examples").glob("*/README.md")),
]
FENCE = re.compile(r"^```([a-z]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks() -> Iterator[Block]:
    for path in PAGES:
        page = path.read_text()
        for found in FENCE.finditer(page):
            line = page.count("\n", 0, found.start()) + 1
            yield Block(str(path.relative_to(ROOT)), line, found[1], found[2])


def commands(block: Block) -> list[str]:
    """The commands of a block of shell, or those behind a ``$`` of a picture of a terminal."""
    joined = block.text.replace("\\\n", " ")
    lines = [line.strip() for line in joined.splitlines()]
    if block.language == "sh":
        return [line for line in lines if line and not line.startswith("#")]
    if block.language == "":
        shown = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        return shown or [line for line in lines if line.startswith("laneway ")]
    return []
