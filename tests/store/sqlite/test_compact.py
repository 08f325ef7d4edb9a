"""A compact copy is made beside the database, and nothing of one that is gone."""

import sqlite3
from pathlib import Path

import pytest

from laneway.store.sqlite.compact import compact


def test_a_database_that_was_removed_meanwhile_does_not_come_back(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        compact(str(tmp_path / "gone.db"), str(tmp_path / "gone.db.new"))

    assert not (tmp_path / "gone.db").exists()
