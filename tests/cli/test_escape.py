"""Nothing that an event holds reaches the terminal as an order, or stays hidden from the eye."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laneway.cli.escape import escape, escape_json, is_unsafe

HOSTILE = {
    "\x1b[2J\x1b[1;31mgone": "\\x1b[2J\\x1b[1;31mgone",
    "\x1b]52;c;cm0gLXJm\x07": "\\x1b]52;c;cm0gLXJm\\x07",
    "\x1b]8;;http://evil\x1b\\here": "\\x1b]8;;http://evil\\x1b\\here",
    "\x9b31m and \x9d0;title\x9c": "\\x9b31m and \\x9d0;title\\x9c",
    "done\rfailed": "done\\rfailed",
    "one\ntwo\tthree": "one\\ntwo\\tthree",
    "back\x08space\x7f": "back\\x08space\\x7f",
    "\x00nul": "\\x00nul",
    "user\u202etxt.exe": "user\\u202etxt.exe",
    "\u2066isolate\u2069": "\\u2066isolate\\u2069",
    "ad\u200bmin\u200d\ufeff": "ad\\u200bmin\\u200d\\ufeff",
    "line\u2028break\u2029": "line\\u2028break\\u2029",
    "soft\u00adhyphen": "soft\\xadhyphen",
    "tag\U000e0041": "tag\\U000e0041",
    "lone\ud800": "lone\\ud800",
    "\u3164\u115f\uffa0": "\\u3164\\u115f\\uffa0",
}


@pytest.mark.parametrize(("text", "shown"), HOSTILE.items())
def test_what_a_terminal_would_obey_or_hide_is_spelled_out(text: str, shown: str) -> None:
    assert escape(text) == shown


@pytest.mark.parametrize(
    "text", ["plain", "Grüße", "日本語", "🙂 ok", "a\u00a0b", "e\u0301", "\\x1b"]
)
def test_text_for_people_is_left_alone(text: str) -> None:
    assert escape(text) == text


@given(st.text())
def test_no_text_keeps_an_unsafe_character(text: str) -> None:
    assert not any(map(is_unsafe, escape(text)))


@given(st.text(alphabet=st.characters(blacklist_categories=("Cs",))))
def test_escaped_json_says_the_same_and_is_safe(text: str) -> None:
    encoded = json.dumps({"text": text}, ensure_ascii=False)
    shown = escape_json(encoded)
    assert json.loads(shown) == {"text": text}
    assert not any(map(is_unsafe, shown))


def test_every_control_and_format_character_of_unicode_is_unsafe() -> None:
    controls = [chr(i) for i in range(0x110000) if unicodedata.category(chr(i)) in ("Cc", "Cf")]
    assert len(controls) > 200
    assert not any(escape(char) == char for char in controls)
