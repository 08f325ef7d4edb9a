"""Secrets go, by name, by shape and by value; everything else stays as it was."""

import base64
import json
import math
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laneway.base.limits import DEPTH
from laneway.model.encode import encode
from laneway.model.redact import Redactor, walk
from laneway.model.redact import redactor as module
from laneway.model.wire import encode_redacted

GITHUB = "gh" + "p_" + "aB3dE6gH9" * 4
OPENAI = "s" + "k-proj-" + "aB3dE6gH9" * 4


def redacted(event: dict[str, Any], *secrets: str) -> tuple[dict[str, Any], int]:
    """By the walk and by the line: both ways must agree."""
    redactor = Redactor(secrets)
    clean, count = redactor.redact_event(event)
    line, line_count = redactor.redact_line(event, encode(event))
    assert orjson.loads(line) == clean
    assert line_count == count
    assert redactor.is_suspicious(encode(event)) or not count
    assert not (count and redactor.is_clean(event))
    return clean, count


def test_a_secret_in_a_text_becomes_a_mark_and_the_rest_stays() -> None:
    clean, count = redacted({"content": f"use {GITHUB} for the clone"})

    assert count == 1
    head, _, tail = clean["content"].partition("[redacted:github-token:")
    assert (head, tail[6:]) == ("use ", "] for the clone")


def test_equal_secrets_get_equal_marks_and_others_do_not() -> None:
    clean, _ = redacted({"a": GITHUB, "b": [GITHUB, OPENAI]})

    assert clean["a"] == clean["b"][0] != clean["b"][1]
    assert clean["a"] != Redactor().redact_event({"a": GITHUB})[0]["a"]


def test_secrets_are_found_in_keys_lists_and_nested_objects() -> None:
    clean, count = redacted({"input": {"list": [{"deep": [GITHUB]}], GITHUB: 1}})

    assert count == 2
    assert GITHUB not in json.dumps(clean)


def test_a_named_secret_goes_whatever_it_looks_like() -> None:
    clean, count = redacted(
        {"input": {"user": "ann", "password": "correct horse", "apiKey": "abc def"}}
    )

    assert count == 2
    assert clean["input"]["user"] == "ann"
    assert clean["input"]["password"].startswith("[redacted:password:")


def test_all_texts_under_a_secret_name_go() -> None:
    clean, count = redacted(
        {"credentials": {"id": "a1b2c3d4e5", "key": ["f6g7h8i9j0"]}, "secret": ["abcd", "efgh"]}
    )

    assert count == 4
    assert "a1b2c3d4e5" not in json.dumps(clean)


def test_numbers_and_flags_are_never_redacted() -> None:
    event = {
        "password": 12345678,
        "secret": True,
        "token": None,
        "api_key": 1.5,
        "max_tokens": 4096,
    }

    assert redacted(event) == (event, 0)


def test_a_mark_shields_nothing_but_itself() -> None:
    clean, count = redacted(
        {"password": "[redacted:password:abcdef]", "secret": "[redacted:secret:abcdef] hunter2"}
    )

    assert count == 1
    assert clean["password"] == "[redacted:password:abcdef]"
    assert "hunter2" not in clean["secret"]


def test_the_schema_of_a_password_field_is_no_password() -> None:
    event = {
        "parameters": {"password": {"type": "string", "description": "the password of the user"}}
    }

    assert redacted(event) == (event, 0)


def test_json_inside_a_text_is_looked_into_one_level_deep() -> None:
    body = json.dumps(
        {"user": "ann", "password": "correct horse", "n": [1, {"token": "a1b2c3d4e5"}]}
    )
    clean, count = redacted({"output": body, "content": f"\n {body}"})

    assert count == 4
    assert json.loads(clean["output"])["user"] == "ann"
    assert "correct horse" not in json.dumps(clean)


def test_escapes_in_json_inside_a_text_hide_nothing() -> None:
    body = r'{"\u0070assword": "correct horse", "url": "https:\/\/u:p4ssw0rd@h\/"}'
    clean, count = redacted({"output": body})

    assert count == 2
    assert "correct horse" not in clean["output"]
    assert "p4ssw0rd" not in clean["output"]


