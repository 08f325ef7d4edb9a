"""Horizontal bars as SVG, for light and dark pages: the colours follow the reader's own preference."""

import math
from html import escape
from typing import Literal, NamedTuple

WIDTH_PX, LABEL_PX, VALUE_PX = 880, 380, 130
ROW_PX, BAR_PX, TOP_PX, FOOT_PX = 26, 14, 46, 14
STYLE = """\
<style>
text { font: 13px system-ui, sans-serif; fill: #24292f }
.label { text-anchor: end }
.title { font-weight: 600; font-size: 14px }
.value { fill: #57606a }
.good { fill: #1a7f5a } .bad { fill: #c4432b } .plain { fill: #8c959f } .ours { fill: #2f6feb }
.limit { stroke: #24292f; stroke-width: 1.5; stroke-dasharray: 4 3 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .value { fill: #9198a1 } .good { fill: #3fb98a } .bad { fill: #f47067 }
.plain { fill: #768390 } .ours { fill: #6ea8fe } .limit { stroke: #e6edf3 }
}
</style>"""

Kind = Literal["good", "bad", "plain", "ours"]


class Bar(NamedTuple):
    label: str
    value: float
    text: str
    """The figure with its unit, beside the bar."""
    kind: Kind = "plain"


def bars(title: str, drawn: list[Bar], limit: float | None = None) -> str:
    """One bar a row; where the largest is more than 30 times the smallest, lengths are logarithms."""
    values = [bar.value for bar in drawn if bar.value > 0] + ([limit] if limit else [])
    is_log = bool(values) and max(values) > 30 * min(values)
    height = TOP_PX + ROW_PX * len(drawn) + FOOT_PX
    note = " (logarithmic)" if is_log else ""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH_PX} {height}" role="img">',
        f"<title>{escape(title)}</title>",
        STYLE,
        f'<text class="title" x="8" y="22">{escape(title)}{note}</text>',
    ]
    limit_px = _length(limit, values, is_log=is_log) if limit else 0.0
    for row, bar in enumerate(drawn):
        y, length = TOP_PX + ROW_PX * row, _length(bar.value, values, is_log=is_log)
        label, after = _short(bar.label), LABEL_PX + 8 + max(length, limit_px)
        parts += [
            f'<text class="label" x="{LABEL_PX - 10}" y="{y + 12}">{label}</text>',
            f'<rect class="{bar.kind}" x="{LABEL_PX}" y="{y}" width="{length:.1f}" height="{BAR_PX}"/>',
            f'<text class="value" x="{after:.1f}" y="{y + 12}">{escape(bar.text)}</text>',
        ]
    if limit:
        x = LABEL_PX + limit_px
        parts.append(
            f'<line class="limit" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP_PX - 10}" y2="{height - FOOT_PX}"/>'
        )
    return "\n".join([*parts, "</svg>\n"])


def _length(value: float, values: list[float], *, is_log: bool) -> float:
    room = WIDTH_PX - LABEL_PX - VALUE_PX
    if value <= 0:
        return 1.0
    if not is_log:
        return max(1.0, room * value / max(values))
    least, most = math.log(min(values) / 1.6), math.log(max(values))
    return room * (math.log(value) - least) / (most - least)


def _short(label: str) -> str:
    return escape(label if len(label) <= 54 else label[:53] + "…")
