"""All benchmarks by one command: what each defends, the comparison with the peers as a table, and its picture.

    python -m benchmarks [--quick] [--only NAME ...] [--busy N] [--markdown FILE] [--json FILE] [--picture FILE]

Each benchmark is a program of its own, and all run here one after the other, each in a fresh process. A run takes some
twenty minutes; `--quick` shows in some two that all of them work, and judges only what is counted. `--busy 2` measures
beside two busy loops. The exit code is 1 when something missed what it must reach.

Airflow's hook is measured if `benchmarks/airflow.sh` has made its environment.
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
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.picture import draw, number

HERE = Path(__file__).parent
PICTURE = HERE.parent / "databricks_async" / "manual" / "pictures" / "benchmarks.svg"
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
    print(f"\n=== {name}", flush=True)
    command = [sys.executable, str(HERE / f"{name}.py"), *(["--quick"] if quick else [])]
    environment = {**os.environ, _FIGURES_FILE: str(figures)}
    return subprocess.run(command, cwd=HERE.parent, env=environment, check=False).returncode == 0


def machine(rows: list[dict[str, Any]]) -> list[str]:
    """What all was measured on, in two lines."""
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    kind = models[0] if models else platform.processor() or platform.machine()
    versions = [f"{name} {importlib.metadata.version(name)}" for name in PEERS]
    versions += [f"{row['of']} {row['version']}" for row in rows if "version" in row]
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return [
        f"{today}: {os.cpu_count()} cores ({kind}), {platform.system()}, {platform.python_implementation()} "
        f"{platform.python_version()},",
        ", ".join(versions),
    ]


def markdown(rows: list[dict[str, Any]], described: list[str]) -> str:
    """The comparison, the requests, the growth, and all that was judged, as tables."""
    lines = [f"Measured {' '.join(described)}. Medians, with the smallest and the largest of all rounds."]
    timed = [row for row in rows if "cpu" in row and "measure" in row]
    lines += _table(
        ["what", "with", "CPU time", "wall time"],
        [
            [f"{row['measure']}, {row['unit']}", row["contender"], _spread(row["cpu"]), _spread(row["wall"])]
            for row in timed
        ],
    )
    sent: dict[str, list[str]] = {}
    for row in rows:
        if "sent" in row:
            sent.setdefault(row["measure"], [row["measure"]]).append(number(row["sent"][0]))
    lines += _table(["requests", "databricks-async", "official SDK"], sent.values())
    grown = [row for row in rows if "growth" in row]
    lines += _table(
        ["growth", "how many", "calls of functions each", "CPU microseconds each"],
        [[row["growth"], f"{row['size']:,}", number(row["calls"]), number(row["cpu"] * 1e6)] for row in grown],
    )
    judged = [row for row in rows if "held" in row]
    lines += _table(
        ["benchmark", "what it defends", "measured", "aim", ""],
        [
            [
                row["benchmark"],
                f"{row['subject']}: {row['what']}" if row["subject"] else row["what"],
                f"{row['value']:.2f}",
                row["aim"],
                "" if row["held"] else "missed",
            ]
            for row in judged
        ],
    )
    return "\n".join(lines) + "\n"


def _table(head: list[str], rows: Iterable[list[str]]) -> list[str]:
    body = [f"| {' | '.join(row)} |" for row in rows]
    return ["", f"| {' | '.join(head)} |", "|---" * len(head) + "|", *body] if body else []


def _spread(three: list[float]) -> str:
    median, low, high = (number(value) for value in three)
    return f"{median} ({low} to {high})"


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a smoke run: judges only what is counted, draws nothing")
    parser.add_argument("--only", nargs="+", choices=benchmarks(), metavar="NAME", default=benchmarks())
    parser.add_argument("--busy", type=int, default=0, metavar="N", help="beside so many busy loops")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parser.add_argument("--picture", type=Path, metavar="FILE", help=f"{PICTURE.name} of the manual, if nothing else")
    return parser.parse_args()


def main() -> int:
    arguments = parsed()
    with tempfile.TemporaryDirectory() as folder, busy_loops(arguments.busy):
        figures = Path(folder, "figures")
        figures.touch()
        failed = [name for name in arguments.only if not run(name, arguments.quick, figures)]
        rows = [json.loads(line) for line in figures.read_text(encoding="utf-8").splitlines()]
    described = machine(rows)
    if arguments.busy:
        described.append(f"beside {arguments.busy} busy loops")
    tables = markdown(rows, described)
    print(f"\n{tables}")
    if arguments.markdown:
        arguments.markdown.write_text(tables, encoding="utf-8")
    if arguments.json:
        arguments.json.write_text(json.dumps({"machine": described, "figures": rows}, indent=1), encoding="utf-8")
    compared = [row for row in rows if row.get("bar")]
    picture = arguments.picture or (PICTURE if not arguments.quick and not arguments.busy else None)
    if compared and picture:
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.write_text(draw(compared, described), encoding="utf-8")
        print(f"The picture is {picture}")
    if failed:
        print(f"Missed something: {', '.join(failed)}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
