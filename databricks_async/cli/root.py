"""The root of the command line: all groups, and how every end of a command becomes an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence

import click

from databricks_async.cli.commands import PROGRAM, Group, Lazy
from databricks_async.cli.options import Options
from databricks_async.cli.output import exits
from databricks_async.cli.output.errors import report, say
from databricks_async.cli.output.streams import drop, open_missing, standard_streams
from databricks_async.version import __version__

_COMPLETE = "_DATABRICKS_ASYNC_COMPLETE"


def run(rows: Iterable[tuple[str, str, str]], argv: Sequence[str] | None) -> int:
    """Run one command line. Returns its exit code, whatever happens."""
    arguments = [_as_utf8(one) for one in (sys.argv[1:] if argv is None else argv)]
    root = _root(Lazy(*row) for row in rows)
    if instruction := os.environ.get(_COMPLETE):
        from click.shell_completion import shell_complete

        return shell_complete(root, {"obj": Options()}, PROGRAM, _COMPLETE, instruction)
    if argv is None:
        open_missing()
    options = Options()
    try:
        code = _run(root, arguments, options)
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except BrokenPipeError:
        for gone in (sys.stdout, sys.stderr):
            drop(gone)
        return exits.READER_GONE
    except OSError as error:  # a full device, which may show only when the output is flushed
        drop(sys.stdout)
        return _failed(options, error)
    return code


def _run(root: Group, arguments: list[str], options: Options) -> int:
    try:
        with root.make_context(PROGRAM, arguments, obj=options) as ctx:
            code = root.invoke(ctx)
            return code if isinstance(code, int) else exits.DONE
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else exits.FAILED
    except click.UsageError as error:
        return _misused(options, error)
    except (KeyboardInterrupt, click.Abort):
        return exits.INTERRUPTED
    except exits.Terminated:
        return exits.TERMINATED
    except BrokenPipeError:
        raise
    except (OSError, ValueError, TypeError) as error:
        if isinstance(error, OSError) and not hasattr(error, "error_code"):
            drop(sys.stdout)  # it may be what cannot be written
        return _failed(options, error)
    except Exception as error:
        if not _is_ours(error):
            raise
        return _failed(options, error)


def _is_ours(error: Exception) -> bool:
    errors = sys.modules.get("databricks_async.errors")
    return errors is not None and isinstance(error, errors.DatabricksError)


def _failed(options: Options, error: Exception) -> int:
    try:
        as_json = options.output == "json"
    except click.UsageError:
        as_json = False
    return report(standard_streams()[1], options.command or PROGRAM, error, as_json=as_json)


def _misused(options: Options, error: click.UsageError) -> int:
    """Where no command is given that is the help; else one line, and where to look."""
    stderr = standard_streams()[1]
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        stderr.write(f"{error.format_message()}\n")
        return exits.WRONG_COMMAND_LINE
    path = error.ctx.command_path if error.ctx is not None else options.command or PROGRAM
    usage = f"{error.ctx.get_usage()}\n" if error.ctx is not None else ""
    stderr.write(usage)
    message = error.format_message()
    if isinstance(error, click.NoSuchOption) and error.option_name == "--json":
        message = "--json is the body of a request, and there is none here; for JSON as output: -o json"
    say(stderr, f"{path}: {message}")
    stderr.write(f"Help: {path} --help\n")
    return exits.WRONG_COMMAND_LINE


def _as_utf8(argument: str) -> str:
    """An argument in a locale that has no letter for it: the bytes are UTF-8 all the same."""
    try:
        argument.encode()
    except UnicodeEncodeError:
        return os.fsencode(argument).decode(errors="replace")
    return argument


def _root(rows: Iterable[Lazy]) -> Group:
    root = Group(
        PROGRAM,
        lazy=rows,
        help="A native asyncio client for Azure Databricks: clusters, jobs and runs, notebooks and files.",
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @root.command("version")
    def version() -> None:
        """The version of this package."""
        click.echo(f"{PROGRAM} {__version__}")

    click.version_option(__version__, prog_name=PROGRAM, message="%(prog)s %(version)s")(root)
    return root
