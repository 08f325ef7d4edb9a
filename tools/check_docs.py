"""Checks that documents say what the code says; ``--write`` brings the generated ones up to date.

* ``docs/settings.md`` is made from the table of settings;
* every relative link in a Markdown file leads to something;
* every decision in ``docs/adr`` stands in its list;
* every module of the package is where ARCHITECTURE.md's floors say there are modules.
"""

import re
import sys
from pathlib import Path

from laneway.base.settings import SETTINGS, Setting

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#]+)(?:#[^)]*)?\)")
SETTINGS_PAGE = ROOT / "docs" / "settings.md"


def settings_page() -> str:
    rows = "\n".join(map(setting_row, SETTINGS))
    return f"""# Settings

An argument or flag wins over the environment, that over `config.toml` in the Laneway home,
that over the default. `laneway config` prints the value of each and where it came from.
This page is generated (`tools/check_docs.py --write`).

| setting | environment | default | |
|---|---|---|---|
{rows}
"""


def setting_row(setting: Setting) -> str:
    names = ", ".join(f"`{name}`" for name in setting.envs)
    default = "" if setting.default in ("", ()) else f"`{setting.default}`"
    return f"| `{setting.name}` | {names} | {default} | {setting.help} |"


def iter_problems() -> list[str]:
    problems = []
    if not SETTINGS_PAGE.exists() or SETTINGS_PAGE.read_text() != settings_page():
        problems.append("docs/settings.md is stale: run tools/check_docs.py --write")
    pages = [p for p in ROOT.rglob("*.md") if not {".venv", "node_modules"} & set(p.parts)]
    for page in pages:
        for target in LINK.findall(page.read_text()):
            if not (page.parent / target).exists():
                problems.append(f"{page.relative_to(ROOT)}: nothing at {target}")
    listed = (ROOT / "docs" / "adr" / "README.md").read_text()
    for record in (ROOT / "docs" / "adr").glob("0*.md"):
        if record.name not in listed:
            problems.append(f"docs/adr/README.md does not list {record.name}")
    architecture = (ROOT / "ARCHITECTURE.md").read_text()
    for floor in (p.name for p in (ROOT / "src" / "laneway").iterdir() if p.is_dir()):
        if not floor.startswith("_") and f"{floor}/" not in architecture:
            problems.append(f"ARCHITECTURE.md does not tell of {floor}/")
    return problems


def main() -> int:
    if "--write" in sys.argv:
        SETTINGS_PAGE.write_text(settings_page())
    problems = iter_problems()
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    if not problems:
        print("documents: as the code says")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
