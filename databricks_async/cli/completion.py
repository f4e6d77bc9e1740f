"""`databricks-async completion`: the script with which a shell completes commands, options and names."""

from __future__ import annotations

import click

from databricks_async.cli.commands import PROGRAM, Argument, Command

_VARIABLE = "_DATABRICKS_ASYNC_COMPLETE"


@click.command(
    "completion",
    cls=Command,
    examples="""
    source <(databricks-async completion bash)                                 # in ~/.bashrc
    source <(databricks-async completion zsh)                                  # in ~/.zshrc
    databricks-async completion fish > ~/.config/fish/completions/databricks-async.fish
    """,
)
@click.argument(
    "shell", type=click.Choice(("bash", "zsh", "fish")), cls=Argument, about="the shell that is to complete"
)
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script with which a shell completes commands, options, profiles, and names that were listed lately."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None  # noqa: S101 (for the type checker: click knows these shells)
    click.echo(found(ctx.find_root().command, {}, PROGRAM, _VARIABLE).source())