def test_json_inside_a_text_without_secrets_keeps_its_spaces() -> None:
    event = {"output": '{ "secretary" :  "ann", "cookie": "none" }'}

    assert redacted(event) == (event, 0)


def test_base64_of_a_secret_is_found_one_level_deep() -> None:
    inner = base64.b64encode(f"token: {GITHUB}\n".encode()).decode()
    clean, count = redacted({"output": f"data: {inner}."})

    assert count == 1
    assert clean["output"].startswith("data: [redacted:github-token:")
    assert clean["output"].endswith("].")


def test_base64_of_anything_else_stays() -> None:
    event = {
        "image": base64.b64encode(bytes(range(256)) * 40).decode(),
        "text": base64.b64encode(b"hello world " * 9).decode(),
    }

    assert redacted(event) == (event, 0)


@pytest.mark.parametrize(
    "run", ["x" * 200, "a-long-name_of/a/directory" * 8, "iVBORw0KGgoAAAANSUhEUgAAAAEA" * 3]
)
def test_a_line_with_a_long_run_that_is_no_text_is_clean(run: str) -> None:
    assert not Redactor().is_suspicious(encode({"agent": "a", "content": run}))


@pytest.mark.parametrize("before", ["", "\n", "\t", "data: ", "é", '{"a": "'])
@pytest.mark.parametrize("shift", range(3))
def test_a_line_with_base64_of_a_secret_is_suspicious(before: str, shift: int) -> None:
    inner = base64.b64encode(f"{'.' * shift}token: {GITHUB}\n".encode()).decode()
    event = {"agent": "a", "content": f"{before}{inner}"}

    assert Redactor().is_suspicious(encode(event))
    assert not Redactor().is_clean(event)
    assert redacted(event)[1] == 1


def test_a_value_of_the_environment_goes_wherever_it_stands() -> None:
    secret = 'pa"ss\\wörd\n1'
    clean, count = redacted(
        {"content": f"it is {secret}!", "output": json.dumps({"x": secret})}, secret
    )

    assert count == 2
    assert clean["content"].startswith("it is [redacted:environment:")


def test_a_short_value_of_the_environment_is_not_looked_for() -> None:
    event = {"content": "abc1234 is short"}

    assert redacted(event, "abc1234") == (event, 0)


@pytest.mark.parametrize(
    "text",
    [
        f"\n{GITHUB}", f"\t{GITHUB}\\n", f'"{GITHUB}"', f"'{GITHUB}'", f"={GITHUB}&", f"%3D{GITHUB}",
        f"é{GITHUB}é",
        f"密钥{GITHUB}", f"\x1b[31m{GITHUB}\x1b[0m", f"token_{GITHUB}", f"x\u0130x {GITHUB}",
        f"`{GITHUB}`",
        f"https://{GITHUB}@github.com/a/b", f"<b>{GITHUB}</b>", f"{GITHUB}.", f"a/{GITHUB}/b",
        f"{GITHUB}\u2028",
    ],
)  # fmt: skip
def test_a_secret_is_found_wherever_it_stands(text: str) -> None:
    clean, count = redacted({"content": text})

    assert count >= 1
    assert GITHUB not in clean["content"]


def test_an_event_without_secrets_comes_back_equal_and_the_line_itself() -> None:
    event = {"agent": "planner", "content": "plan the week", "input": {"days": 7}}
    line = encode(event)

    same, count = Redactor().redact_line(event, line)

    assert same is line
    assert count == 0


def test_the_event_given_is_not_changed() -> None:
    event = {"input": {"password": "correct horse", "list": [GITHUB]}}
    before = json.dumps(event)

    Redactor().redact_event(event)

    assert json.dumps(event) == before


