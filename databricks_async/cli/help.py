"""`databricks-async help`: help on a command, and on topics."""

from __future__ import annotations

import click

from databricks_async.cli.commands import PROGRAM, Argument, Command, Context, Group
from databricks_async.cli.output import exits

_TOPICS = {
    "exit-codes": "what the exit codes mean",
    "environment": "the variables that commands read",
    "output": "forms of the output, for people and for scripts",
}
_ENVIRONMENT = (
    ("DATABRICKS_HOST, DATABRICKS_TOKEN, …", "the workspace and how to authorize, as in all tools of Databricks"),
    ("DATABRICKS_CONFIG_PROFILE", "the profile of the configuration file; --profile goes before it"),
    ("DATABRICKS_CONFIG_FILE", "the configuration file, by default ~/.databrickscfg"),
    ("DATABRICKS_OUTPUT_FORMAT", "text, json or csv; --output goes before it"),
    ("NO_COLOR", "no colours; --color always goes before it"),
    ("FORCE_COLOR, CLICOLOR_FORCE", "colours also in a pipe, for what people read; never cursor movements"),
    ("TERM=dumb", "nothing is drawn in place, and no colours"),
    ("COLUMNS", "the width of the terminal"),
    ("XDG_CACHE_HOME", "where names for Tab are kept, for ten minutes; by default ~/.cache"),
)
_OUTPUT = (
    ("on a terminal", "tables that fit, local times, at most 200 rows unless --limit says otherwise"),
    ("in a pipe", "one record a line, tabs between the columns, no header, nothing cut, RFC 3339 in UTC, seconds"),
    ("-o csv", "the same columns as CSV, with a header unless --no-header"),
    ("-o json", "a list is one array, a thing one object; what watches writes one object a line"),
    ("-o json, errors", "one object on standard error: error_code, message, status, request_id, exit_code"),
    ("-q", "ids only, one a line"),
    ("standard error", "everything that is not the result: progress, notes, errors"),
)


def _write(ctx: click.Context, title: str, rows: tuple[tuple[str, str], ...]) -> None:
    formatter = ctx.make_formatter()
    with formatter.section(title):
        formatter.write_dl(rows)
    click.echo(formatter.getvalue(), nl=False)


@click.command("help", cls=Command, examples="databricks-async help clusters list\ndatabricks-async help exit-codes")
@click.argument(
    "words", nargs=-1, metavar="[COMMAND…|TOPIC]", cls=Argument, about=f"a command, or {', '.join(_TOPICS)}"
)
@click.pass_context
def command(ctx: click.Context, words: tuple[str, ...]) -> None:
    """Help on a command, or on a topic: exit-codes, environment, output."""
    root = ctx.find_root()
    if words == ("exit-codes",):
        _write(ctx, "Exit codes", tuple((str(row.code), row.when) for row in exits.EXITS))
        return
    if words == ("environment",):
        _write(ctx, "Variables of the environment", _ENVIRONMENT)
        return
    if words == ("output",):
        _write(ctx, "Output", _OUTPUT)
        return
    found, at = root.command, Context(root.command, info_name=PROGRAM, obj=root.obj)
    for word in words:
        below = found.get_command(at, word) if isinstance(found, Group) else None
        if below is None:
            known = (
                [*found.list_commands(at), *(_TOPICS if found is root.command else ())]
                if isinstance(found, Group)
                else []
            )
            from databricks_async.suggest import did_you_mean

            hint = did_you_mean(word, known, f"there are {', '.join(known)}" if known else "it has no commands")
            raise click.UsageError(f"{at.command_path} has no command {word!r}: {hint}")
        found, at = below, Context(below, parent=at, info_name=word)
    click.echo(found.get_help(at))
    if not words:
        _write(ctx, "Topics", tuple((f"help {name}", about) for name, about in _TOPICS.items()))
