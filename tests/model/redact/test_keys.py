"""Which names hide secrets."""

import pytest

from laneway.model.redact.keys import environment_secrets, secret_name
from laneway.model.redact.scan import has_word

SECRET_NAMES = [
    "password", "Password", "db_password", "userPassword", "passwd", "PASSPHRASE", "pwd", "DB_PWD", "db_pass",
    "secret", "client_secret", "clientSecret", "webhook-secret", "api_key", "apiKey", "X-Api-Key", "APIKEY",
    "OPENAI_API_KEY", "aws_secret_access_key", "private_key", "privateKey", "encryptionKey", "signing.key",
    "secret_key_base64", "access_token", "accessToken", "refresh-token", "authToken", "session_token",
    "github_token", "token", "authorization", "Proxy-Authorization", "cookie", "Set-Cookie", "credentials",
    "credential", "dsn", "SENTRY_DSN", "connectionString", "connection_string",
]  # fmt: skip

HARMLESS_NAMES = [
    "tokens", "max_tokens", "input_tokens", "output_tokens", "cache_read_tokens", "token_count", "tokenizer",
    "total_tokens", "next_page_token", "nextToken", "continuation_token", "eos_token", "pad_token",
    "author", "authors", "authored_by", "session_id", "key", "keys", "primary_key", "sort_key", "keyword",
    "monkey", "password_hint_shown", "secretary", "cookies_accepted", "pass", "passed", "bypass", "compass",
    "access_key_id", "api_keys_url", "public_key", "content", "trace_id", "",
]  # fmt: skip


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_the_name_of_a_secret_counts_in_every_spelling(name: str) -> None:
    assert secret_name(name) is not None


@pytest.mark.parametrize("name", HARMLESS_NAMES)
def test_counts_authors_pages_and_sessions_are_no_secrets(name: str) -> None:
    assert secret_name(name) is None


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_the_sieve_holds_back_every_secret_name(name: str) -> None:
    """A cookie or connection counts only with a value that has a sign in it; the others always."""
    assert has_word(f'{{"{name.lower()}":"a=b@c"}}')
    assert has_word(f'{{"body":"{{\\"{name.lower()}\\" : \\"a=b@c\\"}}"}}')


def test_a_giant_name_is_not_judged() -> None:
    assert secret_name("x" * 1_000_000 + "password") is None


def test_the_environment_gives_the_values_of_secret_names_that_are_no_plain_words() -> None:
    env = {
        "OPENAI_API_KEY": "k-7f3a9c2e",
        "DB_PASSWORD": "correct horse battery staple",
        "POSTGRES_PASSWORD": "postgres",
        "SHORT_TOKEN": "a1b2c3",
        "PWD": "/home/ann/project7",
        "HOME": "/home/ann",
        "PASSWORD_FILE": "/run/secrets/password1",
        "MAX_TOKENS": "1234567890",
        "API_KEY": "${REAL_API_KEY}",
    }

    assert environment_secrets(env) == ("correct horse battery staple", "k-7f3a9c2e")
