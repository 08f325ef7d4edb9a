"""The address of a store."""

from pathlib import Path

import pytest

from laneway.base.errors import StoreError
from laneway.store.clickhouse.client import Address, parse_address


def test_an_address_tells_host_user_database_cluster_and_how_long(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("p@ss\n")
    url = f"clickhouses://laneway@ch.example:9443/agents?cluster=two&ttl=90d&password_file={secret}"
    assert parse_address(url) == Address(
        "ch.example", 9443, True, "laneway", "p@ss", "agents", "two", 90
    )


def test_what_is_not_said_is_as_usual() -> None:
    assert parse_address("clickhouse://localhost") == Address(
        "localhost", 8123, False, "default", "", "laneway"
    )


@pytest.mark.parametrize(
    "url",
    [
        "http://u:hunter2@h",
        "clickhouse://",
        "clickhouse://u:hunter2@h/a`b",
        "clickhouse://u:hunter2@h/a?cluster=x y",
        "clickhouse://u:hunter2@h/a?ttl=forever",
        "clickhouse://u:hunter2@h/a?shard=1",
        "clickhouse://u:hunter2@h:99999/a",
        "clickhouse://u@h/a?password_file=/nowhere/at/all",
    ],
)
def test_what_is_no_address_is_refused_without_telling_its_password(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        parse_address(url)
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"
