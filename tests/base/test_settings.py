"""Where a setting comes from, and what a bad one says."""

from pathlib import Path

import pytest

from laneway.base.errors import SettingError
from laneway.base.settings import (
    SETTINGS,
    parse_duration_s,
    parse_flag,
    parse_list,
    parse_size_bytes,
    resolve,
)


def test_argument_environment_file_and_default_in_this_order(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('port = 1\npod = "file"\nhost = "::1"\n')
    env = {"LANEWAY_HOME": str(tmp_path), "LANEWAY_POD": "env", "LANEWAY_PORT": "2"}
    settings = resolve({"port": 3}, env)

    assert (settings.port, settings.pod, settings.host) == (3, "env", "::1")
    assert settings.origin["port"] == "argument"
    assert settings.origin["pod"] == "LANEWAY_POD"
    assert settings.origin["host"] == "config.toml"
    assert settings.origin["agent"] == "default"


def test_the_founding_names_are_read(tmp_path: Path) -> None:
    env = {
        "LOG_PATH": "/mnt/data/logs/observability.jsonl",
        "LOGGING_URL": "http://logger:8000/log",
    }
    settings = resolve({"home": tmp_path}, env)

    assert settings.log_path == "/mnt/data/logs/observability.jsonl"
    assert settings.logging_url == "http://logger:8000/log"


def test_the_log_lives_in_the_home_unless_told_otherwise(tmp_path: Path) -> None:
    assert resolve({}, {"LANEWAY_HOME": str(tmp_path)}).log_path == str(tmp_path / "logs")
    assert resolve({}, {"XDG_DATA_HOME": str(tmp_path)}).home == str(tmp_path / "laneway")


@pytest.mark.parametrize(
    ("env", "message"),
    [
        (
            {"LANEWAY_PORT": "many"},
            'port: "many" .from LANEWAY_PORT. is not a port from 0 to 65535',
        ),
        ({"LANEWAY_SEGMENT_BYTES": "big"}, 'segment_bytes: "big" .* is not a size such as 256MiB'),
        ({"LANEWAY_RETENTION_AGE": "3x"}, "is not a duration such as"),
        ({"LANEWAY_DISABLED": "perhaps"}, "is not yes or no"),
        ({"LANEWAY_SEGMENT_BYTES": "-1"}, "is not a size such as 256MiB"),
        ({"LANEWAY_LIVE_EVENTS": "many"}, "is not a whole number from 1 to 1000000"),
    ],
)
def test_a_bad_value_says_what_was_seen_and_wanted(tmp_path, env, message) -> None:
    with pytest.raises(SettingError, match=message):
        resolve({}, {"LANEWAY_HOME": str(tmp_path), **env})


@pytest.mark.parametrize("text", ["port = ", "prot = 1", "\xff"])
def test_a_bad_file_names_itself_or_the_nearest_setting(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.toml").write_text(text, encoding="latin-1")

    with pytest.raises(SettingError) as caught:
        resolve({}, {"LANEWAY_HOME": str(tmp_path)})
    assert "config.toml" in caught.value.message or "port" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("port = true", "port: .* is not a port from 0 to 65535"),
        ("port = [1]", "port: .* is not one text, number or flag"),
        ("[host]\nname = 1", "host: .* is not one text, number or flag"),
        ("allowed_hosts = 5", "allowed_hosts: 5 .from config.toml. is not a list"),
        ("compress_after = -1", "compress_after: .* is not a duration such as"),
        ('token = 3\nport = "x"', 'port: "x"'),
    ],
)
def test_a_value_of_another_type_in_the_file_is_refused(tmp_path, text: str, message: str) -> None:
    (tmp_path / "config.toml").write_text(text)

    with pytest.raises(SettingError, match=message):
        resolve({}, {"LANEWAY_HOME": str(tmp_path)})


def test_numbers_flags_and_lists_of_the_file_are_taken(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        'port = 9\ncompress = false\ncompress_after = 30\nallowed_hosts = ["a", "b"]\n'
    )
    settings = resolve({}, {"LANEWAY_HOME": str(tmp_path)})

    assert (settings.port, settings.compress, settings.compress_after) == (9, False, 30.0)
    assert settings.allowed_hosts == ("a", "b")


def test_units_are_read() -> None:
    assert parse_size_bytes("256 MiB") == 256 << 20
    assert parse_size_bytes("1.5g") == 3 << 29
    assert parse_size_bytes("12") == 12
    assert parse_duration_s("30d") == 30 * 86_400
    assert parse_duration_s("1.5h") == 5400
    assert parse_flag("On")
    assert not parse_flag("no")
    assert parse_list("a:1, b:2 c:3") == ("a:1", "b:2", "c:3")


def test_every_setting_says_what_it_is_for() -> None:
    assert all(setting.help.endswith(".") for setting in SETTINGS)
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS)
