"""What all commands have in common: errors in a line, exit codes, colours, help."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from laneway.cli.app import COMMANDS, PANELS

from .conftest import Run, Show, Write, environment


def test_every_command_stands_in_the_help(run: Run) -> None:
    ended = run("--help")
    assert ended.code == 0
    assert all(f" {name} " in ended.out for name in COMMANDS)
    places = [ended.out.index(f"─ {panel} ─") for panel in PANELS]
    assert places == sorted(places)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_help_of_its_own(run: Run, name: str) -> None:
    ended = run(name, "--help")
    assert ended.code == 0
    assert f"Usage: laneway {name}" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 80
    assert not re.search(r"<(bool|str|int|float|list\[str\])>", ended.out)  # nobody types a type


def test_a_help_loses_no_sign_to_the_frameworks_markup(run: Run) -> None:
    assert '`pip install "laneway[sql]"`' in " ".join(run("sql", "--help").out.split())
    assert "`laneway[grpc]`" in run("up", "--help", COLUMNS="200").out
    assert "Usage: laneway query [OPTIONS] [QUERY]...\n" in re.sub(
        " +\n", "\n", run("query", "--help").out
    )


def test_the_bare_command_shows_the_help_and_is_wrong_usage(run: Run) -> None:
    ended = run()
    assert ended.code == 2
    assert "Usage: laneway" in ended.out + ended.err


def test_a_misspelt_command_is_told_the_right_one(run: Run) -> None:
    ended = run("tial")
    assert ended.code == 2
    assert "Did you mean 'tail'?" in ended.err


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_the_version_is_one_line(run: Run, flag: str) -> None:
    ended = run(flag)
    assert ended.code == 0
    assert ended.out.startswith("laneway ")
    assert ended.out.count("\n") == 1


def test_version_tells_what_a_bug_report_needs(run: Run) -> None:
    names = [line.split()[0] for line in run("version").out.splitlines()]
    assert names[:3] == ["laneway", "python", "sqlite"]
    assert names[-1] == "system"


def test_a_wrong_setting_is_one_line_on_stderr_and_exits_with_2(run: Run) -> None:
    ended = run("tail", LANEWAY_PORT="many")
    assert ended == (
        2,
        "",
        'error: port: "many" (from LANEWAY_PORT) is not a port from 0 to 65535\n',
    )


def test_a_hint_stands_behind_the_error(run: Run) -> None:
    ended = run("config", "prot")
    assert ended.code == 2
    assert ended.err == 'error: there is no setting "prot" (hint: did you mean port?)\n'


def test_a_mistake_in_a_query_is_pointed_at(run: Run) -> None:
    ended = run("query", "agent:a", "levl>=x")
    assert ended.code == 2
    assert ended.err == (
        'error: q, column 9: "levl" where a field was expected (hint: did you mean level? a field of '
        'your own is attr.levl; quote "…" to look for the text)\n'
        "  agent:a levl>=x\n"
        "          ^\n"
    )


@pytest.mark.parametrize(
    "command", ["tail", "query", "export", "scrub", "redact --scan", "forward http://127.0.0.1:9"]
)
def test_a_log_that_is_no_directory_is_no_bug_of_ours(
    run: Run, tmp_path: Path, command: str
) -> None:
    (tmp_path / "file").touch()
    ended = run(*command.split(), "--log", str(tmp_path / "file"))
    assert ended.code == 3
    assert ended.err == (
        f"error: {tmp_path / 'file'} is not a directory"
        " (hint: name the directory of a log, or a file in it that ends in .jsonl)\n"
    )


@pytest.mark.parametrize("command", ["reindex", "compress", "scrub", "stats", "redact --scan"])
def test_without_a_log_a_command_says_how_to_make_one_and_makes_none(
    run: Run, tmp_path: Path, command: str
) -> None:
    ended = run(*command.split(), "--log", str(tmp_path / "mistyped"))
    assert ended.code == 3
    assert ended.err == (
        f"error: {tmp_path / 'mistyped'}: there is no log yet "
        "(hint: the first event makes it: laneway emit me hello)\n"
    )
    assert not (tmp_path / "mistyped").exists()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("export --format csw", '--format: "csw" is not one of jsonl, csv, parquet, otlp, perfetto'
         " (hint: did you mean csv?)"),
        ("forward http://127.0.0.1:9 --only spans", '--only: "spans" is not one of traces, logs'),
        ("import codexx", 'SOURCE: "codexx" is not one of claude-code, codex, '),
        ("connect clyde-code", "(hint: did you mean claude-code?)"),
    ],
)  # fmt: skip
def test_a_word_that_is_none_of_few_is_told_which_they_are(
    run: Run, command: str, said: str
) -> None:
    ended = run(*command.split())
    assert ended.code == 2
    assert said in ended.err


def test_a_failure_exits_with_3(run: Run) -> None:
    ended = run("open", "--port", "9")
    assert ended.code == 3
    assert ended.err.startswith("error: no hub answers at http://127.0.0.1:9 (")
    assert ended.err.endswith("(hint: `laneway up` starts one)\n")


def test_a_message_cannot_play_tricks_on_the_terminal(run: Run) -> None:
    ended = run("config", "\x1b[31mred")
    assert "\x1b" not in ended.err
    assert "\\x1b[31mred" in ended.err


def test_a_bug_is_told_without_a_traceback(run: Run, home: Path) -> None:
    (home / "logs").mkdir(parents=True)
    code = (
        "import laneway.cli.config as c, laneway.cli, sys\n"
        "c.resolve = lambda: 1 // 0\n"
        "sys.exit(laneway.cli.main(['config']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(home)
    )
    assert done.returncode == 3
    assert done.stderr.startswith("error: this is a bug in Laneway: ZeroDivisionError")
    assert done.stderr.count("\n") == 1


def test_without_the_extra_emit_works_and_the_others_say_what_is_missing(home: Path) -> None:
    code = (
        "import sys\n"
        "sys.modules['typer'] = None\n"
        "import laneway.cli\n"
        "assert laneway.cli.main(['emit', 'a', 'b']) == 0\n"
        "sys.exit(laneway.cli.main(['tail']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(home)
    )
    assert done.returncode == 3
    assert done.stderr == 'this command needs the hub: pip install "laneway[hub]"\n'
    assert list((home / "logs").glob("events-*.jsonl"))


@pytest.mark.parametrize("command", ["stats", "sessions", "query"])
def test_a_question_without_a_hub_loads_no_web_framework(home: Path, command: str) -> None:
    code = (
        "import sys, laneway.cli\n"
        "assert laneway.cli.main(['emit', 'a', 'b', 'session_id=s']) == 0\n"
        f"assert laneway.cli.main([{command!r}]) == 0\n"
        "assert not {'starlette', 'uvicorn', 'asyncio.base_events'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=environment(home))


@pytest.mark.parametrize("command", [["emit", "a", "b"], ["up"]])
def test_a_missing_orjson_is_told_with_what_to_do(home: Path, command: list[str]) -> None:
    code = (
        "import sys\nsys.modules['orjson'] = None\n"
        f"import laneway.cli\nsys.exit(laneway.cli.main({command}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(home)
    )
    assert done.returncode == 3
    assert "orjson is missing: pip install orjson" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_missing_part_of_the_hub_is_told_too(home: Path) -> None:
    code = (
        "import sys\nsys.modules['uvicorn'] = None\n"
        "import laneway.cli\nsys.exit(laneway.cli.main(['up']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(home)
    )
    assert done.returncode == 3
    assert done.stderr == 'this command needs the hub: pip install "laneway[hub]"\n'


def test_a_terminal_gets_colours(show: Show, write: Write) -> None:
    write({"level": "error", "content": "x"})
    screen = show("tail", "--no-follow")
    assert screen.end() == 0
    assert "\x1b[31m" in screen.text


@pytest.mark.parametrize("args", [["--no-color", "tail"], ["tail", "--no-color"]])
def test_no_color_may_stand_anywhere(show: Show, write: Write, args: list[str]) -> None:
    write({"level": "error", "content": "x"})
    screen = show(*args, "--no-follow")
    assert screen.end() == 0
    assert "\x1b" not in screen.text


def test_no_color_of_the_environment_is_honoured(show: Show, write: Write) -> None:
    write({"level": "error", "content": "x"})
    screen = show("tail", "--no-follow", NO_COLOR="1")
    assert screen.end() == 0
    assert "\x1b" not in screen.text


def test_a_pipe_gets_no_colours_unless_forced(run: Run, write: Write) -> None:
    write({"level": "error", "content": "x"})
    assert "\x1b" not in run("tail", "--no-follow").out
    assert "\x1b[31m" in run("tail", "--no-follow", FORCE_COLOR="1").out


def test_output_in_another_encoding_does_not_fail(run: Run, write: Write) -> None:
    write({"content": "Grüße 日本", "level": "error"})
    ended = run("tail", "--no-follow", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert ended.code == 0
    assert "Gr\\xfc\\xdfe \\u65e5" in ended.out


def test_completion_can_be_shown(run: Run) -> None:
    ended = run(_LANEWAY_COMPLETE="source_bash")
    assert ended.code == 0
    assert "laneway" in ended.out
    words = run(_LANEWAY_COMPLETE="complete_bash", COMP_WORDS="laneway re", COMP_CWORD="1")
    assert "reindex" in words.out


def complete(run: Run, typed: str) -> list[str]:
    """What bash is offered behind ``typed``."""
    place = len(typed.split()) - (not typed.endswith(" "))
    asked = {"_LANEWAY_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(place)}
    return run(**asked).out.split()


def test_the_shell_completes_commands_options_and_their_values(run: Run) -> None:
    assert complete(run, "laneway ses") == ["sessions"]
    assert sorted(complete(run, "laneway ")) == sorted(COMMANDS)
    assert complete(run, "laneway trace --ev") == ["--events"]
    assert complete(run, "laneway query --level war") == ["warning", "warning+"]
    assert complete(run, "laneway query --order ") == ["newest", "oldest"]
    assert complete(run, "laneway export --format p") == ["parquet", "perfetto"]
    assert complete(run, "laneway stats --by to") == ["tool"]


def test_zsh_completes_too(run: Run) -> None:
    asked = {
        "_LANEWAY_COMPLETE": "complete_zsh",
        "_TYPER_COMPLETE_ARGS": "laneway query --level cr",
    }
    assert '"critical+"' in run(**asked).out


def test_a_command_behind_two_dashes_is_still_that_command(run: Run, write: Write) -> None:
    write({"content": "here"})
    assert "here" in run("--", "tail", "--no-follow").out
