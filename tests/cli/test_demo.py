"""`laneway demo` where there is no demo; that it runs is tested with the example."""

import subprocess
import sys
from pathlib import Path

import pytest

import laneway
from laneway.cli import demo, main
from laneway.cli.borrow import IS_BORROWED, borrow


def test_where_there_is_no_demo_it_says_where_to_get_it(
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


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No uv and no pipx on this machine; the folder for programs, which is empty."""
    monkeypatch.delenv("UV", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_a_missing_part_is_named(
    alone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "EXAMPLE_PARTS", ("no_such_part",))
    assert main(["demo"]) == 3
    err = capsys.readouterr().err
    assert "the demo needs no_such_part" in err
    assert "pip install 'laneway[hub,example]" in err


@pytest.mark.parametrize("name", ["uv", "pipx"])
def test_where_parts_are_missing_it_runs_again_with_them(alone: Path, name: str) -> None:
    """Not even the command line's own parts are there."""
    runner = alone / name
    runner.write_text(
        f'#!{sys.executable}\nimport os, sys\nprint(*sys.argv[1:], os.environ["{IS_BORROWED}"])\n'
    )
    runner.chmod(0o755)
    code = (
        "import sys\n"
        "sys.modules['typer'] = None\n"
        "from laneway.cli import main; sys.exit(main(['demo', '--rate', '2']))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert done.stdout.split()[-5:] == ["laneway", "demo", "--rate", "2", "1"]
    assert "laneway[hub,example]" in done.stdout
    assert f"{name} installs laneway[hub,example]" in done.stderr


def test_what_is_missing_in_a_borrowed_environment_is_said(
    alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV", "/bin/false")
    monkeypatch.setenv(IS_BORROWED, "1")
    assert borrow(["demo"]).startswith("pip install")


def test_the_checkout_has_the_demo() -> None:
    assert (demo.find_example() / demo.EXAMPLE).is_file()
