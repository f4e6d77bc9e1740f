"""`databricks-async demo`: the library at work on a local workspace, failures included, in a few seconds."""

from __future__ import annotations

import click

from databricks_async.cli.commands import Command, options_of


@click.command("demo", cls=Command)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Show the library at work on a local workspace: in a few seconds, without any cloud."""
    from databricks_async.cli.demonstration.clusters import demonstrate
    from databricks_async.cli.ending import run_to_the_end
    from databricks_async.cli.live.console import console_for
    from databricks_async.cli.output.streams import standard_streams

    options = options_of(ctx)
    stdout, stderr = standard_streams(color=options.color, ascii_only=options.ascii)
    try:
        run_to_the_end(demonstrate(console_for(stdout), is_live=stdout.is_live))
    except KeyboardInterrupt:
        stderr.write("The demo has ended; nothing of it goes on.\n")
        raise
