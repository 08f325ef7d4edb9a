"""Puts the figures of `make torture` into the table of docs/reliability.md.

``docs/reliability.json`` holds what the last run of each test reported. A row of the table
is found by its promise and level, where a test has several, and the test file that it names; its fourth
cell is written anew.
"""

import json
import re
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "reliability.md"
FIGURES = ROOT / "docs" / "reliability.json"

GROUPS = ("append", "call", "crash", "fault", "network", "process", "rotation", "sync")
"""Reports named ``append_ext4``, … are added up under the first word."""

CELLS = {
    "P3 durable test_power.py": "log: {power_durable_log[cuts]} cuts, {power_durable_log[acknowledged]}"
    " acknowledged, {power_durable_log[lost]} lost; spool: {power_durable_spool[cuts]} cuts,"
    " {power_durable_spool[acknowledged]}, {power_durable_spool[lost]} lost; hub:"
    " {power_durable_hub[cuts]} cuts, {power_durable_hub[acknowledged]}, {power_durable_hub[lost]} lost",
    "P3 default test_power.py": "log: {power_default_log[cuts]} cuts, {power_default_log[acknowledged]}"
    " acknowledged, {power_default_log[lost]} lost, the oldest {power_default_log[oldest_s]} s before the"
    " cut; spool: {power_default_spool[cuts]} cuts, {power_default_spool[acknowledged]},"
    " {power_default_spool[lost]} lost, the oldest {power_default_spool[oldest_s]} s; hub:"
    " {power_default_hub[cuts]} cuts, {power_default_hub[acknowledged]}, {power_default_hub[lost]} lost,"
    " the oldest {power_default_hub[oldest_s]} s",
    "P2 test_writer.py": "{writer_kill[kills]} kills, {writer_kill[acknowledged]} events acknowledged,"
    " {writer_kill[lost]} lost, {writer_kill[twice]} twice, {writer_kill[fragments]} fragments",
    "P5 test_writer.py": "{own_rotation[rotations]} rotations, {own_rotation[lines]} lines,"
    " {own_rotation[lost]} lost, 0 twice",
    "P14 test_alerts.py": "{alerts[kills]} kills under {alerts[firings]} firings: {alerts[lost]} lost, each"
    " in the log once; {alerts[told_twice]} notices came twice, under the same id",
    "P6 test_disk.py": "{disk[times_full]} times full: {disk[emitted]} handed over, {disk[in_log]} in the"
    " log, {disk[fragments]} fragments, slowest recovery {disk[slowest_s]} s",
    "P6 test_hub_disk.py": "{hub_disk[times_full]} times full, {hub_disk[acknowledged]} acknowledged,"
    " {hub_disk[lost]} lost, {hub_disk[refused]} refused; accepted again after at most"
    " {hub_disk[slowest_s]} s",
    "P7 durable test_fault.py": "{sync[faulty]} runs with a fault: {sync[lost]} acknowledged that were not on"
    " the disk",
    "P7 test_fault.py": "{fault[faulty]} runs with a fault, {fault[lost]} lost, 0 exceptions; recorded + lost"
    " = handed over in each",
    "P10 test_host.py": "{host[values]} hostile values in four places: 0 exceptions, 0 hangs, every line"
    " valid and at most 256 KiB; Ctrl-C at {host[interrupts]} moments: {host[acknowledged]} acknowledged,"
    " {host[lost]} lost",
    "P7 test_hub_disk.py": "{call[failed]} of {call[calls]} calls in {call[runs]} kinds of faults failed:"
    " {call[lost]} acknowledged and not stored",
    "P11 test_fork.py": "{fork[forks]} forks, {fork[events]} events, {fork[hung]} hung, {fork[lost]} lost,"
    " {fork[twice]} twice",
    "P12 test_memory.py": "{memory[accepted]} events in {memory[seconds]} s accepted and all stored,"
    " {memory[refused]} refused, {memory[most_mb]} MiB at most in both processes",
    "P14 test_chaos.py": "{chaos[deeds]} times something killed or filled: {chaos[logged]} logged and"
    " {chaos[sent]} sent, {chaos[stored]} stored once each, {chaos[counted]} + {chaos[rejected]} counted by"
    " reason: equal",
    "test_side.py": "{side[kills]} kills: {side[acknowledged]} acknowledged, {side[lost]} lost,"
    " {side[damaged]} damaged; {side[drafts]} drafts and {side[orphans]} files without a line were swept",
    "test_end_to_end.py": "{hub_kill[kills]} kills of the hub and {hub_kill[writer_kills]} of writers"
    " at {hub_kill[rate]} events a second; {hub_kill[acknowledged]} acknowledged, {hub_kill[lost]} lost,"
    " {hub_kill[twice]} twice; the index was level {hub_kill[level_s]} s later",
    "test_append.py": "{append[lines]} lines on {append[runs]} kinds of file system; {append[torn]} torn,"
    " {append[lost]} lost, {append[twice]} twice",
    "test_crash.py": "{crash[runs]} points, {crash[kills]} kills; {crash[acknowledged]} acknowledged,"
    " {crash[lost]} lost, {crash[twice]} twice",
    "test_process.py": "{process[runs]} kinds of programs; {process[acknowledged]} acknowledged,"
    " {process[hung]} hung, {process[lost]} lost, {process[twice]} twice",
    "test_clock.py": "{clocks[clocks]} clocks at once, {clocks[written]} events, {clocks[lost]} lost;"
    " {shuffle[events]} shuffled over 1 h, {shuffle[out_of_order]} out of order; a hub in 2099 removed"
    " {future_hub[removed]} segments",
    "test_bus.py": "{bus[faults]} faults under two hubs; {bus[acknowledged]} acknowledged, {bus[lost]} lost,"
    " {bus[twice]} twice, at each hub; {bus_partition[faults]} leaders cut off:"
    " {bus_partition[acknowledged]}, {bus_partition[lost]}, {bus_partition[twice]}",
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
    runs: dict[str, list[Figure]] = {}
    for name, values in found.items():
        group = name.partition("_")[0]
        if group in GROUPS:
            runs.setdefault(group, []).append(values)
    return found | {group: _sum(group_runs) for group, group_runs in runs.items()}


def _sum(runs: list[Figure]) -> Figure:
    """Of several runs in one: sums, the load of the busiest, and the seeds where they are few."""
    total: defaultdict[str, int] = defaultdict(int, runs=len(runs))
    for values in runs:
        for key, value in dict(values).items():
            if isinstance(value, int):
                total[key] += value
    plain = [dict(values) for values in runs]
    seeds = sorted({int(str(one["seed"])) for one in plain if one.get("seed")})
    forms = sorted({str(one["form"]) for one in plain if "form" in one})
    about: dict[str, object] = {
        "seed": ", ".join(map(str, seeds)) if len(seeds) < 8 else "of each its own"
    }
    if forms and all("form" in one for one in plain):
        about |= {
            "form": " and ".join(forms),
            "load": max(float(str(one["load"])) for one in plain),
        }
    return Figure({**total, **about})


def fill(text: str, figures: dict[str, Figure]) -> str:
    """The table with the cells of all tests of which there are figures."""
    lines = text.split("\n")
    for place, line in enumerate(lines):
        cells = line.split(" | ")
        row = next((key for key in CELLS if len(cells) == 5 and _is_of(key, cells)), "")
        if row:
            try:
                cells[3] = CELLS[row].format_map(figures) + _circumstances(CELLS[row], figures)
            except KeyError:  # no run yet
                continue
            lines[place] = " | ".join(cells)
    return "\n".join(lines)


def _is_of(key: str, cells: list[str]) -> bool:
    *promise, test = key.split()
    is_promised = not promise or promise[0] == cells[0].strip("| ")
    level = f"`{promise[1]}`" if promise[1:] else ""
    return f"`{test}`" in cells[2] and is_promised and level in cells[1]


def _circumstances(template: str, figures: dict[str, Figure]) -> str:
    """In which form the run was, with which seed, and how busy the machine was at its end."""
    figure = figures[re.findall(r"{(\w+)\[", template)[0]]
    if "form" not in figure:
        return ""
    seed = f", seed {dict(figure)['seed']}" if figure.get("seed") else ""
    return f" ({dict(figure)['form']} form{seed}, load {figure['load']})"


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
