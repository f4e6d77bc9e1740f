"""How commands and groups of them are made: asynchronous functions, help with examples, suggestions for typos."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click

from databricks_async.cli.options import Options, shared_options
from databricks_async.cli.output.streams import standard_streams

PROGRAM = "databricks-async"
_MIN_HELP, _MAX_HELP = 50, 80
"""Columns of help, whatever the terminal has."""


class Context(click.Context):
    """click's own, but for the width of help: click asks `shutil`, which loads three libraries that pack files."""

    def make_formatter(self) -> click.HelpFormatter:
        columns = standard_streams()[0].width or _MAX_HELP
        return click.HelpFormatter(width=max(_MIN_HELP, min(columns, _MAX_HELP) - 2))


class Argument(click.Argument):
    """An argument with a word on what it is."""

    def __init__(self, declarations: Any, about: str = "", **settings: Any) -> None:
        super().__init__(declarations, **settings)
        self.about = about


def argument(name: str, about: str, **settings: Any) -> Callable[[Any], Any]:
    """As `click.argument`, with a word on what it is."""
    return click.argument(name, about=about, cls=Argument, **settings)


class Command(click.Command):
    """A command with the shared options. Its function is a coroutine that gets a `Run`, or plain without one."""

    context_class = Context

    def __init__(self, *args: Any, examples: str = "", output: str = "", **settings: Any) -> None:
        self.examples = inspect.cleandoc(examples)
        self.output = inspect.cleandoc(output)
        super().__init__(*args, **settings)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        own = super().get_params(ctx)
        taken = {name for param in own for name in param.opts}
        return [*own, *(option for option in shared_options() if taken.isdisjoint(option.opts))]

    def invoke(self, ctx: click.Context) -> Any:
        assert self.callback is not None  # noqa: S101 (for the type checker)
        options = options_of(ctx)
        options.command = ctx.command_path
        if not inspect.iscoroutinefunction(self.callback):
            return super().invoke(ctx)
        from databricks_async.cli.running import start

        return start(options, self.callback, ctx.params)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                formatter.write("".join(f"  {line}\n" for line in self.examples.splitlines()))
        self.format_options(ctx, formatter)
        if self.output:
            with formatter.section("Output"):
                formatter.write_text(self.output)
        formatter.write_paragraph()
        formatter.write_text(f"Exit codes: {PROGRAM} help exit-codes")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _write_options(ctx, formatter, super().get_params(ctx))


def _write_options(ctx: click.Context, formatter: click.HelpFormatter, own: Iterable[click.Parameter]) -> None:
    own = list(own)
    described = [(param.make_metavar(ctx), param.about) for param in own if isinstance(param, Argument) and param.about]
    if described:
        with formatter.section("Arguments"):
            formatter.write_dl(described)
    for title, params in (("Options", own), ("Options of every command", shared_options())):
        records = [record for param in params if (record := param.get_help_record(ctx)) is not None]
        if records:
            with formatter.section(title):
                formatter.write_dl(records)


class Lazy(NamedTuple):
    """A command whose module is imported when it is used."""

    name: str
    module: str
    summary: str


class Group(click.Group):
    """Commands under one name; `second` has their second names."""

    command_class = Command
    context_class = Context

    def __init__(self, *args: Any, lazy: Iterable[Lazy] = (), **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.lazy = {row.name: row for row in lazy}
        self.second: dict[str, str] = {}

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*super().get_params(ctx), *shared_options()]

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*self.commands, *self.lazy})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        name = self.second.get(cmd_name, cmd_name)
        if name not in self.commands and name in self.lazy:
            self.commands[name] = import_module(self.lazy[name].module).command
        return super().get_command(ctx, name)

    def also(self, command: click.Command, name: str, *second: str) -> None:
        """Offer a command of another group under this name."""
        self.add_command(command, name)
        self.second.update(dict.fromkeys(second, name))

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-") and not ctx.resilient_parsing:
            from databricks_async.suggest import did_you_mean

            known = [*self.list_commands(ctx), *self.second]
            hint = did_you_mean(name, known, f"there are {', '.join(self.list_commands(ctx))}")
            raise click.UsageError(f"no command {name!r}: {hint}", ctx)
        _, command, rest = super().resolve_command(ctx, args)
        return name, command, rest

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        second: dict[str, list[str]] = {}
        for other, name in self.second.items():
            second.setdefault(name, []).append(other)
        rows = []
        for name in self.list_commands(ctx):
            shown = ", ".join([name, *second.get(name, ())])
            if name in self.lazy:
                rows.append((shown, self.lazy[name].summary))
            elif not (command := self.commands[name]).hidden:
                rows.append((shown, command.get_short_help_str(200)))
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_commands(ctx, formatter)
        _write_options(ctx, formatter, super().get_params(ctx))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> Any:
        from click.shell_completion import CompletionItem

        found = super(click.Group, self).shell_complete(ctx, incomplete)
        names: Mapping[str, str] = {name: self.lazy[name].summary for name in self.lazy}
        for name in [*self.list_commands(ctx), *self.second]:
            if name.startswith(incomplete):
                known = self.commands.get(self.second.get(name, name))
                found.append(
                    CompletionItem(name, help=names.get(name) or (known.get_short_help_str() if known else ""))
                )
        return found


def options_of(ctx: click.Context) -> Options:
    """The shared options of this call."""
    options = ctx.find_root().obj
    assert isinstance(options, Options)  # noqa: S101 (for the type checker)
    return options
