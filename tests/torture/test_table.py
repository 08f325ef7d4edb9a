"""The figures in docs/reliability.md are those of the runs."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_table_shows_what_the_runs_reported() -> None:
    command = [sys.executable, "tools/reliability.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_test_of_this_directory_has_a_row() -> None:
    table = (ROOT / "docs" / "reliability.md").read_text()
    tests = {path.name for path in Path(__file__).parent.glob("test_*.py")}
    tests -= {
        "test_table.py",
        "test_canary.py",
        "test_scrub.py",
    }  # the last two are of docs/redaction.md
    assert {name for name in tests if f"`{name}`" not in table} == set()
