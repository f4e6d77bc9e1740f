"""What starting costs: importing the client, and the first typed call.

Defends, against the official SDK in the same run, of whole programs with Python's own start: the first typed
`clusters.get` is answered in <= 0.2 of its time, in wall time and in CPU time (`instructions.py` counts the same); and
with Python's own start taken off, importing and constructing a client take <= 0.08 of its CPU time.

    python benchmarks/startup.py [--quick]
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import time

from harness import Gate, answering, ratio

OURS = 'from databricks_async import WorkspaceClient\nw = WorkspaceClient(host="{url}", token="benchmark")\n'
OFFICIAL = (
    "from databricks.sdk import WorkspaceClient\n"
    'w = WorkspaceClient(host="{url}", token="benchmark", auth_type="pat", config_file="/dev/null")\n'
)
PROGRAMS = {
    "python": "",
    "ours": OURS,
    "official": OFFICIAL,
    "ours, first call": (
        "import asyncio\nfrom databricks_async import WorkspaceClient\n"
        "async def main():\n"
        '    async with WorkspaceClient(host="{url}", token="benchmark") as w:\n'
        '        await w.clusters.get("0923-164208-meows279")\n'
        "asyncio.run(main())\n"
    ),
    "official, first call": OFFICIAL + 'w.clusters.get("0923-164208-meows279")\n',
}


def spent(program: str) -> tuple[float, float]:
    """Wall seconds of one Python process, and its user and system time."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DATABRICKS_")}
    # The bytecode of an editable installation would never be written, and its source be compiled by each process.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", program], env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"this program failed:\n{program}")
    return wall, usage.ru_utime + usage.ru_stime


def main(quick: bool) -> int:
    gate = Gate(quick)
    rounds = 2 if quick else 15
    with answering() as url:
        programs = {name: program.replace("{url}", url) for name, program in PROGRAMS.items()}
        figures: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
        for round_ in range(rounds + 1):
            for name in random.sample(list(programs), len(programs)):
                figure = spent(programs[name])
                if round_:  # the first one writes the bytecode
                    figures[name].append(figure)
    gate.about(f"the first typed answer of a script ({rounds} rounds)")
    ours, official = figures["ours, first call"], figures["official, first call"]
    gate.at_most("wall time over the official SDK's", ratio(ours, official, 0), 0.2)
    gate.at_most("CPU time over the official SDK's", ratio(ours, official, 1), 0.2)
    gate.about("import and construct, Python's own start taken off")
    rows = zip(figures["ours"], figures["official"], figures["python"], strict=True)
    over = statistics.median((ours - bare) / (official - bare) for (_, ours), (_, official), (_, bare) in rows)
    gate.at_most("CPU time over the official SDK's", over, 0.08)
    for name, values in figures.items():
        wall, cpu = (1000 * statistics.median(value[which] for value in values) for which in (0, 1))
        print(f"  ({name}: {wall:.0f} ms, {cpu:.0f} ms of CPU)")
    return gate.exit_code()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a smoke run: prints, does not judge")
    sys.exit(main(parser.parse_args().quick))
