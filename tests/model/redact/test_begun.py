"""A text that was cut elsewhere gives no beginning of a secret away."""

import pytest

from laneway.model.redact import Redactor
from laneway.model.wire import encode_redacted

MARK = "…[cut: 4711 bytes gone, sha256 9f161d653c443be2]"
BEGINNINGS = [
    "gh" + "p_aB3d",
    "eyJ" + "hbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
    "eyJ" + "aB3dE6gH9" * 200,
    "sk-" + "ant-api03",
    "xoxb-" + "12",
    "ATATT3" + "xF=a",
    "postgres://app:s3cr",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA",
]


@pytest.mark.parametrize("begun", BEGINNINGS)
@pytest.mark.parametrize("before", ["", "it is ", "token=", "x" * 300 + " "])
def test_what_looks_like_the_start_of_a_secret_at_a_cut_goes(begun: str, before: str) -> None:
    line, count = encode_redacted({"agent": "a", "content": before + begun + MARK}, Redactor())
    again, _ = encode_redacted({"agent": "a", "content": before + begun + MARK}, Redactor())

    assert count
    secret = begun.partition("://app:")[2] or begun
    assert secret.encode() not in line
    assert secret[-4:].encode() not in line
    assert MARK.encode() in line
    assert len(again) == len(line)


@pytest.mark.parametrize(
    "text", ["the planner asks for", "src/app/config.py", "https://host/a", "see http://h:80/x/y"]
)
def test_what_does_not_stays(text: str) -> None:
    event = {"agent": "a", "content": text + MARK}

    assert encode_redacted(event, Redactor())[1] == 0
