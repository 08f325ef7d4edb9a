"""`laneway demo` where there is no demo; that it runs is tested with the example."""

from pathlib import Path

import pytest

import laneway
from laneway.cli import demo, main


def test_from_a_wheel_it_says_where_the_demo_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(laneway, "__file__", str(tmp_path / "a" / "b" / "laneway" / "__init__.py"))
    assert main(["demo"]) == 3
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "git clone https://github.com/laneway/laneway" in err


def test_the_current_folder_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(laneway, "__file__", str(tmp_path / "a" / "b" / "laneway" / "__init__.py"))
    planted = tmp_path / "here" / "examples" / "assistant" / "demo.py"
    planted.parent.mkdir(parents=True)
    planted.write_text("raise SystemExit('planted')")
    monkeypatch.chdir(tmp_path / "here")
    assert main(["demo"]) == 3
    assert "planted" not in capsys.readouterr().err


def test_a_missing_part_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "EXAMPLE_PARTS", ("no_such_part",))
    monkeypatch.setattr(demo, "find_checkout", lambda: Path())
    assert main(["demo"]) == 3
    assert "the demo needs no_such_part" in capsys.readouterr().err


def test_the_checkout_has_the_demo() -> None:
    assert (demo.find_checkout() / demo.EXAMPLE).is_file()
