"""What the command line costs before it does anything: CPU, and what it imports; and what drawing costs.

Defends: `--version`, any help and one Tab take at most 60 ms of CPU over the bare interpreter, and import neither
aiohttp nor cattrs nor rich; the live table of 1,000 clusters, drawn once a second, takes at most 5 % of a CPU.

    python benchmarks/command_line.py [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import statistics
import subprocess
import sys
import time

from harness import Gate

from databricks_async.cli.live.boards import ClusterBoard
from databricks_async.cli.live.screen import Screen
from databricks_async.cli.options import Options
from databricks_async.cli.output.streams import Stream
from databricks_async.cli.output.writer import Output
from databricks_async.clusters.changes import ClusterChange
from databricks_async.clusters.models import ClusterDetails

COMMAND = "import sys; from databricks_async.cli import main; sys.exit(main({argv!r}))"
CASES: dict[str, tuple[list[str], dict[str, str]]] = {
    "--version": (["--version"], {}),
    "--help": (["--help"], {}),
    "clusters list --help": (["clusters", "list", "--help"], {}),
    "workspace export --help": (["workspace", "export", "--help"], {}),
    "demo --help": (["demo", "--help"], {}),
    "serve --help": (["serve", "--help"], {}),
    "help exit-codes": (["help", "exit-codes"], {}),
    "one Tab": ([], {"_DATABRICKS_ASYNC_COMPLETE": "bash_complete", "COMP_WORDS": "x clusters g", "COMP_CWORD": "2"}),
}
HEAVY = ("aiohttp", "cattrs", "rich")


def cpu_seconds(program: str, environment: dict[str, str]) -> float:
    """User and system time of one Python process."""
    process = subprocess.Popen(
        [sys.executable, "-c", program], env={**os.environ, **environment}, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"this program failed:\n{program}")
    return usage.ru_utime + usage.ru_stime


def imported(argv: list[str], environment: dict[str, str]) -> set[str]:
    """All modules that a command imports."""
    program = (
        "import sys; from databricks_async.cli import main; main({argv!r}); "
        "print('\\n' + ' '.join(sys.modules), file=sys.stderr)"
    )
    found = subprocess.run(
        [sys.executable, "-c", program.format(argv=argv)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(found.stderr.splitlines()[-1].split())


class Terminal(io.StringIO):
    """A terminal that shows nothing."""

    def isatty(self) -> bool:
        return True


async def drawing(frames: int) -> float:
    """CPU seconds a frame of the live table of 1,000 clusters, ten of which have changed since the last one."""
    os.environ |= {"COLUMNS": "140", "LINES": "50", "TERM": "xterm-256color"}
    file = Terminal()
    out = Output(Options())
    out.stdout = Stream(file)
    board = ClusterBoard(out, lambda: 1.0, 1.0, show_all=True)

    def cluster(number: int, state: str) -> ClusterDetails:
        fields = {"cluster_id": str(number), "cluster_name": f"cluster {number}", "state": state, "num_workers": 2}
        return ClusterDetails.from_dict({**fields, "start_time": 1_764_000_000_000})

    for number in range(1000):
        board.take(ClusterChange(str(number), None, cluster(number, "RUNNING"), None, ""))
    async with Screen(out.stdout, board.draw, every=3600) as screen:
        began = time.process_time()
        for frame in range(frames):
            for number in range(10 * frame, 10 * frame + 10):
                before = cluster(number % 1000, "RUNNING")
                board.take(ClusterChange(str(number % 1000), before, cluster(number % 1000, "PENDING"), None, ""))
            screen.redraw()
            file.seek(0)
            file.truncate()
        return (time.process_time() - began) / frames


def main(quick: bool) -> int:
    gate = Gate(quick)
    rounds = 2 if quick else 9
    bare, figures = [], {name: list[float]() for name in CASES}
    for round_ in range(rounds + 1):
        seconds = cpu_seconds("", {})
        if round_:  # the first one writes the bytecode
            bare.append(seconds)
        for name, (argv, environment) in CASES.items():
            seconds = cpu_seconds(COMMAND.format(argv=argv), environment)
            if round_:
                figures[name].append(seconds)
    base = statistics.median(bare)
    gate.about(f"CPU time of whole processes over the bare interpreter's {base * 1000:.0f} ms ({rounds} rounds)")
    for name, values in figures.items():
        over = statistics.median(values) - base
        gate.at_most(f"{name}, ms over the interpreter", over * 1000, 60.0)
        modules = imported(*CASES[name])
        print(f"  ({(over + base) / base:.1f} times the interpreter; {len(modules)} modules)")
        gate.at_most(f"{name}, heavy modules imported", sum(one in modules for one in HEAVY), 0, counted=True)
    gate.at_most(
        "drawing 1,000 clusters once a second, share of a CPU", asyncio.run(drawing(10 if quick else 100)), 0.05
    )
    return gate.exit_code()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a smoke run: prints, does not judge")
    sys.exit(main(parser.parse_args().quick))
