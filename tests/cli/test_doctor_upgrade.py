"""`laneway doctor --upgrade` says what another version will find, and touches none of it."""

import sqlite3
from pathlib import Path

import orjson

from laneway.store.sqlite.schema import VERSION

from .conftest import Run, StartHub, Write


def told(run: Run, **env: str) -> dict[str, dict[str, str]]:
    ended = run("doctor", "--upgrade", "--json", **env)
    assert ended.code == 0, ended.out + ended.err
    return {check["name"]: check for check in orjson.loads(ended.out)["checks"]}


def test_an_index_of_another_layout_is_told_and_is_built_again_by_the_next_query(
    run: Run, home: Path, write: Write
) -> None:
    write({"content": "kept over the upgrade"})
    assert "kept over" in run("query", "upgrade").out
    (database,) = (home / "logs/.index").glob("*.db")
    with sqlite3.connect(database) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION - 1}")
    connection.close()
    before = (home / "logs/events-000001.jsonl").read_bytes()

    found = told(run)["layout"]

    assert f"1 of 1 segment of layout {VERSION - 1}" in found["value"]
    assert "from the log" in found["remedy"]
    assert "kept over" in run("query", "upgrade").out
    assert f"{VERSION}, as this version's" in told(run)["layout"]["value"]
    assert (home / "logs/events-000001.jsonl").read_bytes() == before


def test_where_there_is_nothing_yet_nothing_is_wrong(run: Run, tmp_path: Path) -> None:
    found = told(run, HOME=str(tmp_path))

    assert found["layout"]["state"] == "note"
    assert found["service"]["value"] == "none installed"
    assert "read as they are" in found["log format"]["value"]


def test_a_running_hub_is_asked_for_its_version(run: Run, start_hub: StartHub) -> None:
    hub = start_hub()

    assert hub.url in told(run)["hub"]["value"]


def test_a_service_that_starts_another_python_is_told(run: Run, tmp_path: Path) -> None:
    unit = tmp_path / ".config/systemd/user/laneway.service"
    unit.parent.mkdir(parents=True)
    unit.write_text('ExecStart="/opt/old/bin/python" "-m" "laneway" "up"\n')

    found = told(run, HOME=str(tmp_path))["service"]

    assert found["state"] == "warn"
    assert "laneway service install" in found["remedy"]
