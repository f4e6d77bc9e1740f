"""`databricks-async serve`: a local workspace for other programs, until Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from databricks_async.cli.commands import Command
from databricks_async.cli.options import FILE, FOLDER, ParamType
from databricks_async.cli.serving.settings import TOKEN_VARIABLE, Settings, parse_rate, parse_speed

T = TypeVar("T")

_FAULTS = """\
PATTERN=WHAT[:COUNT][@PROBABILITY]; WHAT is one of
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
"""
_CURL = """\
For programs of this machine, with the token:
  curl -H "Authorization: Bearer $DATABRICKS_TOKEN" "$DATABRICKS_HOST/_local"       what can be asked for
  curl … "$DATABRICKS_HOST/_local/clock" -d '{"advance": 3600}'
  curl … "$DATABRICKS_HOST/_local/faults" -d '{"plan": "GET */clusters/get=503:2"}'
  curl … "$DATABRICKS_HOST/_local/script_task" -d '{"name": "load", "result_state": "FAILED"}'
  curl … "$DATABRICKS_HOST/_local/journal"
  curl … "$DATABRICKS_HOST/_local/reset" -d '{}'
"""


class _Serve(Command):
    """A command that asks no workspace, so without the options for that; its help has the words of faults."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return click.Command.get_params(self, ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        click.Command.format_options(self, ctx, formatter)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_help(ctx, formatter)
        for title, text in (("Faults", _FAULTS), ("Admin endpoint", _CURL)):
            with formatter.section(title):
                formatter.write("".join(f"  {line}\n" for line in text.splitlines()))


class _Parsed(ParamType[T]):
    """What a function makes of the text; its ValueError says what is wrong."""

    def __init__(self, name: str, parse: Callable[[str], T]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> T:
        if not isinstance(value, str):
            found: T = value
            return found
        try:
            return self._parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command(
    "serve",
    cls=_Serve,
    examples="""
    eval "$(databricks-async serve --background)"                 the variables for this shell; it goes on behind it
    databricks-async clusters get -o json gold > seed.json        what the service shows is what --seed takes
    databricks-async serve --seed seed.json --ui
    databricks-async serve --fault 'GET */clusters/get=503/html:2' --fault '*=drop,after@5%' --fault-seed 7
    """,
    output="Two lines for the shell: export DATABRICKS_HOST=…, export DATABRICKS_TOKEN=…; all else is on stderr.",
)
@click.option("--port", type=int, default=8765, show_default=True, help="0 picks a free one")
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="the address to listen on")
@click.option(
    "--token",
    envvar=TOKEN_VARIABLE,
    help=f"the personal access token to accept; by default ${TOKEN_VARIABLE}, which no list of processes shows, "
    "else a random one",
)
@click.option(
    "--speed",
    type=_Parsed("NUMBER", parse_speed),
    default="60",
    show_default=True,
    help="workspace seconds a second: a cluster starts in 300 of them; its times are soon ahead of yours",
)
@click.option(
    "--data",
    type=FOLDER,
    metavar="DIR",
    help="keep clusters, jobs, runs and objects in this directory, from one start to the next; seeds are for a new one "
    "(default: in memory)",
)
@click.option("--background", is_flag=True, help="return once it listens; stderr says how to end it")
@click.option(
    "--seed",
    "seeds",
    multiple=True,
    type=FILE,
    metavar="FILE",
    help="clusters, jobs, notebooks to begin with: JSON as the service shows them, - for stdin",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="PATTERN=WHAT[:COUNT][@PROBABILITY]",
    help="have requests fail: see below",
)
@click.option("--fault-seed", type=int, default=0, metavar="N", help="what probabilities are drawn from")
@click.option(
    "--run-tasks",
    is_flag=True,
    help="run the Python notebooks, scripts and wheels of jobs for real, in processes of this Python: this runs the "
    "code of all who have the token, so it needs an address of this machine",
)
@click.option("--rate", type=_Parsed("RATE", parse_rate), metavar="30/s", help="answer 429 beyond this: /s, /min, /h")
@click.option(
    "--log",
    type=FILE,
    is_flag=False,
    flag_value="-",
    metavar="[FILE]",
    help="a line for each request: to FILE, else to stderr",
)
@click.option("--ui", is_flag=True, help="show clusters, runs and events on a page, live")
@click.option("--ui-port", type=int, default=8766, show_default=True, metavar="PORT", help="of the page; 0: a free one")
@click.option("--tls-cert", type=FILE, metavar="FILE", help="serve https with this certificate (PEM)")
@click.option("--tls-key", type=FILE, metavar="FILE", help="its key, where the certificate's file does not have it")
def command(background: bool, **options: Any) -> int:
    """Run an in-memory Databricks workspace that any Databricks client can talk to, until Ctrl-C.

    Exit codes: 0 when it was stopped, 1 if the address cannot be had.
    """
    settings = Settings(**options)
    if background:
        if settings.log == "-":
            raise click.UsageError("--log needs a FILE with --background")
        if "-" in settings.seeds:
            raise click.UsageError("--seed needs a FILE with --background")
        from databricks_async.cli.serving import background as apart

        return apart.run(settings)
    from databricks_async.cli.serving import foreground

    try:
        return foreground.run(settings)
    except foreground.WrongOption as error:
        raise click.UsageError(str(error)) from None
