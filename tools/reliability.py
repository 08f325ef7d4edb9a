"""Puts the figures of `make torture` into the table of docs/reliability.md.

``docs/reliability.json`` holds what the last long run of each test reported. A row of
the table is found by the test file that it names; its fourth cell is written anew.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "reliability.md"
FIGURES = ROOT / "docs" / "reliability.json"

GROUPS = ("append", "crash", "network", "process", "rotation")
"""Reports named ``append_ext4``, … are added up under the first word."""

CELLS = {
    "test_end_to_end.py": "{hub_kill[kills]} kills of the hub and {hub_kill[writer_kills]} of writers"
    " at {hub_kill[rate]} events a second; {hub_kill[acknowledged]} acknowledged, {hub_kill[lost]} lost,"
    " {hub_kill[twice]} twice",
    "test_append.py": "{append[lines]} lines on {append[runs]} kinds of file system; {append[torn]} torn,"
    " {append[lost]} lost, {append[twice]} twice",
    "test_crash.py": "{crash[runs]} points, {crash[kills]} kills; {crash[acknowledged]} acknowledged,"
    " {crash[lost]} lost, {crash[twice]} twice",
    "test_process.py": "{process[runs]} kinds of programs; {process[acknowledged]} acknowledged,"
    " {process[hung]} hung, {process[lost]} lost, {process[twice]} twice",
    "test_clock.py": "{clocks[clocks]} clocks at once, {clocks[written]} events, {clocks[lost]} lost;"
    " {shuffle[events]} shuffled over 1 h, {shuffle[out_of_order]} out of order; a hub in 2099 removed"
    " {future_hub[removed]} segments",
    "test_network.py": "{network[faults]} faults; {network[acknowledged]} acknowledged,"
    " {network[lost]} lost, {network[twice]} twice",
    "test_rotation.py": "{rotation[rotations]} rotations in {rotation[runs]} ways; {rotation[in_files]}"
    " lines left in the files, {rotation[missing]} of them missing, {rotation[twice]} twice;"
    " copytruncate: {rotation_copytruncate[told]} of {rotation_copytruncate[rotations]} cuts told",
    "test_soak.py": "{soak[written_mb]} MiB written within a limit of {soak[limit_mb]}, segments of"
    " {soak[segment_mb]}: never more than {soak[most_mb]} MiB",
    "test_stop.py": "{stop[stops]} stops; {stop[acknowledged]} acknowledged, {stop[lost]} lost,"
    " {stop[twice]} twice; the slowest took {stop[slowest_s]} s",
}  # fmt: skip


class Figure(dict[str, object]):
    """Shows large numbers with commas."""

    def __getitem__(self, name: str) -> object:
        value = super().__getitem__(name)
        return f"{value:,}" if isinstance(value, int) else value


def read_figures(path: Path) -> dict[str, Figure]:
    found = {name: Figure(values) for name, values in json.loads(path.read_text()).items()}
    sums: dict[str, defaultdict[str, int]] = {}
    for name, values in found.items():
        group = name.partition("_")[0]
        if group in GROUPS:
            total = sums.setdefault(group, defaultdict(int))
            total["runs"] += 1
            for key, value in values.items():
                total[key] += value if isinstance(value, int) else 0
    return found | {group: Figure(total) for group, total in sums.items()}


def fill(text: str, figures: dict[str, Figure]) -> str:
    """The table with the cells of all tests of which there are figures."""
    lines = text.split("\n")
    for place, line in enumerate(lines):
        cells = line.split(" | ")
        test = next((name for name in CELLS if len(cells) == 5 and f"`{name}`" in cells[2]), "")
        if test:
            try:
                cells[3] = CELLS[test].format_map(figures)
            except KeyError:  # no long run yet
                continue
            lines[place] = " | ".join(cells)
    return "\n".join(lines)


def main() -> int:
    text = TABLE.read_text()
    filled = fill(text, read_figures(FIGURES))
    if "--check" in sys.argv:
        print("the table", "is in step" if text == filled else "differs; run tools/reliability.py")
        return int(text != filled)
    TABLE.write_text(filled)
    return 0


if __name__ == "__main__":
    sys.exit(main())
