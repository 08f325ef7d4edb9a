"""``laneway connect`` for each coding agent: shown, written, taken back; and OpenCode's plugin in a JavaScript engine."""

import shutil
import subprocess
import tomllib
from pathlib import Path

import orjson
import pytest

from laneway.cli import main
from tests.cli.conftest import Run
from tests.waiting import eventually

TOKEN = "laneway_" + "a1B2c3D4e5" * 5
AGENTS = {
    "claude-code": ".claude/settings.json",
    "gemini-cli": ".gemini/settings.json",
    "codex": ".codex/config.toml",
    "opencode": ".config/opencode/plugins/laneway.js",
}


@pytest.fixture
def user(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of a user who has run a hub before."""
    monkeypatch.setenv("HOME", str(tmp_path / "ada"))
    home.mkdir()
    (home / "ingest.token").write_text(TOKEN)
    return tmp_path / "ada"


@pytest.mark.parametrize("agent", AGENTS)
def test_nothing_is_changed_unasked_and_all_is_taken_back(
    user: Path, agent: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = user / AGENTS[agent]
    assert main(["connect", agent]) == 1
    assert not path.exists()
    assert main(["connect", agent, "--yes"]) == 0
    shown = capsys.readouterr().out
    assert "\n+" in shown
    assert TOKEN not in shown
    assert path.stat().st_mode & 0o777 == 0o600
    assert main(["connect", agent, "--yes"]) == 0
    assert "nothing to change" in capsys.readouterr().out
    assert main(["connect", agent, "--remove", "--yes"]) == 0
    assert path.read_text().strip("{}\n") == "" if path.exists() else True


def test_gemini_s_telemetry_goes_into_a_file_that_import_reads(user: Path, run: Run) -> None:
    path = user / AGENTS["gemini-cli"]
    path.parent.mkdir(parents=True)
    path.write_text('{"theme": "Dark", "telemetry": {"logPrompts": false}}')
    assert main(["connect", "gemini-cli", "--yes"]) == 0
    tree = orjson.loads(path.read_bytes())
    outfile = Path(tree["telemetry"]["outfile"])
    assert tree == {"theme": "Dark", "telemetry": {"logPrompts": False, "enabled": True, "outfile": str(outfile)}}  # fmt: skip

    written = Path(__file__).parents[1] / "sources" / "gemini_outfile.json"
    outfile.write_bytes(written.read_bytes() + b'{\n  "hrTime"')
    for count in (10, 0):
        ended = run("import", "gemini-cli", HOME=str(user))
        assert f"{count} events of 1 file " in ended.out, ended.err
    assert main(["connect", "gemini-cli", "--remove", "--yes"]) == 0
    left = orjson.loads(path.read_bytes())
    assert left == {"theme": "Dark", "telemetry": {"logPrompts": False, "enabled": True}}


def test_telemetry_that_goes_elsewhere_stays(
    user: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = user / AGENTS["gemini-cli"]
    path.parent.mkdir(parents=True)
    path.write_text('{"telemetry": {"otlpEndpoint": "http://127.0.0.1:4317"}}')
    assert main(["connect", "gemini-cli", "--yes"]) == 2
    assert "otlpEndpoint is set" in capsys.readouterr().err


def test_codex_keeps_its_comments_and_gets_the_hub_s_address_and_token(user: Path) -> None:
    path = user / AGENTS["codex"]
    path.parent.mkdir(parents=True)
    before = '# mine\nmodel = "x" # why\n\n[tui]\ntheme = "dark"\n'
    path.write_text(before)
    assert main(["connect", "codex", "--yes"]) == 0
    assert path.read_text().startswith(before)
    exporter = tomllib.loads(path.read_text())["otel"]["exporter"]["otlp-http"]
    assert exporter["endpoint"] == "http://127.0.0.1:8001/v1/logs"
    assert exporter["headers"] == {"Authorization": f"Bearer {TOKEN}"}
    assert main(["connect", "codex", "--remove", "--yes"]) == 0
    assert path.read_text() == before


def test_codex_s_own_telemetry_stays(user: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = user / AGENTS["codex"]
    path.parent.mkdir(parents=True)
    path.write_text('[otel]\nenvironment = "dev"\n')
    assert main(["connect", "codex", "--yes"]) == 2
    assert "has a table [otel] already" in capsys.readouterr().err


@pytest.mark.skipif(not shutil.which("node"), reason="no node to run the plugin with")
def test_opencode_s_plugin_records_what_it_is_told(user: Path, home: Path, tmp_path: Path) -> None:
    assert main(["connect", "opencode", "--yes"]) == 0
    plugin = tmp_path / "plugin.mjs"
    shutil.copy(user / AGENTS["opencode"], plugin)
    told = Path(__file__).parents[1] / "sources" / "opencode_events.jsonl"
    program = """
    import { readFileSync } from "node:fs";
    const { Laneway } = await import(process.argv[1]);
    const hooks = await Laneway({});
    for (const line of readFileSync(process.argv[2], "utf8").trim().split("\\n")) await hooks.event(JSON.parse(line));
    await hooks.event({ event: { type: "message.part.delta", properties: {} } });
    """
    words = ["node", "--input-type=module", "-e", program, str(plugin), str(told)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=180, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def stored() -> bytes:
        return b"".join(path.read_bytes() for path in home.glob("logs/*-0*.jsonl"))

    eventually(lambda: stored().count(b"\n") == 10)
    assert stored().count(b'"event":"llm_response"') == 2


@pytest.mark.skipif(not shutil.which("node"), reason="no node to run the plugin with")
def test_a_plugin_whose_laneway_is_gone_harms_nobody(user: Path, tmp_path: Path) -> None:
    assert main(["connect", "opencode", "--yes"]) == 0
    text = (user / AGENTS["opencode"]).read_text()
    plugin = tmp_path / "plugin.mjs"
    plugin.write_text(text.replace('const COMMAND = ["', 'const COMMAND = ["/nowhere'))
    program = """
    const { Laneway } = await import(process.argv[1]);
    const hooks = await Laneway({});
    for (let n = 0; n < 3; n++) {
      await hooks.event({ event: { type: "session.created", properties: { info: { id: "s" } } } });
      await new Promise((done) => setTimeout(done, 20));
    }
    """
    words = ["node", "--input-type=module", "-e", program, str(plugin)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=180, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_an_agent_that_is_not_known_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["connect", "eliza"]) == 2
    assert "claude-code, codex, gemini-cli, opencode" in capsys.readouterr().err
