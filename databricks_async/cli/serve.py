"""`databricks-async serve`: a local workspace for other programs, until Ctrl-C."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from typing import TypeVar

from databricks_async.cli.serving.settings import TOKEN_VARIABLE, Settings, parse_rate, parse_speed

T = TypeVar("T")

_DESCRIPTION = "Run an in-memory Databricks workspace that any Databricks client can talk to."
_EPILOG = """\
examples:
  eval "$(databricks-async serve --background)"            the variables for this shell; it goes on behind it
  databricks-async clusters get -o json X > seed.json      what the service shows is what --seed takes
  databricks-async serve --seed seed.json
  databricks-async serve --fault 'GET */clusters/get=503/html:2' --fault '*=drop,after@5%' --fault-seed 7

faults: PATTERN=WHAT[:COUNT][@PROBABILITY]; WHAT is one of
  503  429/html  500/any       an error; its body: json details number scim oauth html text empty null array half
                               latin long, or any
  drop  reset  hang            no answer; before the request takes effect, or `,after`
  cut  reset,midway            the connection ends in the middle of the body
  truncate  garble  length=+10 half a body, wrong bytes, a wrong Content-Length
  delay=2  slow-headers=5  slow-body=5        seconds
  stale  revoke  clock=3600  date=-3600       a read from before the last write, a revoked token, a clock that jumps
  refuse=2  stall              no connection for so many seconds; one that does not go on (CONNECT=stall)
  behind it: ,retry-after=2 ,latency=0.5 ,skip=3 ,every=5 ,from=10 ,until=20
  without a count it strikes once; with a probability, `every`, `from` or `until` for ever

from any language, on this machine, with the token:
  curl -H "Authorization: Bearer $DATABRICKS_TOKEN" "$DATABRICKS_HOST/_local"                 what can be asked for
  curl … "$DATABRICKS_HOST/_local/clock" -d '{"advance": 3600}'
  curl … "$DATABRICKS_HOST/_local/faults" -d '{"plan": "GET */clusters/get=503:2"}'
  curl … "$DATABRICKS_HOST/_local/script_task" -d '{"name": "load", "result_state": "FAILED"}'
  curl … "$DATABRICKS_HOST/_local/journal"
  curl … "$DATABRICKS_HOST/_local/reset" -d '{}'
"""


def run(argv: Sequence[str]) -> int:
    """Serve until Ctrl-C or SIGTERM, then return 0; return 1 if the address cannot be had.

    Wrong arguments end the program with exit code 2.
    """
    parser = _parser()
    options = parser.parse_args(argv)
    settings = Settings(**{name: value for name, value in vars(options).items() if name != "background"})
    if options.background:
        if settings.log == "-":
            parser.error("--log needs a FILE with --background")
        if "-" in settings.seeds:
            parser.error("--seed needs a FILE with --background")
        from databricks_async.cli.serving import background

        return background.run(settings)
    from databricks_async.cli.serving import foreground

    try:
        return foreground.run(settings)
    except foreground.WrongOption as error:
        parser.error(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="databricks-async serve",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--port", type=int, default=8765, help="0 picks a free one (default: %(default)s)")
    add("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    add(
        "--token",
        default=os.environ.get(TOKEN_VARIABLE) or None,
        help=f"the personal access token to accept (default: ${TOKEN_VARIABLE}, which no list of processes shows, "
        "else a random one)",
    )
    add(
        "--speed",
        type=_checked(parse_speed),
        default=60.0,
        help="workspace seconds a second: a cluster starts in 300 of them (default: %(default)g)",
    )
    add("--background", action="store_true", help="return once it listens; it goes on until it is killed")
    add(
        "--seed",
        action="append",
        default=[],
        dest="seeds",
        metavar="FILE",
        help="clusters, jobs, notebooks to begin with: JSON as the service shows them, - for stdin",
    )
    add(
        "--fault",
        action="append",
        default=[],
        dest="faults",
        metavar="PATTERN=WHAT[:COUNT][@PROBABILITY]",
        help="have requests fail: see below",
    )
    add("--fault-seed", type=int, default=0, metavar="N", help="what probabilities are drawn from")
    add(
        "--run-tasks",
        action="store_true",
        help="run the Python notebooks, scripts and wheels of jobs for real, in processes of this Python: "
        "this runs the code of all who have the token, so it needs an address of this machine",
    )
    add("--rate", type=_checked(parse_rate), metavar="30/s", help="answer 429 beyond this: /s, /min, /h")
    add("--log", nargs="?", const="-", metavar="FILE", help="a line for each request: to FILE, else to stderr")
    add("--tls-cert", metavar="FILE", help="serve https with this certificate (PEM)")
    add("--tls-key", metavar="FILE", help="its key, where the certificate's file does not have it")
    return parser


def _checked(parse: Callable[[str], T]) -> Callable[[str], T]:
    """A type of argparse's that says what the ValueError does."""

    def convert(text: str) -> T:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return convert
