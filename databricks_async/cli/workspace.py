"""`databricks-async workspace`: list, export, import and delete notebooks, files and whole trees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from databricks_async.cli.commands import Group, argument
from databricks_async.cli.options import FILE, PATH

if TYPE_CHECKING:
    from databricks_async.cli.running import Run

command = Group("workspace", help="Notebooks, files and whole trees.", no_args_is_help=True)

a_path = argument(
    "path", "the absolute path of an object, such as /Users/me@example.org/etl", type=PATH, metavar="PATH"
)
dry_run = click.option("-n", "--dry-run", is_flag=True, help="only look, and list what would be done")


def transfer(function: Any) -> Any:
    """The options of what moves objects."""
    for option in (
        click.option("--overwrite", is_flag=True, help="replace what exists"),
        click.option("--skip-unchanged", is_flag=True, help="leave out what is there already and the same"),
        click.option("--include", multiple=True, metavar="PATTERN", help="of a tree, only names or paths that fit"),
        click.option("--exclude", multiple=True, metavar="PATTERN", help="of a tree, leave out .git or '*.pyc'"),
        dry_run,
    ):
        function = option(function)
    return function


@command.command(
    "list",
    examples="""
    databricks-async workspace list -l /Users/me@example.org
    databricks-async workspace list -r / | grep -c /tmp/
    """,
    output="Columns: path; with -l type, language, size, modified, path. JSON: an array of objects, as the service "
    "has them.",
)
@a_path
@click.option("-r", "--recursive", is_flag=True, help="with all below it")
@click.option("-l", "--long", is_flag=True, help="with type, language, size and time of modification")
@click.option("--limit", type=click.IntRange(0), metavar="N", help="at most so many")
async def list_(run: Run, path: str, recursive: bool, long: bool, limit: int | None) -> int:
    """List a directory, sorted by path. Of anything else, the object itself."""
    from databricks_async.cli.listings.objects import OBJECT_COLUMNS, listed, tell_unlisted

    failures: list[Any] = []
    await run.out.rows(
        listed(run, path, recursive, failures),
        OBJECT_COLUMNS,
        item_id=lambda info: info.path,
        long=long,
        limit=limit,
        order=lambda info: info.path or "",
    )
    return tell_unlisted(run, failures)


@command.command("get-status")
@a_path
async def get_status(run: Run, path: str) -> None:
    """Describe one object: a card on a terminal, JSON in a pipe."""
    from databricks_async.cli.listings.objects import OBJECT_COLUMNS

    info = await run.w.workspace.get_status(path)
    run.out.thing(info, OBJECT_COLUMNS, item_id=lambda one: one.path)


@command.command(
    "export",
    examples="""
    databricks-async workspace export /Users/me@example.org/project project --skip-unchanged
    databricks-async workspace export /Users/me@example.org/etl etl.py
    databricks-async workspace export /Users/me@example.org/etl - | head
    """,
    output="What was exported, in a line. JSON: an object with each object that was exported, skipped or failed.",
)
@a_path
@argument(
    "local", "a folder or file of this machine; - is standard output", required=False, type=FILE, metavar="[LOCAL]"
)
@click.option("--file", "file", type=FILE, metavar="LOCAL", help="the same as LOCAL")
@click.option("--format", "format_", metavar="FORMAT", help="of one notebook: SOURCE, JUPYTER, HTML, DBC")
@transfer
async def export(run: Run, path: str, local: str | None, file: str | None, format_: str | None, **options: Any) -> Any:
    """Export a directory with all below it into a local folder, or one notebook or file into a local file.

    A notebook etl becomes etl.py (or .sql, .scala, .r), a file keeps its name. Nothing that exists is replaced unasked.
    """
    from databricks_async.cli.transfers import plan, single, trees

    local = _one_of(local, file)
    info = await run.w.workspace.get_status(path)
    only_look = options.pop("dry_run")
    if not single.is_folder(info):
        if local == "-":
            return await single.cat(run, info)
        options = {name: options[name] for name in ("overwrite", "skip_unchanged")}
        return await single.export(run, info, local, format=format_, dry_run=only_look, **options)
    if local == "-":
        raise click.UsageError(f"{path} is a directory, which does not go to standard output")
    if local is None:
        local = path.rstrip("/").rpartition("/")[2] or "workspace"
    if only_look:
        return await plan.show(run, plan.export(run, path, local, **options))
    if format_:
        options["notebooks"] = format_
    return await trees.export(run, path, local, **options)


@command.command(
    "import",
    examples="""
    databricks-async workspace import project /Users/me@example.org/project --overwrite --exclude .git
    databricks-async workspace import etl.py /Users/me@example.org/
    databricks-async workspace import /Users/me@example.org/etl --file etl.py --language PYTHON
    """,
    output="What was imported, in a line. JSON: an object with each object that was imported, skipped or failed.",
)
@argument("local", "a folder or file of this machine", type=FILE, metavar="LOCAL")
@argument("path", "where it goes: an absolute path", required=False, type=PATH, metavar="PATH")
@click.option("--file", "file", type=FILE, metavar="LOCAL", help="LOCAL, where PATH is the only argument")
@click.option("--format", "format_", metavar="FORMAT", help="of one file: SOURCE, JUPYTER, RAW, AUTO, …")
@click.option("--language", metavar="LANGUAGE", help="of one notebook: PYTHON, SQL, SCALA, R")
@transfer
async def import_(
    run: Run,
    local: str,
    path: str | None,
    file: str | None,
    format_: str | None,
    language: str | None,
    **options: Any,
) -> Any:
    """Import a local folder with all below it, or one file.

    Files whose first line says "Databricks notebook source", and .ipynb files, become notebooks without extension.
    """
    import os

    from databricks_async.aio import off_loop
    from databricks_async.cli.transfers import plan, single, trees

    if file is not None and path is None:
        local, path = file, local
    if path is None or file not in (None, local):
        raise click.UsageError("import takes LOCAL and PATH, or PATH and --file LOCAL")
    only_look = options.pop("dry_run")
    if not await off_loop(os.path.isdir, local):
        options = {name: options[name] for name in ("overwrite", "skip_unchanged")}
        return await single.import_(run, local, path, format=format_, language=language, dry_run=only_look, **options)
    if format_ or language:
        raise click.UsageError("--format and --language are for one file")
    if only_look:
        return await plan.show(run, plan.import_(run, local, path, **options))
    return await trees.import_(run, local, path, **options)


@command.command("cat", examples="databricks-async workspace cat /Users/me@example.org/etl | less")
@a_path
async def cat(run: Run, path: str) -> None:
    """Write a notebook's source, or a file, on standard output."""
    from databricks_async.cli.transfers import single

    info = await run.w.workspace.get_status(path)
    if single.is_folder(info):
        raise IsADirectoryError(f"{path} is a directory: `workspace list` shows what is in it")
    await single.cat(run, info)


