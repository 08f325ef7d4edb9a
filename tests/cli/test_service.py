"""The hub as a service: the files are as the service managers want them, and hold no secret."""

import os
import plistlib
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from laneway.cli.manager.systemd import _quote
from laneway.cli.service import Kind, this_system
from tests.cli.conftest import Run
from tests.port import free_port

NO_MANAGER = "printf 'Failed to connect to bus: No medium found\\n' >&2; exit 1"


def fake(folder: Path, name: str, body: str) -> Path:
    """A program that notes how it was called, in ``calls`` beside it."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f'#!/bin/sh\necho "{name} $*" >> {folder}/calls\n{body}\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    """A user with a home of their own, whose programs come from ``bin`` first."""
    return {"HOME": str(tmp_path), "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"}


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
@pytest.mark.parametrize("options", [(), ("--hardened",)])
def test_systemd_finds_no_fault_with_the_unit(
    run: Run, tmp_path: Path, options: tuple[str, ...]
) -> None:
    printed = run("service", "install", "--print", "--for", "systemd", *options)
    unit = tmp_path / "laneway.service"
    unit.write_text(printed.out)

    checked = subprocess.run(
        ["systemd-analyze", "--user", "verify", str(unit)],
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_does_find_a_fault_in_a_wrong_unit(run: Run, tmp_path: Path) -> None:
    text = run("service", "install", "--print", "--for", "systemd").out
    unit = tmp_path / "laneway.service"
    unit.write_text(text.replace("KillMode=mixed", "KillMode=gently"))

    checked = subprocess.run(
        ["systemd-analyze", "--user", "verify", str(unit)],
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert "gently" in checked.stderr


def test_a_launch_agent_is_a_property_list_that_starts_this_python(run: Run, home: Path) -> None:
    printed = run("service", "install", "--print", "--for", "launchd", "--port", "8123")

    agent = plistlib.loads(printed.out.encode())
    assert agent["ProgramArguments"][1:] == ["-P", "-m", "laneway", "up", "--no-open"]
    assert agent["EnvironmentVariables"] == {"LANEWAY_HOME": str(home), "LANEWAY_PORT": "8123"}
    assert agent["KeepAlive"] == {"SuccessfulExit": False}
    assert agent["Umask"] == 0o077


def test_the_settings_of_the_shell_go_along_with_their_paths_made_absolute(
    run: Run, tmp_path: Path
) -> None:
    env = {
        "LOG_PATH": "here/x.jsonl",
        "LANEWAY_RETENTION_AGE": "30d",
        "LOGGING_URL": "http://a/log",
    }

    printed = run("service", "--print", "--for", "systemd", "--host", "127.0.0.2", **env)

    assert f'Environment="LANEWAY_LOG_PATH={tmp_path}/here/x.jsonl"\n' in printed.out
    assert 'Environment="LANEWAY_RETENTION_AGE=30d"\n' in printed.out
    assert 'Environment="LANEWAY_HOST=127.0.0.2"\n' in printed.out
    assert "LOGGING_URL" not in printed.out


def test_a_secret_is_refused_and_not_written_into_the_file(run: Run) -> None:
    token = "a" * 43

    printed = run("service", "install", "--print", "--for", "systemd", LANEWAY_TOKEN=token)

    assert printed.code == 2
    assert "LANEWAY_TOKEN is a secret" in printed.err
    assert "LANEWAY_TOKEN_FILE" in printed.err
    assert token not in printed.out + printed.err


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("A=b c", '"A=b c"'),
        ("100%", '"100%%"'),
        ('say "hi"', '"say \\"hi\\""'),
        ("back\\slash", '"back\\\\slash"'),
        ("two\nlines", '"two\\nlines"'),
    ],
)
def test_a_value_cannot_end_its_line_or_be_taken_for_a_specifier(text: str, quoted: str) -> None:
    assert _quote(text) == quoted


def test_install_writes_the_unit_and_has_systemd_start_it(
    run: Run, tmp_path: Path, shell: dict[str, str]
) -> None:
    fake(tmp_path / "bin", "systemctl", "")

    done = run("service", "install", "--for", "systemd", "--log", str(tmp_path / "log"), **shell)

    assert done.code == 0, done.err
    unit = tmp_path / ".config/systemd/user/laneway.service"
    assert "laneway" in unit.read_text()
    assert (tmp_path / "log").is_dir()  # a read-only file system is opened for what is there only
    assert (tmp_path / "bin/calls").read_text().splitlines() == [
        "systemctl --user daemon-reload",
        "systemctl --user enable laneway.service",
        "systemctl --user restart laneway.service",
    ]


def test_without_a_user_manager_the_unit_stays_and_the_error_says_what_to_do(
    run: Run, tmp_path: Path, shell: dict[str, str]
) -> None:
    fake(tmp_path / "bin", "systemctl", NO_MANAGER)

    done = run("service", "install", "--for", "systemd", **shell)

    assert done.code == 3
    assert "No medium found" in done.err
    assert "not su or sudo" in done.err
    assert (tmp_path / ".config/systemd/user/laneway.service").exists()


def test_remove_stops_the_service_and_leaves_the_log(
    run: Run, tmp_path: Path, home: Path, shell: dict[str, str]
) -> None:
    fake(tmp_path / "bin", "systemctl", "")
    run("service", "install", "--for", "systemd", **shell)
    (home / "logs").mkdir(exist_ok=True)

    done = run("service", "remove", "--for", "systemd", **shell)
    again = run("service", "remove", "--for", "systemd", **shell)

    assert (done.code, again.code) == (0, 1)
    assert "systemctl --user disable --now laneway.service" in (tmp_path / "bin/calls").read_text()
    assert not (tmp_path / ".config/systemd/user/laneway.service").exists()
    assert (home / "logs").is_dir()


def test_launchd_is_asked_in_the_session_of_the_user(
    run: Run, tmp_path: Path, shell: dict[str, str]
) -> None:
    fake(tmp_path / "bin", "launchctl", "")

    assert run("service", "install", "--for", "launchd", **shell).code == 0
    assert run("service", "remove", "--for", "launchd", **shell).code == 0

    plist = tmp_path / "Library/LaunchAgents/laneway.hub.plist"
    domain = f"gui/{os.getuid()}"
    assert (tmp_path / "bin/calls").read_text().splitlines() == [
        f"launchctl bootout {domain}/laneway.hub",
        f"launchctl bootstrap {domain} {plist}",
        f"launchctl bootout {domain}/laneway.hub",
    ]


def test_status_tells_that_there_is_no_service(run: Run, shell: dict[str, str]) -> None:
    done = run("service", "status", "--for", "systemd", **shell)

    assert done.code == 1
    assert "laneway service install" in done.out


def test_status_tells_what_the_manager_and_the_hub_say(
    run: Run, tmp_path: Path, shell: dict[str, str], start_hub: object
) -> None:
    fake(tmp_path / "bin", "systemctl", "echo active")
    run("service", "install", "--for", "systemd", **shell)
    shell["LANEWAY_PORT"] = str(free_port())  # where there is no hub of anybody's
    without_hub = run("service", "--for", "systemd", **shell)
    start_hub()  # type: ignore[operator]

    done = run("service", "--for", "systemd", **shell)

    assert without_hub.code == 1
    assert "does not answer" in without_hub.out
    assert done.code == 0
    assert "service  active" in done.out
    assert done.out.splitlines()[1].endswith("  ok")


def test_a_system_without_a_known_manager_is_told_so() -> None:
    from laneway.base.errors import SettingError

    assert (this_system("linux"), this_system("darwin")) == (Kind.SYSTEMD, Kind.LAUNCHD)
    with pytest.raises(SettingError, match="no service manager of win32"):
        this_system("win32")
