"""What `emit` makes of its arguments."""

import pytest

from laneway.cli.emit import HELP_TEXT, Order, UsageError, parse


def fields(*args: str) -> dict[str, object]:
    return parse(args).defaults


def test_agent_event_and_content_come_in_this_order() -> None:
    assert fields("a", "b", "c") == {"agent": "a", "event": "b", "content": "c"}


def test_a_field_with_one_sign_is_text_and_with_two_keeps_its_type() -> None:
    given = fields("a", "b", "n=1", "m:=1", 'input:={"p": [true, null]}', "url=http://x?y=z")
    assert given["n"] == "1"
    assert given["m"] == 1
    assert given["input"] == {"p": [True, None]}
    assert given["url"] == "http://x?y=z"


def test_an_empty_value_is_a_value() -> None:
    assert fields("a", "b", "note=")["note"] == ""


def test_a_value_may_have_many_lines() -> None:
    assert fields("a", "b", "note=one\ntwo")["note"] == "one\ntwo"


def test_content_that_looks_like_a_field_or_an_option_goes_after_two_dashes() -> None:
    assert fields("a", "b", "--", "x=1")["content"] == "x=1"
    assert fields("a", "b", "-c", "--quiet")["content"] == "--quiet"
    assert fields("a", "b", "--content=-x=1")["content"] == "-x=1"


@pytest.mark.parametrize("text", ["- item", "-5", "--- a/file", "-", "", "a = b", "1=2"])
def test_content_that_is_no_option_and_no_field_needs_no_dashes(text: str) -> None:
    assert fields("a", "b", text)["content"] == text


def test_fields_and_options_may_stand_anywhere_behind_the_event() -> None:
    order = parse(["--id", "a", "b", "k=v", "text", "--log", "/l", "j=w"])
    assert order.defaults == {"agent": "a", "event": "b", "content": "text", "k": "v", "j": "w"}
    assert order.values["log"] == "/l"
    assert order.flags == {"id"}


def test_bytes_that_are_no_utf8_become_the_replacement_character() -> None:
    assert fields("a", "b", "caf\udce9")["content"] == "caf\ufffd"


def test_json_input_needs_no_names_and_takes_fields() -> None:
    assert parse(["--json", "agent=a", "n:=1"]).defaults == {"agent": "a", "n": 1}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], "AGENT and EVENT are wanted, and nothing was given"),
        (["a"], 'AGENT and EVENT are wanted, and "a" was given'),
        (["a", "--json"], 'AGENT and EVENT are wanted, and "a" was given'),
        (["a", "b", "c", "d"], 'one CONTENT is wanted, and "c" "d" were given'),
        (["a", "b", "--qiet"], 'there is no option "--qiet"'),
        (["-x", "a", "b"], 'there is no option "-x"'),
        (["a", "b", "--log"], "--log wants a value"),
        (["a", "b", "n:=one"], "n:= wants JSON"),
        (["a", "b", "c", "--stdin"], "CONTENT was given twice"),
        (["a", "b", "c", "content=d"], "CONTENT was given twice"),
        (["a", "b", "--stdin", "--json"], "choose one"),
    ],
)
def test_wrong_usage_says_what_was_wanted(args: list[str], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(args)
    assert said in str(caught.value)


def test_a_timeout_that_is_no_duration_is_told() -> None:
    with pytest.raises(UsageError, match="--timeout wants a duration"):
        _ = parse(["a", "b", "--timeout", "soon"]).timeout_s


def test_every_option_is_in_the_help() -> None:
    from laneway.cli.emit import FLAG_OPTIONS, VALUE_OPTIONS

    for name in [*FLAG_OPTIONS, *VALUE_OPTIONS]:
        assert name in HELP_TEXT or name == "--no-color"


def test_help_needs_nothing_else() -> None:
    assert isinstance(parse(["--help"]), Order)
