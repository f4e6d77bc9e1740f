"""A browser without a window, to look at pictures as people do; and what is missing where there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import zlib
from pathlib import Path

import attrs

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
MISSING = "no Chromium is installed: apt-get install chromium"
REQUIRED = "REQUIRE_BROWSER"
"""The variable that makes a missing browser a failure; `.ci/run` sets it."""

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--force-device-scale-factor=0.5",
)
_SCHEMES = {"dark": 0, "light": 1}


def find() -> str | None:
    """The program of the browser."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def is_required() -> bool:
    return bool(os.environ.get(REQUIRED))


@attrs.frozen
class Picture:
    """The pixels of a screenshot, half as many as the page has in each direction: they are read faster."""

    width: int
    height: int
    rows: list[bytes]

    def pixel(self, x: float, y: float) -> tuple[int, int, int]:
        """The colour at a place of the page."""
        row = self.rows[int(y / 2)]
        size = len(row) // self.width
        red, green, blue = row[int(x / 2) * size :][:3]
        return red, green, blue


def look_at(page: Path, scheme: str, width: int, height: int) -> tuple[str, Picture]:
    """The page's elements when its scripts have run, and what is seen of it, in a light or a dark scheme."""
    browser = find()
    assert browser is not None, MISSING
    screenshot = page.with_suffix(f".{scheme}.png")
    flags = (
        f"--user-data-dir={page.parent / scheme}",
        f"--window-size={width},{height}",
        f"--blink-settings=preferredColorScheme={_SCHEMES[scheme]}",
        f"--screenshot={screenshot}",
    )
    command = [browser, *_FLAGS, *flags, "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, read_png(screenshot.read_bytes())


def read_png(content: bytes) -> Picture:
    """A PNG of 8 bits a channel, as browsers write them."""
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    place, packed, width, height, size = 8, b"", 0, 0, 3
    while place < len(content):
        length, kind = int.from_bytes(content[place : place + 4], "big"), content[place + 4 : place + 8]
        chunk = content[place + 8 : place + 8 + length]
        if kind == b"IHDR":
            width, height = (int.from_bytes(chunk[at : at + 4], "big") for at in (0, 4))
            assert (chunk[8], chunk[12]) == (8, 0)
            size = {2: 3, 6: 4}[chunk[9]]
        elif kind == b"IDAT":
            packed += chunk
        place += 12 + length
    raw, stride = zlib.decompress(packed), width * size
    rows, above = [], bytearray(stride)
    for index in range(height):
        start = index * (stride + 1)
        above = _unfiltered(raw[start], bytearray(raw[start + 1 : start + 1 + stride]), above, size)
        rows.append(bytes(above))
    return Picture(width, height, rows)


def _unfiltered(kind: int, row: bytearray, above: bytearray, size: int) -> bytearray:
    if kind == 0:
        return row
    if kind == 2:
        return bytearray((here + up) & 255 for here, up in zip(row, above, strict=True))
    for index in range(len(row)):
        left, corner = (row[index - size], above[index - size]) if index >= size else (0, 0)
        up = above[index]
        if kind == 1:
            guess = left
        elif kind == 3:
            guess = (left + up) // 2
        else:
            target = left + up - corner
            guess = min((left, up, corner), key=lambda one: abs(target - one))
        row[index] = (row[index] + guess) & 255
    return row
