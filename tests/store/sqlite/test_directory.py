"""The index directory: one owner, a lasting epoch, safe file names."""

import os
from pathlib import Path

import pytest

from laneway.base.errors import StoreError
from laneway.store.sqlite.directory import Directory


def test_a_second_owner_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    first = Directory(tmp_path)
    with pytest.raises(StoreError, match=f"in use by process {os.getpid()}"):
        Directory(tmp_path)
    first.close()
    Directory(tmp_path).close()


def test_the_epoch_lasts_and_the_floor_only_rises(tmp_path: Path) -> None:
    first = Directory(tmp_path)
    first.raise_floor(40)
    first.raise_floor(7)
    first.close()
    second = Directory(tmp_path)
    assert (second.epoch, second.seq_floor) == (first.epoch, 40)
    second.close()


@pytest.mark.parametrize("content", ["", "only-one-word", "epoch not-a-number", "a b c"])
def test_an_unreadable_epoch_is_replaced_by_a_new_one(tmp_path: Path, content: str) -> None:
    (tmp_path / "epoch").write_text(content)
    directory = Directory(tmp_path)
    assert (len(directory.epoch) >= 12, directory.seq_floor) == (True, 0)
    directory.close()


@pytest.mark.parametrize(
    "segment", ["../../etc/passwd", "a/b.jsonl", "", "ü" * 300, "nul\0", "\udcff"]
)
def test_no_segment_name_leads_out_of_the_directory(tmp_path: Path, segment: str) -> None:
    directory = Directory(tmp_path)
    database = directory.database(segment)
    assert os.path.dirname(database) == str(tmp_path)
    Path(database).touch()
    assert list(directory.iter_databases()) == [database]
    directory.remove(database)
    assert list(directory.iter_databases()) == []
    directory.close()


def test_names_that_look_alike_have_files_of_their_own(tmp_path: Path) -> None:
    directory = Directory(tmp_path)
    assert len({directory.database(name) for name in ("a/b", "c/b", "b", "B", "a_b")}) == 5
    directory.close()


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be written") as caught:
        Directory(tmp_path / "file" / "index")
    assert "index_path" in caught.value.hint
