"""Where the bus is, from the settings."""

from pathlib import Path
from typing import Any

import pytest

from laneway.base.errors import SettingError
from laneway.base.settings import Settings, resolve
from laneway.sdk.bus.address import is_exposed, read_address


def made(home: Path, **values: Any) -> Settings:
    return resolve({"home": home, **values}, env={})


def test_several_servers_are_given_separated_by_commas(home: Path) -> None:
    address = read_address(made(home, bus="nats://10.0.0.5,tls://[::1]:4333"))
    assert address.servers == ("nats://10.0.0.5:4222", "tls://[::1]:4333")
    assert "tls" in address.options


@pytest.mark.parametrize(
    "bus", ["http://127.0.0.1", "127.0.0.1:4222", "nats://", "nats://a:99999", "nats://a/b"]
)
def test_what_is_no_address_is_refused(home: Path, bus: str) -> None:
    with pytest.raises(SettingError, match="no address of a NATS server"):
        read_address(made(home, bus=bus))


def test_a_password_in_an_address_is_refused_and_not_told(home: Path) -> None:
    with pytest.raises(SettingError) as caught:
        read_address(made(home, bus="nats://hub:hunter22@10.0.0.5"))
    assert "hunter22" not in f"{caught.value} {caught.value.hint}"


def test_without_the_client_it_is_said_how_to_get_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("laneway.sdk.bus.address.find_spec", lambda name: None)
    with pytest.raises(SettingError) as caught:
        read_address(made(home, bus="nats://127.0.0.1"))
    assert "laneway[nats]" in caught.value.hint


def test_secrets_come_from_files(home: Path, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hunter22\n")
    settings = made(
        home, bus="nats://127.0.0.1", bus_user="hub", bus_password_file=tmp_path / "password"
    )
    assert read_address(settings).options == {"user": "hub", "password": "hunter22"}


@pytest.mark.parametrize(
    "name", ["bus_token_file", "bus_creds_file", "bus_nkey_file", "bus_tls_ca", "bus_tls_cert"]
)
def test_a_file_that_is_not_there_is_told(home: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingError, match="No such file"):
        read_address(made(home, bus="nats://127.0.0.1", **{name: tmp_path / "none"}))


def test_a_stream_s_name_is_one_token(home: Path) -> None:
    with pytest.raises(SettingError, match="is not a stream's name"):
        read_address(made(home, bus="nats://127.0.0.1", bus_stream="a.b"))


@pytest.mark.parametrize(
    ("bus", "exposed"),
    [("nats://127.0.0.1", False), ("nats://localhost", False), ("nats://10.0.0.5", True)],
)
def test_a_bus_elsewhere_without_tls_is_exposed(home: Path, bus: str, exposed: bool) -> None:
    assert is_exposed(made(home, bus=bus)) == exposed
