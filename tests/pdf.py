"""What stands in a PDF as Chromium writes it: for tests of what a page is on paper."""

import re
import zlib
from typing import NamedTuple

Ids = dict[int, bytes]


class Sheet(NamedTuple):
    """One page. Its text is without spaces: where a letter moves closer to the one before, a run ends.
    Colours are (red, green, blue) from 0 to 1, of all that is painted with a plain colour."""

    text: str
    inks: set[tuple[float, float, float]]


class Font(NamedTuple):
    glyphs: dict[int, str]
    """What each stands for."""
    digits: int
    """Of the number of a glyph."""


def read_pdf(data: bytes) -> list[Sheet]:
    objects = {
        int(number): body
        for number, body in re.findall(rb"(?s)(?:^|\n)(\d+) 0 obj\n(.*?)\nendobj", data)
    }
    pages = [body for body in objects.values() if re.search(rb"/Type\s*/Page\b", body)]
    return [_read_page(objects, page) for page in pages]


def _read_page(objects: Ids, page: bytes) -> Sheet:
    (number,) = re.findall(rb"/Contents (\d+) 0 R", page)
    fonts = {
        name: _read_font(objects, int(font))
        for name, font in re.findall(rb"/(F\d+) (\d+) 0 R", _with_resources(objects, page))
    }
    content = _stream(objects[int(number)])
    inks = {
        (float(red), float(green), float(blue))
        for red, green, blue in re.findall(rb"([\d.]+) ([\d.]+) ([\d.]+) rg\b", content)
    }
    return Sheet(_text(content, fonts), inks)


def _with_resources(objects: Ids, page: bytes) -> bytes:
    named = re.search(rb"/Resources (\d+) 0 R", page)
    return objects[int(named.group(1))] if named else page


def _read_font(objects: Ids, number: int) -> Font:
    digits = 2 if b"/Type3" in objects[number] else 4
    told = re.search(rb"/ToUnicode (\d+) 0 R", objects[number])
    if not told:
        return Font({}, digits)
    table = _stream(objects[int(told.group(1))])
    glyphs: dict[int, str] = {}
    for part in re.findall(rb"(?s)beginbfchar\n(.*?)endbfchar", table):
        for glyph, text in re.findall(rb"<(\w+)> <(\w+)>", part):
            glyphs[int(glyph, 16)] = bytes.fromhex(text.decode()).decode("utf-16-be")
    for part in re.findall(rb"(?s)beginbfrange\n(.*?)endbfrange", table):
        for first, last, text in re.findall(rb"<(\w+)> <(\w+)> <(\w+)>", part):
            for at in range(int(first, 16), int(last, 16) + 1):
                glyphs[at] = chr(int(text, 16) + at - int(first, 16))
    return Font(glyphs, digits)


def _text(content: bytes, fonts: dict[bytes, Font]) -> str:
    """Every run of glyphs in the order in which it is painted."""
    font = Font({}, 4)
    runs: list[str] = []
    for name, shown in re.findall(rb"(?s)/(F\d+) [\d.]+ Tf|(\[.*?\]|<\w+>)\s*TJ?j?", content):
        if name:
            font = fonts[name]
            continue
        codes = b"".join(re.findall(rb"<(\w+)>", shown))
        places = range(0, len(codes), font.digits)
        runs += [font.glyphs.get(int(codes[at : at + font.digits], 16), "") for at in places]
    return re.sub(r"\s", "", "".join(runs))


def _stream(body: bytes) -> bytes:
    head, _, rest = body.partition(b"stream\n")
    raw = rest.rpartition(b"\nendstream")[0]
    return zlib.decompress(raw) if b"FlateDecode" in head else raw
