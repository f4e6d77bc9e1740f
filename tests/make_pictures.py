"""Make the pictures of the manual: the live tables, a timeline, and the page, each by the command that shows it.

    python tests/make_pictures.py [FOLDER]

A local workspace is served with clusters, jobs and failures; its clock is moved by hand, so that the pictures show the
same each time, but for dates and ids. The page needs Chromium.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import pty
import re
import selectors
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from support import devtools
from support.browser import read_png
from support.terminal_picture import Terminal

FOLDER = Path(__file__).parent.parent / "databricks_async" / "manual" / "pictures"
PROGRAM = [sys.executable, "-m", "databricks_async"]
_WAIT_SECONDS = 60.0
_HOUR_MS = 3_600_000


def cluster(number: int, name: str, workers: int, hours: float, **fields: Any) -> dict[str, Any]:
    """A cluster as the service shows it, so many hours old."""
    now = int(time.time() * 1000)
    return {
        "cluster_id": f"1126-0746{number:02}-ar5il5g{number:x}",
        "cluster_name": name,
        "spark_version": "15.4.x-scala2.12",
        "node_type_id": "Standard_DS3_v2",
        "num_workers": workers,
        "start_time": now - int(hours * _HOUR_MS),
        "state": "RUNNING",
        **fields,
    }


def task(key: str, *after: str, **fields: Any) -> dict[str, Any]:
    """A task of the job of the pictures."""
    return {
        "task_key": key,
        "depends_on": [{"task_key": one} for one in after],
        "notebook_task": {"notebook_path": f"/Shared/sales/{key}"},
        "job_cluster_key": "main",
        **fields,
    }


JOB = {
    "settings": {
        "name": "nightly-sales",
        "job_clusters": [
            {
                "job_cluster_key": "main",
                "new_cluster": {
                    "spark_version": "15.4.x-scala2.12",
                    "node_type_id": "Standard_DS3_v2",
                    "num_workers": 4,
                },
            }
        ],
        "tasks": [
            task("extract"),
            task("clean", "extract"),
            task("enrich_with_prices", "clean", max_retries=1),
            task("join", "enrich_with_prices"),
            task("quality", "clean"),
            task("report", "join"),
        ],
    }
}
ENDED = {"state": "TERMINATED", "termination_reason": {"code": "INACTIVITY", "type": "SUCCESS", "parameters": {}}}
SEED = {
    "clusters": [
        cluster(1, "gold", 5, 2.2),
        cluster(2, "serving", 2, 49),
        cluster(3, "notebooks", 4, 6.4),
        cluster(4, "ad-hoc", 1, 30, **ENDED),
        *(cluster(number, f"team-{number}", 2, 10 + number) for number in range(5, 7)),
    ],
    "jobs": [JOB],
}


class Workspace:
    """A served local workspace, and what may be asked of it."""

    def __init__(self, address: str, token: str, page: str) -> None:
        self.page = page
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("DATABRICKS_", "NO_COLOR"))},
            "DATABRICKS_HOST": address,
            "DATABRICKS_TOKEN": token,
            "TERM": "xterm-256color",
            "TZ": "UTC",
        }

    def admin(self, path: str, **body: Any) -> None:
        """Ask the admin endpoint."""
        request = urllib.request.Request(  # noqa: S310 (this machine)
            f"{self.environment['DATABRICKS_HOST']}/_local/{path}",
            data=json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.environment['DATABRICKS_TOKEN']}"},
        )
        with urllib.request.urlopen(request, timeout=_WAIT_SECONDS) as answer:  # noqa: S310 (this machine)
            answer.read()

    def advance(self, seconds: float) -> None:
        self.admin("clock", advance=seconds)

    def run(self, *argv: str) -> str:
        """What a command writes on standard output."""
        done = subprocess.run([*PROGRAM, *argv], env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{argv}: {done.stderr}")
        return done.stdout


@contextlib.contextmanager
def served() -> Iterator[Workspace]:
    """A workspace with the seed, whose clock goes as slowly as this machine's."""
    with tempfile.TemporaryDirectory() as folder:
        seed = Path(folder, "seed.json")
        seed.write_text(json.dumps(SEED), encoding="utf-8")
        process = subprocess.Popen(
            [*PROGRAM, "serve", "--port=0", "--ui", "--ui-port=0", "--speed=1", f"--seed={seed}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            process.stderr.readline()
            page = process.stderr.readline().split()[-1]
            host, token = (process.stdout.readline().strip().partition("=")[2] for _ in range(2))
            yield Workspace(host, token, page)
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate()


class Shown:
    """A command on a terminal, while it runs."""

    def __init__(self, workspace: Workspace, columns: int, lines: int, *argv: str) -> None:
        self.command = " ".join(("databricks-async", *argv))
        self.terminal = Terminal(columns, lines)
        self._ours, theirs = pty.openpty()
        size = {"COLUMNS": str(columns), "LINES": str(lines)}
        streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
        self._process = subprocess.Popen([*PROGRAM, *argv], env={**workspace.environment, **size}, **streams)
        os.close(theirs)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._ours, selectors.EVENT_READ)

    def until(self, *patterns: str) -> None:
        """Wait until the terminal shows all of these."""
        give_up = time.monotonic() + _WAIT_SECONDS
        while not all(re.search(one, "\n".join(self.terminal.lines)) for one in patterns):
            if time.monotonic() > give_up:
                raise TimeoutError(f"{self.command} does not show {patterns}:\n" + "\n".join(self.terminal.lines))
            if self._selector.select(0.1):
                self.terminal.feed(os.read(self._ours, 65536))

    def save(self, path: Path, title: str) -> None:
        """Write the picture, and end the command."""
        path.write_text(self.terminal.svg(self.command, title), encoding="utf-8")
        self._process.send_signal(signal.SIGINT)
        with contextlib.suppress(OSError):  # the other end is closed
            while os.read(self._ours, 65536):
                pass
        self._process.wait()
        self._selector.close()
        os.close(self._ours)


def clusters(workspace: Workspace, folder: Path) -> None:
    """`clusters watch`: one that came up, one that could not, one on its way, and those that did not change."""
    new = {"spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2"}
    shown = Shown(workspace, 110, 16, "clusters", "watch", "--all", "--every", "1s")
    shown.until("gold", "read")
    workspace.admin("fail_next_start", code="CLOUD_PROVIDER_RESOURCE_STOCKOUT", type="CLOUD_FAILURE")
    for name, workers in (("training", 8), ("features", 4)):
        made = {**new, "cluster_name": name, "num_workers": workers}
        workspace.run("clusters", "create", "--no-wait", "--json", json.dumps(made))
    shown.until("training +PENDING", "features +PENDING")
    workspace.advance(320)
    shown.until("training .*TERMINATED", "features .*RUNNING")
    made = {**new, "cluster_name": "experiment", "autoscale": {"min_workers": 2, "max_workers": 8}}
    workspace.run("clusters", "create", "--no-wait", "--json", json.dumps(made))
    shown.until("experiment +PENDING")
    workspace.advance(72)
    shown.until("experiment +PENDING +1m1")
    shown.save(
        folder / "live-table.svg", "A live table of clusters in a terminal: what moves and what changed stands first"
    )


def run(workspace: Workspace, folder: Path) -> str:
    """`runs watch` while a run goes on, and `runs timeline --out` at its end. Returns the run's id."""
    workspace.admin("script_task", name="extract", duration=300, output="41,233 rows")
    workspace.admin("script_task", name="clean", duration=340)
    workspace.admin("script_task", name="enrich_with_prices", duration=107, error="no price for product 17", times=1)
    workspace.admin("script_task", name="enrich_with_prices", duration=232)
    workspace.admin("script_task", name="join", duration=310)
    workspace.admin("script_task", name="quality", duration=150, error="ValueError: 12 rows without a customer")
    run_id = workspace.run("jobs", "run-now", "nightly-sales", "--no-wait", "-q").strip()
    shown = Shown(workspace, 100, 14, "runs", "watch", run_id, "--every", "0.5s")
    for seconds, seen in ((330, "extract"), (320, "clean"), (360, "clean +5m"), (110, "enrich"), (250, "join")):
        workspace.advance(seconds)
        shown.until(seen)
    shown.until(r"\* join", "✗ quality")
    shown.save(
        folder / "live-run.svg", "A run in a terminal, as a tree of its tasks with bars for waiting, setup, running"
    )
    workspace.advance(600)
    with contextlib.suppress(RuntimeError):  # it has failed, as it should
        workspace.run("runs", "watch", run_id)
    workspace.run("runs", "timeline", run_id, "--out", str(folder / "timeline.svg"))
    return run_id


async def page(workspace: Workspace, folder: Path, run_id: str) -> None:
    """The page with the run's timeline open, light and dark."""
    async with devtools.started() as browser:
        tab = await browser.tab()
        for scheme in ("light", "dark"):
            await tab.open(workspace.page, scheme=scheme)
            size = {"width": 1060, "height": 1010, "deviceScaleFactor": 1, "mobile": False}
            await tab.send("Emulation.setDeviceMetricsOverride", **size)
            button = f"[...document.querySelectorAll('#runs .item')].find(e => e.textContent.includes('{run_id}'))"
            await tab.until(f"{button} && document.querySelectorAll('#clusters .item').length > 8")
            await tab.run(f"{button}.querySelector('button').click()")
            await tab.until("document.querySelector('.timeline img')?.naturalWidth > 0")
            (folder / f"page-{scheme}.png").write_bytes(smaller(await tab.screenshot()))


def smaller(png: bytes) -> bytes:
    """The same picture in 256 colours, which is all that a page needs: browsers write all of them, in a hurry."""
    picture = read_png(png)
    size = len(picture.rows[0]) // picture.width
    rows = [list(zip(*(row[part::size] for part in range(3)), strict=True)) for row in picture.rows]
    counts = Counter(pixel for row in rows for pixel in row)
    # The signs of states are small and coloured, the edges of letters many and grey.
    palette = sorted(counts, key=lambda one: -counts[one] * (1 + max(one) - min(one)))[:256]
    places = {colour: place for place, colour in enumerate(palette)}

    def place_of(colour: tuple[int, ...]) -> int:
        if colour not in places:
            near = min(palette, key=lambda one: sum((a - b) ** 2 for a, b in zip(one, colour, strict=True)))
            places[colour] = places[near]
        return places[colour]

    packed = zlib.compress(b"".join(b"\0" + bytes(map(place_of, row)) for row in rows), 9)
    head = picture.width.to_bytes(4, "big") + len(rows).to_bytes(4, "big") + bytes((8, 3, 0, 0, 0))
    chunks = ((b"IHDR", head), (b"PLTE", b"".join(map(bytes, palette))), (b"IDAT", packed), (b"IEND", b""))
    return png[:8] + b"".join(
        len(chunk).to_bytes(4, "big") + kind + chunk + zlib.crc32(kind + chunk).to_bytes(4, "big")
        for kind, chunk in chunks
    )


def make(folder: Path) -> None:
    """Make all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    with served() as workspace:
        clusters(workspace, folder)
        run_id = run(workspace, folder)
        asyncio.run(page(workspace, folder, run_id))
    for path in sorted(folder.glob("*.*")):
        print(f"{path.name}: {path.stat().st_size / 1000:.1f} KB, {datetime.now(UTC):%Y-%m-%d}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    make(parser.parse_args().folder)
