"""`laneway token`."""

import json
import re
from pathlib import Path

import orjson
import pytest

from tests.waiting import eventually

from .conftest import Run, StartHub
from .test_up import ask


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token.strip()}"}


def status(url: str, token: str, path: str = "/api/events") -> int:
    if path == "/log":
        return ask(url, "POST", path, b'{"agent":"a","event":"b"}', bearer(token))[0]
    return ask(url, "GET", path, headers=bearer(token))[0]


def await_status(url: str, token: str, wanted: int, path: str = "/api/events") -> None:
    eventually(lambda: status(url, token, path) == wanted, f"{wanted} of {path}")


def test_a_running_hub_takes_a_new_token_and_refuses_a_revoked_one(
    start_hub: StartHub, call: Run
) -> None:
    hub = start_hub()
    made = call("token", "new", "grafana", "--scope", "read")
    assert made.code == 0
    assert re.fullmatch(r"laneway_[\w-]{43}\n", made.out)
    assert "shown this once" in made.err
    await_status(hub.url, made.out, 200)
    assert status(hub.url, made.out, "/log") == 403
    assert call("token", "revoke", "grafana").code == 0
    await_status(hub.url, made.out, 401)


def test_the_machines_own_tokens_are_rotated_with_a_grace(
    start_hub: StartHub, call: Run, run: Run, home: Path
) -> None:
    hub = start_hub()
    old = (home / "ingest.token").read_text()
    made = call("token", "rotate", "ingest")
    assert (home / "ingest.token").read_text() == made.out != old
    assert (home / "ingest.token").stat().st_mode & 0o777 == 0o600
    await_status(hub.url, made.out, 200, "/log")
    assert status(hub.url, old, "/log") == 200
    call("token", "rotate", "access", "--grace", "0")
    assert run("open").code == 0  # the command line reads the new one
    listed = call("token", "list").out
    assert "ingest" in listed
    again = call("token", "rotate", "ingest", "--grace", "0")
    await_status(hub.url, again.out, 200, "/log")
    assert status(hub.url, made.out, "/log") == 401
    assert status(hub.url, old, "/log") == 200  # its own grace goes on


def test_the_list_tells_rights_and_no_token(call: Run) -> None:
    token = call("token", "new", "ci", "--scope", "ingest", "--agent", "builder",
                 "--pod", "team-a", "--expires", "30d").out  # fmt: skip
    listed = call("token").out
    assert token.strip() not in listed
    rows = {line.split()[0]: line for line in listed.splitlines()[1:]}
    assert set(rows) == {"ingest", "access", "ci"}
    assert rows["access"].split()[1] == "ingest,read,admin"
    assert "builder, pod team-a" in rows["ci"]
    as_json = json.loads(call("token", "list", "--json").out)
    assert {row["name"] for row in as_json["tokens"]} == set(rows)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["new"], "whose token?"),
        (["new", "x"], "a token needs a scope"),
        (["new", "x", "--scope", "all"], "a token needs a scope"),
        (
            ["new", "x", "--scope", "admin", "--agent", "a"],
            "a token of scope admin cannot be bound",
        ),
        (["new", "x", "--scope", "read", "--expires", "soon"], 'expires: "soon" is not'),
        (["new", "X Y", "--scope", "read"], '"X Y" is not a name'),
        (["new", "\x1b[31m", "--scope", "read"], "\\x1b[31m"),
        (["revoke", "nobody"], 'there is no token "nobody"'),
        (["revoke", "access"], "rotate access --grace 0"),
        (["rotate", "nobody"], 'there is no token "nobody"'),
    ],
)
def test_wrong_usage_is_one_line_with_a_way_out(call: Run, args: list[str], said: str) -> None:
    ended = call("token", *args)
    assert ended.code == 2
    assert ended.out == ""
    assert said in ended.err
    assert "\x1b" not in ended.err


def test_a_token_from_the_environment_is_rotated_where_it_is_set(run: Run) -> None:
    ended = run("token", "rotate", "ingest", LANEWAY_TOKEN="from-the-environment-0123")
    assert ended.code == 2
    assert "change it where it is set" in ended.err


def test_no_token_is_found_in_what_a_hub_says_or_in_its_process(
    start_hub: StartHub, call: Run, home: Path
) -> None:
    """Sent by every way, right and wrong ones; then all output and the process table are searched."""
    hub = start_hub()
    named = call("token", "new", "ada", "--scope", "read").out.strip()
    own = [(home / f"{name}.token").read_text().strip() for name in ("ingest", "access")]
    wrong = "wrong-token-0123456789abcdef"
    await_status(hub.url, named, 200)
    answers = []
    for token in (named, *own, wrong):
        headers = {**bearer(token), "Cookie": f"x={token}", "Referer": f"{hub.url}/?t={token}"}
        for method, path in (("GET", "/api/events"), ("GET", f"/api/events?token={token}"),
                             ("POST", "/log"), ("GET", "/nowhere"), ("GET", "/admin/tokens"),
                             ("POST", "/auth/code"), ("GET", "/auth/state")):  # fmt: skip
            answers.append(str(ask(hub.url, method, path, b"{", headers)[1]))
    code = ask(hub.url, "POST", "/auth/code", headers=bearer(named))[1]["code"]
    ask(hub.url, "POST", "/auth/exchange", orjson.dumps({"code": code}))
    metrics_text = call("token", "list").out
    command = Path(f"/proc/{hub.process.pid}/cmdline")
    shown = command.read_text() if command.exists() else ""
    hub.process.terminate()
    rest, _ = hub.process.communicate(timeout=180)
    log_text = "".join(p.read_text() for p in (home / "logs").rglob("*.jsonl"))
    places = {"output": hub.text + rest, "process": shown, "list": metrics_text, "log": log_text}
    for token in (named, *own):
        for place, text in places.items():
            assert token not in text, place
    assert wrong not in places["output"] + places["process"] + places["log"]
    assert [text for text in answers if any(token in text for token in (named, *own))] == []
