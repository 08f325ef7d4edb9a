import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from laneway.base.errors import SettingError
from laneway.web.token import MIN_CHARS, load, load_or_make


def test_a_token_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "home" / "access.token"
    token = load_or_make(str(path))
    assert len(token) >= 43
    assert load_or_make(str(path)) == token
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_many_that_start_at_once_agree_on_one_token_and_leave_nothing_else(tmp_path: Path) -> None:
    path = str(tmp_path / "ingest.token")
    with ThreadPoolExecutor(16) as pool:
        tokens = set(pool.map(lambda _: load_or_make(path), range(64)))
    assert len(tokens) == 1
    assert os.listdir(tmp_path) == ["ingest.token"]


def test_white_space_around_a_token_is_no_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("  0123456789abcdef\r\n")
    assert load(str(tmp_path / "secret")) == "0123456789abcdef"


@pytest.mark.parametrize(
    "text", ["", "\n", "short", "x" * (MIN_CHARS - 1), "two words 0123456789", "ü" * 30]
)
def test_what_is_no_token_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "secret").write_text(text)
    with pytest.raises(SettingError, match="secret"):
        load(str(tmp_path / "secret"))


def test_a_missing_secret_file_is_told_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="nowhere"):
        load(str(tmp_path / "nowhere"))
