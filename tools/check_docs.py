"""Checks that documents say what the code says; ``--write`` brings their tables up to date.

* the regions that are made from the code (`reference.TABLES`) are as it makes them; others name their maker;
* the tables and plots of figures are as ``bench/results`` says (``python -m bench.report --write``);
* every relative link in a Markdown file leads to something;
* every decision in ``docs/adr`` stands in its list;
* every module of the package is where ARCHITECTURE.md's floors say there are modules.
"""

import re
import sys
from pathlib import Path

import region
from reference import ROOT, TABLES, renewed

sys.path.insert(0, str(ROOT))
from bench.report import iter_stale

MADE_ELSEWHERE = {
    "figures": "bench/report.py",
    "peers": "bench/report.py",
    "dependencies": "bench/dependencies.py",
    "matrix": "tools/otel_matrix.py",
    "rules": "tests/model/redact/corpus.py",
}

LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#]+)(?:#[^)]*)?\)")
OTHERS = {".venv", "node_modules", ".peers", ".matrix"}


def pages() -> list[Path]:
    return [page for page in ROOT.rglob("*.md") if not OTHERS & set(page.parts)]


def iter_problems() -> list[str]:
    problems = list(iter_stale())
    for page in pages():
        text, name = page.read_text(), page.relative_to(ROOT)
        if renewed(text) != text:
            problems.append(f"{name} is stale: run tools/check_docs.py --write")
        problems += [
            f"{name}: nobody makes <!-- made: {part} -->"
            for part in region.names(text)
            if part not in TABLES.keys() | MADE_ELSEWHERE.keys()
        ]
        for target in LINK.findall(text):
            if not (page.parent / target).exists():
                problems.append(f"{name}: nothing at {target}")
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
        for page in pages():
            page.write_text(renewed(page.read_text()))
    problems = iter_problems()
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    if not problems:
        print("documents: as the code says")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
