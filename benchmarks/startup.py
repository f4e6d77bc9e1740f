"""What starting costs: importing the client, and the first typed call.

Defends, in CPU time of whole processes against the official SDK in the same run: importing and constructing a client
<= 0.08, first typed `clusters.get` <= 0.27.

    python benchmarks/startup.py [--quick]
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys

from harness import Gate, answering

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


def cpu_seconds(program: str) -> float:
    """User and system time of one Python process."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DATABRICKS_")}
    process = subprocess.Popen([sys.executable, "-c", program], env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"this program failed:\n{program}")
    return usage.ru_utime + usage.ru_stime


def main(quick: bool) -> int:
    gate = Gate(quick)
    rounds = 2 if quick else 9
    with answering() as url:
        programs = {name: program.replace("{url}", url) for name, program in PROGRAMS.items()}
        figures: dict[str, list[float]] = {name: [] for name in programs}
        for round_ in range(rounds + 1):
            for name in random.sample(list(programs), len(programs)):
                seconds = cpu_seconds(programs[name])
                if round_:  # the first one writes the bytecode
                    figures[name].append(seconds)
    gate.about(f"CPU time of whole processes, Python's own start taken off ({rounds} rounds)")

    def over_official(suffix: str) -> float:
        pairs = zip(figures["ours" + suffix], figures["official" + suffix], figures["python"], strict=True)
        return statistics.median((ours - bare) / (official - bare) for ours, official, bare in pairs)

    gate.at_most("import and construct, ours over the official SDK's", over_official(""), 0.08)
    gate.at_most("first typed call, ours over the official SDK's", over_official(", first call"), 0.27)
    for name, values in figures.items():
        print(f"  ({name}: {statistics.median(values) * 1000:.0f} ms)")
    return gate.exit_code()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a smoke run: prints, does not judge")
    sys.exit(main(parser.parse_args().quick))
