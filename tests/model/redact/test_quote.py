"""What an error message quotes is redacted before it is cut."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from laneway.base import errors
from laneway.base.errors import QueryError, SettingError, quote
from laneway.base.settings import resolve
from laneway.hub.metric import Metric
from laneway.hub.pipeline import Intake
from laneway.model.redact import make_redactor
from laneway.model.wire import decode_body
from tests.model.redact.secret import make, pem

DRAW = random.Random(5)
JWT = "eyJ" + ".eyJ".join("aB3dE6gH9kLmN0pQ" * 8 for _ in range(2)) + "." + "sIgN4tUr3" * 8
PEM = pem(DRAW)
LONG = {"jwt": JWT, "pem": PEM, "token": "sk-" + "ant-" + "aB3dE6gH9kLmN0pQ" * 13}


@pytest.fixture(autouse=True)
def redacting(tmp_path: Path) -> Iterator[None]:
    make_redactor(resolve({"home": str(tmp_path)}, {}), {})
    yield
    errors.redact_quotes(errors._as_it_is)


def shows_no_part(text: str, secret: str) -> bool:
    """No twelve characters of the secret stand in ``text``."""
    return not any(secret[at : at + 12] in text for at in range(len(secret) - 12))


@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize("before", ["", "x" * 60 + " ", "y" * 115 + " "])
def test_a_long_secret_leaves_no_beginning_in_a_quotation(name: str, before: str) -> None:
    secret = LONG[name]
    assert len(secret) >= 200

    for value in (before + secret, [before + secret], {"v": before + secret}):
        told = quote(value)
        assert len(told) <= 121
        assert shows_no_part(told, secret.replace("-----BEGIN RSA PRIVATE KEY-----\n", ""))


@pytest.mark.parametrize("name", LONG)
def test_a_rejection_of_the_hub_quotes_no_part_of_it(name: str) -> None:
    secret = LONG[name]
    redactor = make_redactor(resolve({}, {}), {})
    intake = Intake(redactor, Metric(), None)
    bad: list[object] = [
        {"agent": "a", "event": "log", "timestamp": secret},
        {"agent": "a", "event": "log", "input_tokens": secret},
        {"agent": secret * 3, "event": ""},
        [secret],
        *decode_body(f'{{"agent": "{secret[:300]}'.encode(), "application/json"),
        *decode_body(f"{secret}".encode(), "application/json"),
    ]

    taken = intake.take(bad)

    assert taken.rejected_count >= 4
    for rejection in taken.rejections:
        assert shows_no_part(
            str(rejection), secret.replace("-----BEGIN RSA PRIVATE KEY-----\n", "")
        )


def test_settings_and_queries_quote_no_part_of_it() -> None:
    for secret in LONG.values():
        assert shows_no_part(SettingError(f"port: {quote(secret)} is not a number").message, secret)
        assert shows_no_part(QueryError(f"there is no parameter {quote(secret)}").message, secret)
    with pytest.raises(SettingError) as caught:
        resolve({"port": JWT}, {})
    assert shows_no_part(caught.value.message, JWT)


def test_a_redactor_that_fails_withholds_the_quotation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("laneway.model.redact.walk.find_spans", lambda text: 1 / 0)

    assert quote(make("A" * 40, DRAW)) == "[withheld:redactor-error]"
