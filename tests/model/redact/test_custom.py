"""The user's own rules: the same at every door, refused where they are wrong, never slow."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import laneway
from laneway.base.errors import SettingError
from laneway.base.settings import resolve
from laneway.model.encode import encode
from laneway.model.redact import Redactor, make_redactor
from laneway.model.redact.custom import make_extra

ACME: dict[str, Any] = {
    "name": "acme-key",
    "pattern": "acme_[a-z0-9]{8}",
    "keys": ["acmePin"],
    "allow": ["acme_test*", "acme_*0000"],
}
KEY = "acme_" + "ab12cd34"


def redactor(*rules: dict[str, Any], personal: bool = False) -> Redactor:
    return Redactor(extra=make_extra(rules, personal=personal))


def test_what_a_users_rule_finds_is_replaced_in_texts_keys_and_nested_json() -> None:
    event = {"content": f"it is {KEY}!", "input": {KEY: [json.dumps({"x": KEY})]}}
    one = redactor(ACME)

    clean, count = one.redact_event(event)
    line, line_count = one.redact_line(event, encode(event))

    assert count == line_count == 3
    assert KEY not in json.dumps(clean)
    assert json.loads(line) == clean
    assert clean["content"].startswith("it is [redacted:acme-key:")
    assert one.redact_event(clean) == (clean, 0)


@pytest.mark.parametrize("value", ["1234", "p w" * 100, "correct horse"])
def test_the_value_of_a_field_that_a_rule_names_goes_whatever_it_is(value: str) -> None:
    event = {"acme_pin": value, "input": {"acmePin": [value], "pin": 5}}
    clean, count = redactor(ACME).redact_event(event)
    line, _ = redactor(ACME).redact_line(event, encode(event))

    assert count == 2
    assert value not in json.dumps(clean)
    assert value.encode() not in line


@pytest.mark.parametrize("value", ["acme_test1234", "acme_abcd0000"])
def test_allowed_values_stay(value: str) -> None:
    assert redactor(ACME).redact_event({"content": value}) == ({"content": value}, 0)


def test_a_group_tells_what_is_replaced() -> None:
    clean, _ = redactor({"name": "pin", "pattern": "PIN is ([0-9]{4,6})"}).redact_event(
        {"content": "the PIN is 123456."}
    )

    assert clean["content"].startswith("the PIN is [redacted:pin:")


WRONG = [
    ({"pattern": "abc"}, "name"),
    ({"name": "Bad Name", "pattern": "abc"}, "name"),
    ({"name": "a"}, "no pattern and no keys"),
    ({"name": "a", "pattern": "("}, "pattern"),
    ({"name": "a", "pattern": "x{0,3}"}, "empty text"),
    ({"name": "a", "pattern": 3}, "is not a text"),
    ({"name": "a", "pattern": "abc", "keyword": ["x"]}, "keyword"),
    ({"name": "a", "pattern": "abc", "keywords": ["x"]}, "shorter than 3"),
    ({"name": "a", "pattern": "abc", "keywords": ['a"bc']}, "not plain"),
    ({"name": "a", "keys": "acmePin"}, "is not a list"),
]


@pytest.mark.parametrize(("rule", "part"), WRONG)
def test_a_wrong_rule_is_refused_with_what_is_wrong(rule: dict[str, Any], part: str) -> None:
    with pytest.raises(SettingError, match=part):
        make_extra([rule])


def test_two_rules_of_one_name_are_refused() -> None:
    with pytest.raises(SettingError, match="two rules"):
        make_extra([ACME, ACME])


def test_the_rules_stand_in_the_config_file_or_in_the_environment(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        '[[redact_rules]]\nname = "acme-key"\npattern = "acme_[a-z0-9]{8}"\n'
    )
    of_file = make_redactor(resolve({"home": str(tmp_path)}, {}), {})
    of_env = make_redactor(
        resolve({"home": str(tmp_path / "x")}, {"LANEWAY_REDACT_RULES": json.dumps([ACME])}), {}
    )

    assert (
        of_file.redact_event({"content": KEY})[1] == of_env.redact_event({"content": KEY})[1] == 1
    )


@pytest.mark.parametrize("text", ["acme", "{}", "[1]"])
def test_rules_in_the_environment_that_are_no_array_of_objects_are_refused(text: str) -> None:
    with pytest.raises(SettingError, match="JSON array"):
        resolve({}, {"LANEWAY_REDACT_RULES": text})


def test_configure_refuses_a_wrong_rule() -> None:
    with pytest.raises(SettingError, match="empty text"):
        laneway.configure(redact_rules=[{"name": "a", "pattern": "x{0,3}"}])


def test_with_a_wrong_rule_in_its_environment_a_host_keeps_its_events_and_no_payload(
    tmp_path: Path,
) -> None:
    code = (
        "import laneway; print(bool(laneway.log_event('a', 'log', 'some text', customer='Smith')))"
    )
    env = {"LOG_PATH": str(tmp_path / "logs"), "LANEWAY_HOME": str(tmp_path)}
    env["LANEWAY_REDACT_RULES"] = json.dumps([{"name": "a", "pattern": "("}])
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )
    text = "".join(path.read_text() for path in (tmp_path / "logs").glob("*-*.jsonl"))

    assert done.stdout == "True\n"
    assert "payloads are withheld" in done.stderr
    event = json.loads(text)
    assert (event["agent"], event["event"]) == ("a", "log")
    assert event["content"] == event["withheld"] == "[withheld:redactor-error]"
    assert not {"customer", "Smith", "some text"} & {*event, *map(str, event.values())}


def test_a_clean_event_is_held_back_by_the_keyword() -> None:
    extra = make_extra([ACME, {"name": "b", "pattern": "zq-[0-9]{4,9}"}])

    assert extra is not None
    assert not extra.may_match('{"content":"an ordinary text","acme":1}')
    assert extra.may_match("zq-")
    assert extra.may_match('"acme_pin"')
