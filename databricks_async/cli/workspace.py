"""`databricks-async workspace`: list, export, import and delete notebooks, files and whole trees."""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from databricks_async import DatabricksError, WorkspaceClient
from databricks_async.cli.ending import run_to_the_end
from databricks_async.workspace.models import ObjectInfo
from databricks_async.workspace.trees.pool import TreeFailure, TreeProgress, TreeReport

_SILENT_SECONDS = 1.0


def run(argv: Sequence[str]) -> int:
    """Do one thing. Returns 0 if all went well, 1 if something failed; a wrong command line exits with 2."""
    options = _parser().parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as standard error: not every terminal has every letter
    try:
        with _waits_told():
            return run_to_the_end(_run(options))
    except (DatabricksError, OSError, ValueError) as error:
        if isinstance(error, BrokenPipeError):
            # The reader of the output has closed it. Python would complain once more when it ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        print(f"databricks-async workspace {options.action}: {_shown(_reason(error))}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--host", help="the workspace's address (default: DATABRICKS_HOST, or the profile's)")
    common.add_argument("--profile", help="the profile of ~/.databrickscfg to use, before the environment")
    transfer = argparse.ArgumentParser(add_help=False)
    transfer.add_argument("--overwrite", action="store_true", help="replace what exists")
    transfer.add_argument("--skip-unchanged", action="store_true", help="leave out what is there already and the same")

    parser = argparse.ArgumentParser(
        prog="databricks-async workspace",
        description="Notebooks, files and whole trees. The token comes from the environment or the profile.",
    )
    actions = parser.add_subparsers(dest="action", metavar="action", required=True)
    ls = actions.add_parser("ls", parents=[common], help="list a directory")
    ls.add_argument("path", metavar="PATH")
    ls.add_argument("-r", "--recursive", action="store_true", help="with all below it")
    ls.add_argument("-l", "--long", action="store_true", help="with type, language, size and time of modification")
    ls.set_defaults(do=_ls)
    export = actions.add_parser("export", parents=[common, transfer], help="export a tree into a local folder")
    export.add_argument("path", metavar="PATH")
    export.add_argument("local", metavar="LOCAL")
    export.set_defaults(do=_export)
    import_ = actions.add_parser("import", parents=[common, transfer], help="import a local folder")
    import_.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="PATTERN",
        help="leave out names or paths, such as .git or '*.pyc'",
    )
    import_.add_argument("local", metavar="LOCAL")
    import_.add_argument("path", metavar="PATH")
    import_.set_defaults(do=_import)
    rm = actions.add_parser("rm", parents=[common], help="delete an object, for good")
    rm.add_argument("path", metavar="PATH")
    rm.add_argument("-r", "--recursive", action="store_true", help="a directory with all that is in it")
    rm.set_defaults(do=_rm)
    return parser


async def _run(options: argparse.Namespace) -> int:
    async with WorkspaceClient(host=options.host, profile=options.profile) as w:
        exit_code: int = await options.do(w, options)
        return exit_code


async def _ls(w: WorkspaceClient, options: argparse.Namespace) -> int:
    show = _long if options.long else _short
    if not options.recursive:
        for info in sorted(await w.workspace.list(options.path).collect(), key=lambda info: info.path or ""):
            print(show(info))
        return 0
    async with w.workspace.walk(options.path) as walk:
        async for info in walk:
            print(show(info))
    _tell(walk.failures)
    return int(bool(walk.failures))


async def _export(w: WorkspaceClient, options: argparse.Namespace) -> int:
    with _bar(f"exporting {options.path}") as advance:
        report = await w.workspace.export_tree(
            options.path,
            options.local,
            overwrite=options.overwrite,
            skip_unchanged=options.skip_unchanged,
            on_progress=advance,
        )
    return _told(report, "exported", options.local)


async def _import(w: WorkspaceClient, options: argparse.Namespace) -> int:
    with _bar(f"importing {options.local}") as advance:
        report = await w.workspace.import_tree(
            options.local,
            options.path,
            overwrite=options.overwrite,
            skip_unchanged=options.skip_unchanged,
            exclude=options.exclude,
            on_progress=advance,
        )
    for path in report.hidden:
        print(f"hidden, and imported: {_shown(path)}", file=sys.stderr)
    return _told(report, "imported", options.path)


async def _rm(w: WorkspaceClient, options: argparse.Namespace) -> int:
    await w.workspace.delete(options.path, recursive=options.recursive)
    return 0


def _short(info: ObjectInfo) -> str:
    return _shown(info.path or "")


def _long(info: ObjectInfo) -> str:
    modified = f"{info.modified:%Y-%m-%d %H:%M:%S}" if info.modified else ""
    size = "" if info.size is None else str(info.size)
    kind, language = _shown(info.object_type or ""), _shown(info.language or "")
    return f"{kind:<9}  {language:<6}  {size:>11}  {modified:<19}  {_shown(info.path or '')}"


def _told(report: TreeReport, what: str, where: str) -> int:
    for skip in report.skipped:
        if skip.reason != "unchanged":
            print(f"skipped {_shown(skip.path)}: {_shown(skip.reason)}", file=sys.stderr)
    _tell(report.failures)
    counts = [f"{len(report.done)} {what} ({report.bytes:,} bytes) to {_shown(where)}"]
    counts += [f"{len(report.skipped)} skipped"] if report.skipped else []
    counts += [f"{len(report.failures)} failed"] if report.failures else []
    print(", ".join(counts))
    return int(not report.ok)


def _tell(failures: list[TreeFailure]) -> None:
    for failure in failures:
        print(f"failed {_shown(failure.path)}: {_shown(_reason(failure.error))}", file=sys.stderr)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and not isinstance(error, DatabricksError):
        return f"{error.strerror}: {error.filename}" if error.filename is not None else error.strerror
    return str(error)


def _shown(text: str) -> str:
    """A name from elsewhere cannot move the cursor, or break a line."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


class _Notices(logging.Handler):
    """Report why nothing seems to happen: what is tried again, if it takes long, and not each time."""

    def __init__(self) -> None:
        super().__init__()
        self._silent_until = time.monotonic() + _SILENT_SECONDS

    def emit(self, record: logging.LogRecord) -> None:
        now = time.monotonic()
        if now >= self._silent_until:
            self._silent_until = now + 5 * _SILENT_SECONDS
            print(_shown(record.getMessage()), file=sys.stderr)


@contextmanager
def _waits_told() -> Iterator[None]:
    log, notices = logging.getLogger("databricks_async"), _Notices()
    level = log.level
    log.addHandler(notices)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.setLevel(level)
        log.removeHandler(notices)


@contextmanager
def _bar(title: str) -> Iterator[Callable[[TreeProgress], None] | None]:
    """A progress bar on a terminal; nothing anywhere else, or without rich."""
    bar = _rich_bar() if sys.stderr.isatty() else None
    if bar is None:
        yield None
        return
    from rich.markup import escape

    with bar:
        task = bar.add_task(escape(_shown(title)), total=None)
        yield lambda progress: bar.update(task, completed=progress.done, total=progress.found)


def _rich_bar() -> Any:
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar
    except ImportError:
        return None
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Bar(*columns, console=Console(stderr=True), transient=True)
