"""The live protocol as docs/protocol.md tells it: the golden frames read here as the page reads them."""

import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from laneway.hub.live import Live
from laneway.hub.ring import Row, entry_of

CASES = json.loads((Path(__file__).parents[2] / "spec" / "vectors" / "frames.json").read_text())
DICTIONARIES = ("agents", "kinds", "sessions", "labels")


class Reader:
    """A viewer in fifty lines, after the document alone."""

    def __init__(self) -> None:
        self.names: dict[str, list[Any]] = {name: [] for name in DICTIONARIES}
        self.events: list[dict[str, Any]] = []
        self.gaps: list[list[int]] = []
        self.epoch = ""
        self.last_seq = 0

    def read(self, message: dict[str, Any]) -> None:
        """A type of a later version is passed over."""
        getattr(self, f"_{message['type']}", self._beat)(message)

    def _hello(self, message: dict[str, Any]) -> None:
        if message["epoch"] != self.epoch:
            self.epoch, self.events, self.gaps, self.last_seq = message["epoch"], [], [], 0
        self.names = {name: list(message[name]) for name in DICTIONARIES}

    def _beat(self, message: dict[str, Any]) -> None:
        pass

    def _gap(self, message: dict[str, Any]) -> None:
        self._miss(message["from"], message["to"])

    def _miss(self, since: int, until: int) -> None:
        self.gaps.append([since, until])
        self.last_seq = until - 1

    def _batch(self, message: dict[str, Any]) -> None:
        new = message.get("new", {})
        for name in DICTIONARIES:
            self.names[name] += new.get(name, [])
        for agent, parent in new.get("parents", []):
            self.names["agents"][agent] = [self.names["agents"][agent][0], parent]
        if message["n"] and message["seq0"] > self.last_seq + 1:
            self._miss(self.last_seq + 1, message["seq0"])
        fresh = [self._event(message, i) for i in range(message["n"])]
        self.events += [event for event in fresh if event["seq"] > self.last_seq]
        self.last_seq = max(self.last_seq, message["seq0"] + message["n"] - 1)

    def _event(self, batch: dict[str, Any], i: int) -> dict[str, Any]:
        return {
            "seq": batch["seq0"] + i,
            "ts_ms": batch["t0"] + batch["dt"][i],
            "agent": self.names["agents"][batch["agent"][i]][0],
            "kind": self.names["kinds"][batch["kind"][i]],
            "session": self._name("sessions", batch["session"][i]),
            "label": self._name("labels", batch["label"][i]),
            "dur": None if batch["dur"][i] == -1 else batch["dur"][i],
            **{field: batch[field][i] for field in ("sev", "span", "parent", "flag", "text")},
            **({"tokens": tokens} if (tokens := self._tokens(batch, i)) else {}),
        }

    def _tokens(self, batch: dict[str, Any], i: int) -> int:
        """An older hub has no such column."""
        return int(batch["tokens"][i]) if "tokens" in batch else 0

    def _name(self, dictionary: str, index: int) -> str | None:
        return None if index < 0 else self.names[dictionary][index]

    def parents(self) -> dict[str, str]:
        agents = self.names["agents"]
        return {name: agents[parent][0] for name, parent in agents if parent >= 0}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_frames_say_what_the_vectors_say(case: dict[str, Any]) -> None:
    reader = Reader()
    for message in case["messages"]:
        reader.read(message)

    assert reader.events == case["events"]
    assert reader.gaps == case.get("gaps", [])
    if "parents" in case:
        assert reader.parents() == case["parents"]


def test_what_the_hub_sends_is_read_the_same_way() -> None:
    live = Live("e", 100)
    live.fill("e", [], 1)
    viewer = live.join(lambda: None)
    event = {
        "agent": "coder",
        "parent_agent": "planner",
        "event": "tool_result",
        "tool": "search",
        "session_id": "s1",
        "duration_ms": 12.5,
        "span_id": "00f067aa0ba902b7",
        "error": {"message": "no"},
        "input_tokens": 120,
        "output_tokens": 7,
    }
    live.publish([Row(1, 5_000_000, entry_of(event, is_redacted=True), orjson.dumps(event))])
    live.flush()
    reader = Reader()
    while frame := viewer.take():
        reader.read(orjson.loads(frame.data))

    (seen,) = reader.events
    assert (seen["agent"], seen["kind"], seen["label"]) == ("coder", "tool_result", "search")
    assert (seen["session"], seen["dur"], seen["span"]) == ("s1", 12.5, "00f067aa0ba902b7")
    assert (seen["sev"], seen["flag"], seen["tokens"]) == (3, 2 | 4 | 8, 127)
    assert reader.parents() == {"coder": "planner"}
