"""Each coding agent as a file of its settings, and what becomes of that file's text."""

import os
import sys
import tomllib
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from laneway.base.errors import SettingError
from laneway.base.settings import Settings
from laneway.cli.import_ import OUTFILE
from laneway.log.segment import LogPath
from laneway.reader.client import Client
from laneway.sdk.post import find_token

BEGIN, END = "# Laneway: begin", "# Laneway: end"
"""Around what stands in a file whose comments are to be kept."""

MEND = "mend it, then try again"

Edit = Callable[[str, Path], str]


@dataclass(frozen=True, slots=True)
class Target:
    """``write`` gives the file's text with Laneway in it, ``remove`` without; empty: no file."""

    user: Path
    """Below the user's home."""
    project: Path | None
    """Below the current directory, where the agent reads settings there."""
    write: Edit
    remove: Edit
    then: str
    """What is to be done, or happens, afterwards."""


def read_json(text: str, path: Path) -> dict[str, Any]:
    """Raises SettingError: it is no JSON object, and we would lose what it holds."""
    try:
        tree = orjson.loads(text or "{}")
    except ValueError as error:
        raise SettingError(f"{path} cannot be read: {error}", hint=MEND) from None
    if not isinstance(tree, dict):
        raise SettingError(f"{path} is not a JSON object", hint=MEND)
    return tree


def edit_json(change: Callable[[dict[str, Any], Path], dict[str, Any]]) -> Edit:
    """An edit of a tree; a text stays as it is where nothing changes."""

    def edit(text: str, path: Path) -> str:
        before = read_json(text, path)
        after = change(deepcopy(before), path)
        if after == before:
            return text
        return orjson.dumps(after, option=orjson.OPT_INDENT_2).decode() + "\n"

    return edit


def with_outfile(tree: dict[str, Any], path: Path) -> dict[str, Any]:
    """Gemini CLI's telemetry into a file, unless it goes elsewhere already."""
    telemetry = tree.setdefault("telemetry", {})
    if not isinstance(telemetry, dict):
        raise SettingError(f"{path}: telemetry is not an object", hint=MEND)
    ours = str(path.absolute().with_name(OUTFILE))
    for name in ("outfile", "otlpEndpoint"):
        if telemetry.get(name) not in (None, "", ours):
            raise SettingError(
                f"{path}: telemetry.{name} is set, and telemetry has one way out",
                hint="point it at the hub (docs/integrations.md), or import that file by its path",
            )
    telemetry |= {"enabled": True, "outfile": ours}
    return tree


def without_outfile(tree: dict[str, Any], path: Path) -> dict[str, Any]:
    telemetry = tree.get("telemetry")
    if isinstance(telemetry, dict) and str(telemetry.get("outfile", "")).endswith(OUTFILE):
        del telemetry["outfile"]
        if telemetry.keys() <= {"enabled"}:
            del tree["telemetry"]
    return tree


def with_block(block: Callable[[], str]) -> Edit:
    """A table at the end of ``config.toml``; everything else stays, comments and all."""

    def edit(text: str, path: Path) -> str:
        rest = without_block(text, path)
        try:
            known = tomllib.loads(rest)
        except tomllib.TOMLDecodeError as error:
            raise SettingError(f"{path} cannot be read: {error}", hint=MEND) from None
        if "otel" in known:
            raise SettingError(
                f"{path} has a table [otel] already",
                hint="docs/integrations.md has the lines for it",
            )
        gap = "\n" if rest.strip() else ""
        return f"{rest}{gap}{BEGIN}\n{block()}{END}\n"

    return edit


def without_block(text: str, path: Path) -> str:
    before, begin, rest = text.partition(f"{BEGIN}\n")
    _, end, after = rest.partition(f"{END}\n")
    if not begin:
        return text
    if not end:
        raise SettingError(f"{path}: {END!r} is missing", hint=MEND)
    return before.removesuffix("\n" if before.endswith("\n\n") or before == "\n" else "") + after


def codex_block(settings: Settings) -> str:
    token = find_token(settings)
    if not token:
        raise SettingError(
            "there is no ingest token yet", hint="`laneway up` makes one at its first start"
        )
    headers = f'{{ "Authorization" = "Bearer {token}" }}'
    url = f"{Client.of_log(settings).url}/v1/logs"
    return (
        "[otel]\n"
        "log_user_prompt = true\n"
        f'exporter = {{ otlp-http = {{ endpoint = "{url}", protocol = "binary", headers = {headers} }} }}\n'
    )


def plugin(settings: Settings) -> str:
    """OpenCode's plugin, which starts this very Laneway for this very log."""
    command = [sys.executable, "-m", "laneway", "import", "opencode", "-"]
    log = LogPath.parse(settings.log_path).directory
    place = {"LANEWAY_HOME": os.path.abspath(settings.home), "LOG_PATH": os.path.abspath(log)}
    text = Path(__file__).with_name("opencode.js").read_text()
    variables = orjson.dumps(place).decode()[1:-1]
    text = text.replace('["COMMAND"]', orjson.dumps(command).decode())
    return text.replace('ENVIRONMENT: ""', variables)


def targets(settings: Settings) -> dict[str, Target]:
    return {
        "gemini-cli": Target(
            Path(".gemini/settings.json"),
            Path(".gemini/settings.json"),
            edit_json(with_outfile),
            edit_json(without_outfile),
            "now `laneway import gemini-cli --follow` records what it does",
        ),
        "codex": Target(
            Path(".codex/config.toml"),
            None,
            with_block(lambda: codex_block(settings)),
            without_block,
            "new sessions of Codex are recorded while the hub runs; the token in it may only send",
        ),
        "opencode": Target(
            Path(".config/opencode/plugins/laneway.js"),
            Path(".opencode/plugins/laneway.js"),
            lambda _, __: plugin(settings),
            lambda _, __: "",
            "OpenCode is recorded from its next start",
        ),
    }
