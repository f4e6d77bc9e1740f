"""What became of the objects of a tree: counts, and failures by kind with the option that would help."""

from __future__ import annotations

import errno
from collections import Counter
from typing import Any

from databricks_async.cli.output import times
from databricks_async.cli.output.errors import as_object, reason
from databricks_async.cli.output.exits import DONE, FAILED, code_of
from databricks_async.cli.output.streams import shown
from databricks_async.cli.running import Run
from databricks_async.workspace.models import ObjectType
from databricks_async.workspace.trees.pool import TreeFailure, TreeReport

_MAX_NAMED = 3
_FOLDERS = (ObjectType.DIRECTORY, ObjectType.REPO)
_EXISTS = ("RESOURCE_ALREADY_EXISTS", "ALREADY_EXISTS")
_HOW_TO_REPLACE = "--overwrite replaces what is there, --skip-unchanged leaves out what is the same"


def show(run: Run, report: TreeReport, done: str, target: str) -> int:
    """Write the summary, and return the exit code."""
    for path in report.hidden:
        run.out.note(f"hidden, and imported: {path}")
    if run.options.quiet:
        for item in report.done:
            if item.kind not in _FOLDERS:
                run.out.line(shown(item.target))
    elif run.out.format == "json":
        run.out.json(_as_object(report, done, target))
    elif run.out.format == "csv":
        run.out.csv(
            ["outcome", "path", "target", "bytes", "reason"],
            [
                *([done, item.path, item.target, str(item.bytes), ""] for item in report.done),
                *(["skipped", skip.path, "", "", skip.reason] for skip in report.skipped),
                *(["failed", one.path, "", "", reason(one.error)] for one in report.failures),
            ],
        )
    else:
        for skip in report.skipped:
            if skip.reason not in ("unchanged", "excluded"):
                run.out.note(f"skipped {skip.path}: {skip.reason}")
        run.out.sentence(in_words(report, done, target))
    if run.out.format != "json":
        tell_failures(run, report.failures)
    return FAILED if report.failures else DONE


def in_words(report: TreeReport, done: str, target: str) -> str:
    """`exported 2 notebooks and 140 files (1.2 MB) in 3 directories to out; 30 unchanged; 3 failed`."""
    kinds = Counter(item.kind for item in report.done)
    folders = sum(kinds.pop(kind, 0) for kind in _FOLDERS)
    counts = [_count(number, str(kind).lower() or "object") for kind, number in sorted(kinds.items())]
    what = " and ".join([", ".join(counts[:-1]), counts[-1]] if len(counts) > 1 else counts) or "nothing"
    text = f"{done} {what}" + (f" ({times.size(report.bytes)})" if counts else "")
    text += f" in {_count(folders, 'directory')}" if folders and counts else ""
    text += f" to {shown(target)}"
    reasons = Counter("unchanged" if skip.reason == "unchanged" else "skipped" for skip in report.skipped)
    parts = [text, *(f"{number:,} {word}" for word, number in sorted(reasons.items(), reverse=True))]
    parts += [f"{len(report.failures):,} failed"] if report.failures else []
    return "; ".join(parts)


def tell_failures(run: Run, failures: list[TreeFailure]) -> None:
    """Each kind of failure once, with how often, where, and what would help."""
    kinds: dict[tuple[object, ...], list[TreeFailure]] = {}
    for failure in failures:
        kinds.setdefault(_kind(failure.error), []).append(failure)
    for same in kinds.values():
        first = same[0]
        paths = ", ".join(one.path for one in same[:_MAX_NAMED])
        more = f", and {len(same) - _MAX_NAMED:,} more (-o json names all)" if len(same) > _MAX_NAMED else ""
        hint = _hint(first.error)
        run.out.note(f"failed {paths}{more}: {_plain(first.error)}" + (f" ({hint})" if hint else ""))


def _as_object(report: TreeReport, done: str, target: str) -> dict[str, Any]:
    return {
        "target": target,
        done: [
            {"path": item.path, "target": item.target, "kind": item.kind, "bytes": item.bytes} for item in report.done
        ],
        "bytes": report.bytes,
        "skipped": [{"path": skip.path, "reason": skip.reason} for skip in report.skipped],
        "failed": [{"path": one.path, **as_object(one.error, code_of(one.error))} for one in report.failures],
        "hidden": report.hidden,
    }


def _kind(error: Exception) -> tuple[object, ...]:
    code = getattr(error, "error_code", None) or getattr(error, "errno", None)
    # What has no code is of one kind only if it says the same.
    return (type(error).__name__, code) if code else (type(error).__name__, reason(error))


def _plain(error: Exception) -> str:
    """What went wrong, without what is only true of one of them."""
    if isinstance(error, OSError) and error.strerror and not hasattr(error, "error_code"):
        return error.strerror
    return getattr(error, "message", "") or reason(error)


def _hint(error: Exception) -> str:
    if getattr(error, "error_code", None) in _EXISTS or getattr(error, "errno", None) == errno.EEXIST:
        return _HOW_TO_REPLACE
    return ""


def _count(number: int, word: str) -> str:
    plural = word if number == 1 else f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
    return f"{number:,} {plural}"