def test_what_was_replaced_is_counted_by_rule() -> None:
    redactor = Redactor()

    redactor.redact_event({"a": GITHUB, "b": f"{GITHUB} {OPENAI}", "password": "correct horse"})

    assert redactor.counts == {"github-token": 2, "openai-key": 1, "password": 1}


@pytest.mark.parametrize(
    "line", [b'{"a":"\\u0070assword=x1y2z3"}', b'{"a":"postgres:\\/\\/u:p@h"}']
)
def test_a_foreign_line_with_escapes_is_suspicious(line: bytes) -> None:
    assert Redactor().is_suspicious(line)


@pytest.mark.parametrize(
    "line", [b'{"password" : "x1"}', b"{'password': 'x1'}", b'{ "token" :"x1"}', b"PASSWORD=abc123"]
)
def test_a_foreign_line_is_suspicious_in_any_spelling(line: bytes) -> None:
    assert Redactor().is_suspicious(line)


def test_a_fault_of_the_redactor_withholds_the_payload_and_keeps_the_event(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(text: str) -> Any:
        raise RuntimeError("a fault")

    monkeypatch.setattr(walk, "find_spans", fail)
    redactor = Redactor()
    event = {"timestamp": "t", "agent": "planner", "event": "log", "id": "e1",
             "content": GITHUB, "input": {"x": [1]},
             "duration_ms": 5, "password": "abc"}  # fmt: skip

    line, count = encode_redacted(event, redactor)

    kept = json.loads(line)
    assert GITHUB.encode() not in line
    assert (kept["agent"], kept["id"], kept["duration_ms"]) == ("planner", "e1", 5)
    assert kept["content"] == kept["input"] == "[withheld:redactor-error]"
    assert count == 1
    assert redactor.counts == {"redactor-error": 1}


def test_a_fault_of_the_sieve_withholds_the_payload_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(low: str) -> bool:
        raise RuntimeError("a fault")

    monkeypatch.setattr(module, "has_word", fail)

    line, count = encode_redacted({"agent": "planner", "content": "harmless"}, Redactor())

    assert json.loads(line) == {"agent": "planner", "content": "[withheld:redactor-error]"}
    assert count == 1


def test_a_secret_that_spells_a_mark_is_replaced_once() -> None:
    clean, count = redacted({"content": "it is redacted, github-token"}, "redacted", "github-token")

    assert count == 2
    assert Redactor(("redacted", "github-token")).redact_event(clean) == (clean, 0)


def test_more_text_than_a_line_could_ever_hold_is_withheld() -> None:
    clean, _ = Redactor().redact_event({"output": ["password=abc123 " * 4_000] * 40})

    assert clean["output"][-1] == "[withheld:too-large]"
    assert "abc123" not in json.dumps(clean)


PIECES = st.sampled_from([
    GITHUB, OPENAI, "password=hunter22", 'password: "x y z 1"', "Bearer abc123def456",
    "://u:pa55word@h", "cookie: a=b; c=d",
    "[redacted:github-token:abcdef]", "[redacted:", "token", "=", ":",
    " ", '"', "\\", "'", "\n", "é", "\u0130",
    "--token abc123def", "<password>hunter22</password>", "machine h login u password hunter22",
    "curl -u a:b1c2d3e4",
    "jdbc:oracle:thin:u/pa55word@h", "ab18Q~" + "aB3dE6gH9" * 4,
    "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----", "Authorization: Basic dXNlcjpwYXNz",
    "sig=" + "aB3" * 9,
    base64.b64encode(GITHUB.encode()).decode(), '{"password":"abc d"}', "secret", "_key", "x" * 30,
])  # fmt: skip
TEXTS = st.lists(PIECES | st.text(max_size=5), max_size=8).map("".join)
EVENTS = st.dictionaries(
    st.sampled_from(["content", "password", "input", "cookie", "token", "x"]) | TEXTS,
    st.recursive(
        TEXTS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
        max_leaves=5,
    ),
    max_size=4,
)


@settings(max_examples=200, deadline=None)
@given(EVENTS)
def test_redacting_twice_is_redacting_once(event: dict[str, Any]) -> None:
    redactor = Redactor()
    once, _ = redactor.redact_event(event)

    assert redactor.redact_event(once) == (once, 0)


@settings(max_examples=200, deadline=None)
@given(EVENTS)
def test_the_line_and_the_walk_agree(event: dict[str, Any]) -> None:
    redactor = Redactor()
    line, count = redactor.redact_line(event, encode(event))
    clean, walked = redactor.redact_event(event)

    assert orjson.loads(line) == clean
    assert count == walked
    assert not (count and redactor.is_clean(event))


def test_fields_of_our_own_making_are_not_looked_through_and_all_others_are() -> None:
    made = frozenset({"timestamp"})

    assert Redactor().is_clean({"timestamp": GITHUB, "content": "nothing"}, made)
    assert not Redactor().is_clean({"timestamp": "now", "content": GITHUB}, made)
    assert not Redactor().is_clean({"timestamp": "now", GITHUB: 1}, made)
    assert not Redactor().is_clean({"content": {"nested": GITHUB}}, made)
    assert not Redactor(["a secret of the environment"]).is_clean(
        {"content": "it is: a secret of the environment"}, made
    )


@pytest.mark.parametrize(
    "nested",
    [
        {"pattern": "tidal", "path": "notes", "limit": 20, "deep": [{"ok": True, "none": None}]},
        [[], {}, [0.5, ["x"]]],
        None,
    ],
)
def test_a_small_nested_event_of_plain_values_is_clean_and_encoded_as_it_is(nested: object) -> None:
    event = {"agent": "a", "event": "tool_invocation", "input": nested}

    assert Redactor().is_clean(event)
    assert encode_redacted(event, Redactor()) == (encode(event), 0)


@pytest.mark.parametrize(
    "nested",
    [
        GITHUB,
        {GITHUB: 1},
        {"password": "x"},
        ["a", ["password=hunter22"]],
        {"body": '{"password": "correct horse"}'},
        ["\\u0070assword"],
        [math.nan],
        {"x": math.inf},
        [b"x"],
        {1: "x"},
        [("x",)],
    ],
)
def test_whatever_else_a_nested_event_holds_is_looked_at_closer(nested: object) -> None:
    assert not Redactor().is_clean({"agent": "a", "event": "log", "input": [nested]})


def test_a_large_or_deep_or_endless_event_is_no_small_one() -> None:
    endless: list[Any] = []
    endless.append(endless)
    deep: list[Any] = []
    for _ in range(DEPTH):
        deep = [deep]

    for value in ([0] * 10_000, [[]] * 10_000, endless, deep):
        assert not Redactor().is_clean({"agent": "a", "event": "log", "input": value})


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None, b"x", 1 << 80, "\ud800"])
def test_what_json_cannot_hold_takes_the_long_way_and_is_kept(value: object) -> None:
    line, count = encode_redacted({"agent": "a", "event": "log", "content": value}, Redactor())

    assert orjson.loads(line)["event"] == "log"
    assert line == encode({"agent": "a", "event": "log", "content": value})
    assert count == 0


@pytest.mark.parametrize(
    "value", ["lKYxWujVidDjuP-W", "QwErTyUiOpAs", "xKcDmNoPqRsT", "aBcDeFgHiJkL_mNoP"]
)
def test_letters_in_no_order_of_a_name_are_a_password(value: str) -> None:
    assert value not in Redactor().redact_text(f"login with password={value} please")
    assert value not in Redactor().redact_text(f'{{"config": "DB_PASSWORD={value}"}}')


@pytest.mark.parametrize(
    "value",
    ["getUserPasswordFromStore", "newUserPassword", "DbPwd", "user_input", "req.body.pwD", "MyKeyID",
     "HTTPServerError", "settings.DB.passWd", "sesame", "OpenAIApiKeyField"],
)  # fmt: skip
def test_the_name_of_a_variable_is_none(value: str) -> None:
    text = f"password={value}"
    assert Redactor().redact_text(text) == text
