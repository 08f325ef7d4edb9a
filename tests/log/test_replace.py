"""A small file gets another content: all of it or none."""

import os
from pathlib import Path

import pytest

from laneway.log.replace import replace_file


@pytest.mark.parametrize("is_synced", [True, False])
def test_a_file_holds_what_was_put_there_last_and_is_its_owners(
    tmp_path: Path, is_synced: bool
) -> None:
    path = tmp_path / "place.json"
    replace_file(str(path), b"a longer first content", is_synced=is_synced)
    replace_file(str(path), b"second", is_synced=is_synced)
    assert path.read_bytes() == b"second"
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["place.json"]


def test_where_it_cannot_be_written_the_old_content_stays(tmp_path: Path) -> None:
    path = tmp_path / "place.json"
    replace_file(str(path), b"first")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"somebody's")
    (tmp_path / "place.json.new").symlink_to(elsewhere)
    with pytest.raises(OSError, match="symbolic"):
        replace_file(str(path), b"second")
    assert path.read_bytes() == b"first"
    assert elsewhere.read_bytes() == b"somebody's"
