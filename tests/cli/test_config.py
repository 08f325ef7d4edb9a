"""`laneway config`."""

from pathlib import Path

import orjson

from laneway.base.settings import SETTINGS

from .conftest import Run


def test_every_setting_is_listed_with_its_variables(run: Run, home: Path) -> None:
    out = run("config").out
    for row in SETTINGS:
        assert f"\n{row.name} " in f"\n{out}"
        assert row.envs[-1] in out
    assert max(len(line) for line in out.splitlines() if str(home) not in line) <= 80


def test_the_origin_of_what_was_set_is_shown(run: Run, home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text('pod = "blue"\nretention_age = "30d"\n')
    out = run("config", LOG_PATH="/var/log/x.jsonl").out
    width = max(len(row.name) for row in SETTINGS) + 2
    assert f"\n{'log_path':{width}}/var/log/x.jsonl  from LOG_PATH\n" in out
    assert f"\n{'pod':{width}}blue  from config.toml\n" in out
    assert f"\n{'retention_age':{width}}30d  from config.toml\n" in out
    assert f"\n{'segment_bytes':{width}}256MiB\n" in out


def test_a_secret_is_masked_everywhere(run: Run) -> None:
    for args in (["config"], ["config", "token"], ["config", "--json"]):
        ended = run(*args, LANEWAY_TOKEN="s3cr3t-s3cr3t-s3cr3t")
        assert "s3cr3t" not in ended.out
        assert "********" in ended.out


def test_one_setting_is_its_bare_value(run: Run) -> None:
    assert run("config", "port").out == "8001\n"
    assert run("config", "open_ingest").out == "no\n"
    assert run("config", "retention_age", LANEWAY_RETENTION_AGE="36h").out == "36h\n"
    assert run("config", "body_bytes", LANEWAY_BODY_BYTES="1000").out == "1000\n"
    assert run("config", "pod").out == "\n"


def test_what_is_shown_can_be_set_again(run: Run) -> None:
    for name in ("segment_bytes", "retention_age", "open_ingest", "port"):
        shown = run("config", name).out.strip()
        assert run("config", name, **{f"LANEWAY_{name.upper()}": shown}).out.strip() == shown


def test_json_has_values_with_their_types(run: Run) -> None:
    report = orjson.loads(run("config", "--json", LANEWAY_ALLOWED_HOSTS="a b:1").out)
    assert report["allowed_hosts"]["value"] == ["a", "b:1"]
    assert report["port"] == {
        "value": 8001,
        "origin": "default",
        "default": 8001,
        "environment": ["LANEWAY_PORT"],
        "help": "The port that the hub binds; 0 picks a free one.",
    }
    assert list(orjson.loads(run("config", "--json", "port").out)) == ["port"]


def test_a_broken_file_is_told(run: Run, home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text("port = ")
    ended = run("config")
    assert ended.code == 2
    assert "config.toml" in ended.err
