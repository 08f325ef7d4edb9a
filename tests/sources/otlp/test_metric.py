"""Points of metrics as events, in both wire forms, as coding agents and instrumentations send them."""

import orjson
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from laneway.model.event import normalise
from laneway.sources.otlp import json, protobuf
from laneway.sources.otlp.metric import is_agentic, point_event
from laneway.sources.otlp.record import Point

START_NS, END_NS = 1_780_000_000_000_000_000, 1_780_000_060_000_000_000

TOKENS = {
    "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "claude-code"}}]},
    "scopeMetrics": [
        {
            "scope": {"name": "com.anthropic.claude_code", "version": "2.1.0"},
            "metrics": [
                {
                    "name": "claude_code.token.usage",
                    "unit": "tokens",
                    "sum": {
                        "aggregationTemporality": 1,
                        "isMonotonic": True,
                        "dataPoints": [
                            {
                                "startTimeUnixNano": str(START_NS),
                                "timeUnixNano": str(END_NS),
                                "asDouble": 1200,
                                "attributes": [
                                    {"key": "session.id", "value": {"stringValue": "s-1"}},
                                    {"key": "type", "value": {"stringValue": "input"}},
                                    {"key": "model", "value": {"stringValue": "claude-x"}},
                                ],
                            }
                        ],
                    },
                },
                {
                    "name": "gen_ai.client.token.usage",
                    "unit": "{token}",
                    "histogram": {
                        "aggregationTemporality": "AGGREGATION_TEMPORALITY_CUMULATIVE",
                        "dataPoints": [
                            {
                                "timeUnixNano": str(END_NS),
                                "count": "3",
                                "sum": 90.5,
                                "min": 10,
                                "max": 50,
                                "bucketCounts": ["1", "2"],
                                "explicitBounds": [20],
                            }
                        ],
                    },
                },
            ],
        }
    ],
}


def points_of(form: str) -> list[Point]:
    tree = {"resourceMetrics": [TOKENS]}
    if form == "json":
        return json.read("metrics", orjson.dumps(tree)).points
    request = ExportMetricsServiceRequest()
    from google.protobuf.json_format import ParseDict

    ParseDict(tree, request)
    return protobuf.read("metrics", request.SerializeToString()).points


@pytest.mark.parametrize("form", ["json", "protobuf"])
def test_a_counter_and_a_histogram_keep_what_was_reported(form: str) -> None:
    counter, histogram = map(point_event, points_of(form))
    normalise(counter)
    assert counter["event"] == "metric"
    assert counter["content"] == "claude_code.token.usage 1200.0 tokens"
    assert (counter["agent"], counter["session_id"]) == ("claude-code", "s-1")
    assert (counter["name"], counter["value"], counter["unit"]) == ("claude_code.token.usage", 1200, "tokens")  # fmt: skip
    assert (counter["kind"], counter["temporality"]) == ("counter", "delta")
    assert counter["since"] == "2026-05-28T20:26:40.000000Z"
    assert (counter["type"], counter["otel.scope.version"]) == ("input", "2.1.0")
    assert "input_tokens" not in counter, "model calls tell them already"
    assert (histogram["value"], histogram["count"], histogram["min"], histogram["max"]) == (90.5, 3, 10, 50)  # fmt: skip
    assert (histogram["kind"], histogram["temporality"]) == ("histogram", "cumulative")


def test_both_forms_give_the_same_events() -> None:
    assert [*map(point_event, points_of("json"))] == [*map(point_event, points_of("protobuf"))]


def test_metrics_of_agents_are_known_by_their_names() -> None:
    assert all(map(is_agentic, points_of("json")))


def test_a_series_that_has_ended_has_no_point() -> None:
    gauge = {"dataPoints": [{"flags": 1, "timeUnixNano": "1"}, {"asInt": "5", "timeUnixNano": "1"}]}
    tree = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "g", "gauge": gauge}]}]}]}
    [point] = json.read("metrics", orjson.dumps(tree)).points
    assert (point.kind, point.value, point.temporality) == ("gauge", 5, "")


def test_a_misshapen_metric_is_one_reason() -> None:
    tree = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "x", "sum": 7}, 5]}]}]}
    batch = json.read("metrics", orjson.dumps(tree))
    assert (batch.points, len(batch.rejections)) == ([], 2)
