"""The dashboard and the alerts ask for nothing that the hub does not tell."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.hub.event import event
from tests.waiting import eventually
from tests.web.conftest import Running

DEPLOY = Path(__file__).parents[2] / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana" / "laneway.json").read_text())
ALERTS = (DEPLOY / "prometheus" / "alerts.yml").read_text()
NAME = re.compile(r"\b(?:laneway|process)_[a-z_]+")
SELECTOR = re.compile(r"\b((?:laneway|process)_[a-z_]+)\{([^}]*)\}")
GROUPED = re.compile(r"by \(([^)]*)\)")
OWN_LABELS = {"job", "instance"}
"""What Prometheus itself adds."""


def dashboard_queries() -> Iterator[str]:
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["query"]["query"]


def alert_queries() -> Iterator[str]:
    for found in re.finditer(r"expr: (?:>\n)?(.*?)(?=\n        \w+:)", ALERTS, re.DOTALL):
        yield " ".join(found[1].split())


QUERIES = [*dashboard_queries(), *alert_queries()]


@pytest.fixture(name="told")
def _told(running: Running) -> dict[str, set[str]]:
    """The label names of each metric of a hub that has seen some of everything."""
    running.post(
        event(1, event="tool_result", tool="t", duration_ms=5),
        event(2, event="error", tool="t", level="error"),
        event(3, event="llm_response", model="m", duration_ms=5, input_tokens=1, cost_usd=0.1),
        {"agent": 5},
    )
    running.post(event(1))
    odd = {**running.headers, "Content-Encoding": "br"}
    httpx.post(f"{running.url}/log", content=b"{}", headers=odd, timeout=180)
    log = Path(running.settings.log_path, "foreign.jsonl")
    log.write_text("no JSON\n")
    found: dict[str, set[str]] = {}

    def is_complete() -> bool:
        text = httpx.get(f"{running.url}/metrics", headers=running.headers, timeout=180).text
        for line in text.splitlines():
            if not line.startswith("#"):
                name, _, labels = line.rpartition(" ")[0].partition("{")
                found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
        return "laneway_model_calls_total" in found and "laneway_lines_quarantined_total" in found

    eventually(is_complete)
    return found


def test_every_metric_and_label_of_a_query_is_told_by_the_hub(told: dict[str, set[str]]) -> None:
    assert len(QUERIES) > 30
    for query in QUERIES:
        names = NAME.findall(query)
        assert names, query
        assert set(names) <= set(told), query
        known = set().union(*(told[name] for name in names)) | OWN_LABELS
        for labels in GROUPED.findall(query):
            assert {label.strip() for label in labels.split(",")} <= known, query
        for name, selectors in SELECTOR.findall(query):
            used = set(re.findall(r"(\w+)(?:=~|!=|!~|=)", selectors))
            assert used <= told[name] | OWN_LABELS, query


def test_every_series_name_in_a_legend_is_in_its_query() -> None:
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                assert label in target["expr"], panel["title"]


def test_no_two_panels_lie_on_one_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
