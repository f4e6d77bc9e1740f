"""All benchmarks by one command: what each defends, the comparison with the peers as tables, and its picture.

    python -m benchmarks [--quick] [--only NAME ...] [--busy N] [--json FILE] [--markdown FILE] [--chapter]

Each benchmark is a program of its own, in a fresh process. A whole run takes more than half an hour: what mostly
waits runs at the same time, all else one after the other. The exit code is 1 when something missed what it must reach.

`--chapter` writes what was measured into the manual's chapter and into the README, and draws its picture: a whole run,
on a machine that does nothing else. `--figures FILE` does so with what an earlier run wrote by `--json`. Airflow's hook
is measured if `benchmarks/airflow.sh` has made its environment.

`--quick` shows in some two minutes that all of them work. Times of so short a run say nothing, so that it judges only
what is counted: calls of functions, requests, bytes. `--busy 2` measures beside two busy loops.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.picture import draw
from benchmarks.tables import everything, write_chapter

HERE = Path(__file__).parent
PICTURE = HERE.parent / "databricks_async" / "manual" / "pictures" / "benchmarks.svg"
WAITING = ("requests_sent", "trees", "watching")
"""These wait most of the time, so that they run at the same time."""
SHORTER = {"soak": ["--calls", "15000"]}
"""What takes longer alone: too few calls for its memory to be judged, and enough for what is lost or doubled."""
PEERS = ("aiohttp", "attrs", "cattrs", "orjson", "databricks-sdk")
_FIGURES_FILE = "BENCHMARK_FIGURES"  # as in harness.py, which only the benchmarks themselves import


def benchmarks() -> list[str]:
    """The names of all programs here; the rest are their parts. The comparison comes first."""
    programs = [
        path.stem
        for path in HERE.glob("[a-z]*.py")
        if path.stem != "airflow_peer" and 'if __name__ == "__main__":' in path.read_text(encoding="utf-8")
    ]
    return sorted(programs, key=lambda name: (name != "peers", name))


@contextlib.contextmanager
def busy_loops(count: int) -> Iterator[None]:
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def run(name: str, quick: bool, figures: Path) -> bool:
    """Whether a benchmark reached all that it defends."""
    arguments = ["--quick"] if quick else SHORTER.get(name, [])
    environment = {**os.environ, _FIGURES_FILE: str(figures)}
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, str(HERE / f"{name}.py"), *arguments],
        cwd=HERE.parent,
        env=environment,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    print(f"\n=== {name} ({time.monotonic() - began:.0f} s)\n{done.stdout}", end="", flush=True)
    return done.returncode == 0


def run_all(names: list[str], quick: bool, figures: Path) -> list[str]:
    """Those that missed something."""
    together = names if quick else [name for name in names if name in WAITING]
    with ThreadPoolExecutor(os.cpu_count() if quick else len(WAITING)) as threads:
        held = dict(zip(together, threads.map(lambda name: run(name, quick, figures), together), strict=True))
    for name in names:
        if name not in held:
            held[name] = run(name, quick, figures)
    return [name for name in names if not held[name]]


def machine(rows: list[dict[str, Any]], load: float) -> list[str]:
    """What all was measured on, in two lines; `load` is that of others, before the run."""
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    kind = models[0] if models else platform.processor() or platform.machine()
    versions = [f"{name} {importlib.metadata.version(name)}" for name in PEERS]
    versions += [f"{row['of']} {row['version']}" for row in rows if "version" in row]
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return [
        f"{today}: {os.cpu_count()} cores ({kind}), {platform.system()}, {platform.python_implementation()} "
        f"{platform.python_version()}, load of other programs {load:.1f},",
        ", ".join(versions),
    ]


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a smoke run: judges only what is counted")
    parser.add_argument("--only", nargs="+", choices=benchmarks(), metavar="NAME", default=benchmarks())
    parser.add_argument("--busy", type=int, default=0, metavar="N", help="beside so many busy loops")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw the comparison there")
    parser.add_argument(
        "--chapter", action="store_true", help="write the figures into manual and README, and the picture"
    )
    parser.add_argument("--figures", type=Path, metavar="FILE", help="measure nothing: take what --json has written")
    found = parser.parse_args()
    if found.chapter and not found.figures and (found.quick or found.busy or found.only != benchmarks()):
        parser.error("--chapter is for all benchmarks: without --quick, --only and --busy")
    return found


def measured(arguments: argparse.Namespace) -> tuple[list[str], list[dict[str, Any]], list[str]]:
    """The machine, all figures, and the benchmarks that missed something."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder, busy_loops(arguments.busy):
        figures = Path(folder, "figures")
        figures.touch()
        failed = run_all(arguments.only, arguments.quick, figures)
        rows = [json.loads(line) for line in figures.read_text(encoding="utf-8").splitlines()]
    rows.sort(key=lambda row: arguments.only.index(row["benchmark"]))
    described = machine(rows, load)
    if arguments.busy:
        described.append(f"beside {arguments.busy} busy loops")
    return described, rows, failed


def main() -> int:
    arguments = parsed()
    if arguments.figures:
        found = json.loads(arguments.figures.read_text(encoding="utf-8"))
        described, rows, failed = found["machine"], found["figures"], found["missed"]
    else:
        described, rows, failed = measured(arguments)
    if arguments.json:
        found = {"machine": described, "missed": failed, "figures": rows}
        arguments.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    tables = everything(rows, described)
    print(f"\n{tables}")
    if arguments.markdown:
        arguments.markdown.write_text(tables, encoding="utf-8")
    if arguments.chapter:
        write_chapter(rows, described)
    picture = arguments.picture or (PICTURE if arguments.chapter else None)
    if picture:
        picture.write_text(draw([row for row in rows if row.get("bar")], described), encoding="utf-8")
    if failed:
        print(f"Missed something: {', '.join(failed)}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
