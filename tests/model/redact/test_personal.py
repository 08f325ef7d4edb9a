"""Personal data goes where it is asked for, and nowhere else."""

import pytest

from laneway.model.redact import Redactor
from laneway.model.redact.custom import make_extra
from laneway.model.redact.personal import passes_luhn

PERSONAL = [
    ("email", "write to {} today", "ann.author+x@mail.example-site.co.uk"),
    ("email", "<{}>", "ann@firm.de"),
    ("phone", "call {}.", "+49 30 1234567"),
    ("phone", "call {} now", "+1 (555) 010-9999"),
    ("phone", "tel: {}", "(030) 123 45 67"),
    ("phone", "{}", "415-555-2671"),
    ("iban", "to {} please", "DE89 3704 0044 0532 0130 00"),
    ("iban", "{} USED", "GB29NWBK60161331926819"),
    ("card", "card {}", "4111 1111 1111 1111"),
    ("card", "card {},", "5500-0000-0000-0004"),
    ("card", "({})", "378282246310005"),
    ("ip", "from {}:8080", "10.1.2.3"),
    ("ip", "from {} to", "2001:db8:85a3::8a2e:370:7334"),
    ("ip", "[{}]", "2001:db8:0:1:1:1:1:1"),
]
ORDINARY = [
    "at 10:00:00 and 2026-11-26T10:00:00.123456Z",
    "version 1.2.3, 10.0.0.1.5, 999.1.1.1, v1.2.3.4-rc1x",
    "0192f0c1-7a3b-7c4d-8e5f-0123456789ab",
    "DE89 3704 0044 0532 0130 01 and card 4111 1111 1111 1112",
    "git@github.com:ann/x.git, @decorator, a @ b, user@localhost",
    "std::vector, a::b::c, ::1, 127.0.0.1, 0.0.0.0",
    "12345678901234567890, 1.234567890123, 100 200 300 400 500 600",
    "4bf92f3577b34da6a3ce929d0e0e4736",
]


@pytest.fixture
def redactor() -> Redactor:
    return Redactor(extra=make_extra([], personal=True))


@pytest.mark.parametrize(("rule", "text", "value"), PERSONAL)
def test_personal_data_is_replaced(redactor: Redactor, rule: str, text: str, value: str) -> None:
    before, _, after = text.partition("{}")

    clean, count = redactor.redact_event({"content": text.format(value)})

    assert count == 1
    assert clean["content"].startswith(f"{before}[redacted:{rule}:")
    assert clean["content"].endswith(f"]{after}")
    assert redactor.redact_event(clean) == (clean, 0)


@pytest.mark.parametrize(("rule", "text", "value"), PERSONAL)
def test_it_stays_where_nobody_asked(rule: str, text: str, value: str) -> None:
    event = {"content": text.format(value)}

    assert Redactor().redact_event(event) == (event, 0)


@pytest.mark.parametrize("text", ORDINARY)
def test_times_versions_ids_and_wrong_check_digits_stay(redactor: Redactor, text: str) -> None:
    assert redactor.redact_event({"content": text}) == ({"content": text}, 0)


def test_the_check_digit_of_luhn() -> None:
    assert passes_luhn("79927398713")
    assert not passes_luhn("79927398710")
