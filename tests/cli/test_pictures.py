"""The pictures of the manual, and what makes them: `make_pictures.py` and `support/terminal_picture.py`."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
import zlib
from pathlib import Path

import pytest

import make_pictures
from support.terminal_picture import Terminal

ROOT = Path(__file__).parent.parent.parent
PICTURES = ("live-table.svg", "live-run.svg", "timeline.svg", "page-light.png", "page-dark.png")


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_there_small_and_safe(name: str) -> None:
    """Those that `make_pictures.py` writes; an SVG runs nothing, loads nothing, and is drawn light and dark."""
    path = ROOT / "databricks_async" / "manual" / "pictures" / name
    assert path.stat().st_size < 100_000
    if name.endswith(".png"):
        assert path.read_bytes().startswith(b"\x89PNG")
        return
    text = path.read_text(encoding="utf-8")
    tags = {element.tag.rpartition("}")[2] for element in ET.fromstring(text).iter()}  # noqa: S314 (ours)
    assert {"title", "style", "text"} <= tags
    assert not tags & {"script", "image", "a", "use", "foreignObject"}
    assert re.search(r"prefers-color-scheme: ?dark", text)
    assert not re.search(r"url\(|@import|href", text.replace("url(#", ""))


def test_a_terminal_is_drawn_as_it_looks() -> None:
    """Each piece in its column, with its colour; what names hold is text; blank lines below are left out."""
    terminal = Terminal(40, 5)
    terminal.feed(b"\x1b[32mv \x1b[0mgold  \x1b[1;31mTERMINATED\x1b[0m\r\n\x1b[2m<b> & more\x1b[0m\r\n")
    assert terminal.lines == ["v gold  TERMINATED", "<b> & more"]
    svg = terminal.svg("databricks-async clusters watch", 'Two <lines> & "more"')
    root = ET.fromstring(svg)  # noqa: S314 (ours)
    texts = [(one.text, one.get("class")) for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == [
        ("$ databricks-async clusters watch", "bold"),
        ("v", "green"),
        ("gold", None),
        ("TERMINATED", "red bold"),
        ("<b> & more", "dim"),
    ]
    places = [float(one.get("x") or 0) for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert places[2] - places[1] == pytest.approx(2 * 7.8, abs=0.1)
    assert root.findtext("{http://www.w3.org/2000/svg}title") == 'Two <lines> & "more"'


def test_a_screenshot_is_packed_with_its_colours() -> None:
    """256 of them, the nearest ones; a coloured sign is kept beside any number of greys."""
    colours = [(grey // 256, grey // 256, grey % 256) for grey in range(600)] + [(209, 69, 59)] * 40
    row = b"".join(map(bytes, colours))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = len(colours).to_bytes(4, "big") + (1).to_bytes(4, "big") + bytes((8, 2, 0, 0, 0))
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(b"\0" + row)), chunk(b"IEND", b""))
    packed = make_pictures.smaller(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    palette = packed[packed.index(b"PLTE") + 4 :][: 256 * 3]
    assert bytes((209, 69, 59)) in [palette[at : at + 3] for at in range(0, 768, 3)]
    data = packed[packed.index(b"IDAT") + 4 : packed.index(b"IEND") - 8]
    assert len(zlib.decompress(data)) == 1 + len(colours)
    assert zlib.decompress(data)[-1] == palette.index(bytes((209, 69, 59))) // 3
