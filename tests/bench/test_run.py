"""The runner of the benches, with a bench that measures nothing."""

import json
import sys
from pathlib import Path

import pytest

from bench import run

FAKE = "tests.bench.fake_bench"


def make(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["bench.run", *arguments])
    return run.main()


def test_a_figure_is_kept_with_how_it_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "BENCHES", {"append": FAKE})
    out = tmp_path / "results.json"
    assert make(monkeypatch, "--out", str(out)) == 0
    kept = json.loads(out.read_text())
    assert kept["figures"]["append.p50_us"] == {
        "value": 24.0, "runs": 3, "peer": "a pen", "peer_value": 12.0, "events": 0
    }  # fmt: skip
    assert kept["tables"]["append"] == [{"title": "Pens", "rows": [{"pen": "blue", "µs": 6.0}]}]
    assert {"date", "load", "commit", "seed", "seconds"} <= set(kept["runs"]["append"])
    assert kept["machine"]["cores"]
    assert "laneway" in kept["versions"]
    assert "missed" in capfd.readouterr().out


def test_a_smoke_run_takes_the_small_sizes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "BENCHES", {"append": FAKE})
    monkeypatch.setattr(run, "FIGURES", tmp_path / "figures.json")
    assert make(monkeypatch, "--smoke") == 0
    assert "6 µs" in capfd.readouterr().out
    assert not (tmp_path / "figures.json").exists()


def test_a_bench_that_fails_is_told_and_the_others_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "BENCHES", {"imports": "tests.bench.no_such_bench", "append": FAKE})
    out = tmp_path / "results.json"
    assert make(monkeypatch, "--out", str(out)) == 1
    kept = json.loads(out.read_text())
    assert "no_such_bench" in kept["runs"]["imports"]["failure"]
    assert kept["runs"]["append"]["failure"] == ""
    row = next(row for row in run.figure_rows(kept) if row["bench"] == "imports")
    assert (row["verdict"], "did not finish" in row["note"]) == ("not measured here", True)
    assert "imports did not finish" in capfd.readouterr().out


def test_a_run_of_some_keeps_the_figures_of_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "results.json"
    old = {"value": 1.0, "runs": 1, "peer": "", "peer_value": None, "events": 0}
    out.write_text(
        json.dumps({"machine": run.machine(), "figures": {"disk.of_raw": old, "append.gone": old}})
    )
    monkeypatch.setattr(run, "BENCHES", {"append": FAKE, "disk": "bench.disk"})
    make(monkeypatch, "append", "--out", str(out))
    assert set(json.loads(out.read_text())["figures"]) == {"disk.of_raw", "append.p50_us"}


def test_results_of_another_machine_are_not_mixed_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "results.json"
    out.write_text(json.dumps({"machine": {"cores": 512}, "figures": {"disk.of_raw": {}}}))
    monkeypatch.setattr(run, "BENCHES", {"append": FAKE})
    make(monkeypatch, "--out", str(out))
    assert set(json.loads(out.read_text())["figures"]) == {"append.p50_us"}


def test_an_unknown_bench_is_named_with_those_that_there_are(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert make(monkeypatch, "apend") == 2
    assert "no bench apend; there are append" in capfd.readouterr().err


def test_every_bench_of_the_runner_is_a_module() -> None:
    for name in run.BENCHES.values():
        assert (Path(run.__file__).parents[1] / f"{name.replace('.', '/')}.py").exists(), name
