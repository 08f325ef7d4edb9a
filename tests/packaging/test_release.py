"""A release is refused where its build is not reproducible, and says which Pythons it was tried with."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import release


def builder(*texts: str) -> Callable[[Path], list[Path]]:
    """Builds one wheel at each call, with the next of ``texts`` in it."""
    left = iter(texts)

    def build(place: Path) -> list[Path]:
        place.mkdir()
        wheel = place / "laneway-1-py3-none-any.whl"
        wheel.write_text(next(left))
        return [wheel]

    return build


def test_two_builds_that_differ_are_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "DIST", tmp_path / "dist")
    monkeypatch.setattr(release, "build", builder("one", "other"))

    with pytest.raises(release.ReleaseError, match=r"laneway-1-\S+\.whl is not reproducible"):
        release.build_twice(tmp_path)

    assert not (tmp_path / "dist").exists()


def test_two_equal_builds_go_to_dist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "DIST", tmp_path / "dist")
    monkeypatch.setattr(release, "build", builder("same", "same"))

    (file,) = release.build_twice(tmp_path)

    assert file == tmp_path / "dist/laneway-1-py3-none-any.whl"
    assert file.read_text() == "same"


def test_the_pythons_are_those_that_the_package_promises() -> None:
    assert release.PROMISED[0] == "3.11"
    assert f"{sys.version_info[0]}.{sys.version_info[1]}" in release.PROMISED


def test_a_python_that_cannot_be_had_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "UV", [sys.executable, "-c", "raise SystemExit(2)"])

    assert release.find_python("3.99") == ""


def test_a_command_that_fails_is_told_with_what_it_said() -> None:
    with pytest.raises(release.ReleaseError, match="no such thing"):
        release.run(sys.executable, "-c", "raise SystemExit('no such thing')")