@command.command("mkdirs")
@a_path
async def mkdirs(run: Run, path: str) -> None:
    """Make a directory, and those above it."""
    await run.w.workspace.mkdirs(path)


@command.command(
    "delete",
    examples="""
    databricks-async workspace delete /Users/me@example.org/etl
    databricks-async workspace rm -r -n /Users/me@example.org/old
    databricks-async workspace rm -r -y /Users/me@example.org/old
    """,
)
@a_path
@click.option("-r", "--recursive", is_flag=True, help="a directory with all that is in it")
@click.option("-y", "--yes", is_flag=True, help="do not ask")
@dry_run
async def delete(run: Run, path: str, recursive: bool, yes: bool, dry_run: bool) -> int:
    """Delete an object, for good. A whole tree asks first, on a terminal."""
    from databricks_async.cli.output.exits import DONE, FAILED
    from databricks_async.cli.running import is_at_terminal
    from databricks_async.cli.transfers import plan

    if dry_run:
        await plan.show(run, plan.delete(run, path))
        return DONE
    asks = recursive and not yes and is_at_terminal(run)
    if asks and not click.confirm(f"Delete {path} with all that is in it, for good?", err=True):
        run.out.note("Nothing was deleted.")
        return FAILED
    try:
        await run.w.workspace.delete(path, recursive=recursive)
    except Exception as error:
        if getattr(error, "error_code", None) == "DIRECTORY_NOT_EMPTY":
            error.message += ": -r deletes it with all that is in it"  # type: ignore[attr-defined]
        raise
    if run.out.stderr.is_terminal:
        run.out.note(f"deleted {path}")
    return DONE


def _one_of(argument_: str | None, option: str | None) -> str | None:
    if argument_ is not None and option is not None:
        raise click.UsageError("LOCAL was given twice: as an argument and as --file")
    return argument_ if argument_ is not None else option


command.second |= {"ls": "list", "rm": "delete"}
command.also(export, "export-dir")
command.also(import_, "import-dir")
