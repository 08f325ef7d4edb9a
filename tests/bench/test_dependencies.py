"""Every dependency has its reason."""

from bench.dependencies import REASONS, _written, brings, declared, size_bytes


def test_each_dependency_that_a_user_can_install_has_a_reason_and_no_other() -> None:
    assert declared().keys() == REASONS.keys()
    assert declared()["orjson"] == ""
    assert declared()["ahocorasick-rs"] == "hub"


def test_what_is_not_installed_keeps_the_row_that_the_page_has() -> None:
    (row,) = _written("clickhouse-connect")
    assert row["comes with"] == "`laneway[clickhouse]`"
    assert float(str(row["MB"])) > 1
    assert _written("no-such-package") == []


def test_what_is_installed_is_weighed() -> None:
    assert size_bytes("orjson") > 100_000
    assert {"starlette", "idna"} <= brings("starlette") | {"starlette"}
    assert "pytest" not in brings("starlette")
