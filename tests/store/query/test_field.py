import re
from pathlib import Path

from laneway.store.query.field import ENTRIES, OTHER_WORDS

COMPLETION = Path(__file__).parents[3] / "ui/src/features/filter/completion.ts"


def test_the_dashboard_completes_every_field_and_no_other() -> None:
    found = re.search(r"FIELDS = \[(.*?)\]", COMPLETION.read_text(), re.S)
    assert found
    completed = re.findall(r'"(\w+)"', found[1])
    assert sorted(completed) == sorted([*(entry.name for entry in ENTRIES), *OTHER_WORDS])
