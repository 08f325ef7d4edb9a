"""docs/cli.md tells every command and every option, and no others."""

import re
from pathlib import Path

import pytest

from laneway.cli.app import COMMANDS, build
from laneway.cli.emit import FLAG_OPTIONS, VALUE_OPTIONS

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
SECTIONS = dict(
    re.findall(r"^## laneway ([\w-]+)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
)
OPTION = re.compile(r"(?<![\w-])--?[a-zA-Z][\w-]*")
EVERYWHERE = {"--help", "-h", "--no-color", "--no-pager"}


def options_of(name: str) -> set[str]:
    if name == "emit":
        return {*FLAG_OPTIONS, *VALUE_OPTIONS} - EVERYWHERE
    command = build([name]).commands[name]
    found = {
        option
        for parameter in command.params
        for option in (*parameter.opts, *parameter.secondary_opts)
        if option.startswith("-")
    }
    return found - EVERYWHERE


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_documented(name: str) -> None:
    assert f"| [`{name}`](#laneway-{name}) |" in PAGE
    told = set(OPTION.findall(SECTIONS[name]))
    assert options_of(name) - told - shared(name) == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_no_option_is_documented_that_is_not_there(name: str) -> None:
    rows = [line for line in SECTIONS[name].splitlines() if line.startswith("| `-")]
    told = {option for row in rows for option in OPTION.findall(row.split("|")[1])}
    assert told - options_of(name) == set()


def shared(name: str) -> set[str]:
    """Short forms that others have from `tail`, whose section they name."""
    return {"-a", "-e", "-s", "-t", "-l"} if name in ("query", "top", "export") else set()


def test_the_sections_are_the_commands() -> None:
    assert sorted(SECTIONS) == sorted(COMMANDS)


def test_the_options_of_the_bare_command_are_documented() -> None:
    head = PAGE.partition("## laneway up")[0]
    for option in (
        "--no-color",
        "--no-pager",
        "--version",
        "-V",
        "--install-completion",
        "--show-completion",
    ):
        assert f"`{option}`" in head


def test_the_exit_codes_are_documented() -> None:
    from laneway.cli import FAILED, FOUND, NOTHING, USAGE

    for code in (FOUND, NOTHING, USAGE, FAILED):
        assert f"\n| {code} | " in PAGE
