"""Every dependency has its reason."""

from bench.dependencies import REASONS, brings, declared, size_bytes


def test_each_dependency_that_a_user_can_install_has_a_reason_and_no_other() -> None:
    assert declared().keys() == REASONS.keys()
    assert declared()["orjson"] == ""
    assert declared()["ahocorasick-rs"] == "hub"


def test_what_is_installed_is_weighed() -> None:
    assert size_bytes("orjson") > 100_000
    assert {"starlette", "idna"} <= brings("starlette") | {"starlette"}
    assert "pytest" not in brings("starlette")
