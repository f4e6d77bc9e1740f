"""How tasks depend on each other: refuses unknown dependencies and cycles, finds what comes before or after a task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from databricks_async.local.errors import invalid
from databricks_async.local.jobs.state import LifeCycle
from databricks_async.local.state import Json


def needs_of(task: Json) -> list[tuple[str, str | None]]:
    """The tasks before this one, and the outcome that each must have had."""
    return [(need["task_key"], need.get("outcome")) for need in task.get("depends_on") or []]


def check(tasks: Iterable[Json]) -> None:
    """Refuse unknown dependencies and cycles."""
    before = {task["task_key"]: [key for key, _ in needs_of(task)] for task in tasks}
    for key, needs in before.items():
        for need in needs:
            if need not in before:
                raise invalid(f"Task '{key}' depends on unknown task '{need}'.")
    cycle = _cycle(before)
    if cycle:
        raise invalid(f"The dependency graph of the tasks has a cycle: {' -> '.join(cycle)}.")


def _cycle(before: Mapping[str, list[str]]) -> list[str]:
    # Without recursion: a chain may have 1,000 tasks.
    finished: set[str] = set()
    for start in before:
        path: list[str] = []
        on_path: set[str] = set()
        stack = [(start, False)]
        while stack:
            key, leaving = stack.pop()
            if leaving:
                path.pop()
                on_path.discard(key)
                finished.add(key)
            elif key in on_path:
                return [*path[path.index(key) :], key]
            elif key not in finished:
                path.append(key)
                on_path.add(key)
                stack.append((key, True))
                stack.extend((need, False) for need in before[key])
    return []


def downstream(keys: Iterable[str], followers: Mapping[str, Iterable[str]]) -> set[str]:
    """These tasks and all that come after them; with the predecessors' table, all that come before."""
    found = set(keys)
    left = list(found)
    while left:
        for key in followers[left.pop()]:
            if key not in found:
                found.add(key)
                left.append(key)
    return found


def chosen(only: Iterable[str], tasks: Iterable[Json]) -> set[str]:
    """The tasks that `only` names; `+a` also those before it, `a+` those after it."""
    before = {task["task_key"]: [key for key, _ in needs_of(task)] for task in tasks}
    after: dict[str, list[str]] = {key: [] for key in before}
    for key, needs in before.items():
        for need in needs:
            after[need].append(key)
    found: set[str] = set()
    for wanted in only:
        key = wanted.strip("+")
        if key not in before:
            raise invalid(f"Task '{key}' of the parameter only does not exist in the job.")
        found.add(key)
        if wanted.startswith("+"):
            found |= downstream([key], before)
        if wanted.endswith("+"):
            found |= downstream([key], after)
    return found


SUCCESS, FAILED, CANCELED, EXCLUDED = "success", "failed", "canceled", "excluded"

_VERDICTS = {
    "SUCCESS": SUCCESS,
    "SUCCESS_WITH_FAILURES": SUCCESS,
    "CANCELED": CANCELED,
    "UPSTREAM_CANCELED": CANCELED,
    "EXCLUDED": EXCLUDED,
    "DISABLED": EXCLUDED,
}


def verdict(life_cycle: LifeCycle) -> str:
    """What an ended task counts as for those after it."""
    return _VERDICTS.get(life_cycle.result or "", FAILED)


def reason_to_skip(run_if: str, verdicts: list[str]) -> str | None:
    """The result of a task that must not run after dependencies with these verdicts, None where it runs."""
    bad = [one for one in verdicts if one in (FAILED, CANCELED)]
    good = [one for one in verdicts if one == SUCCESS]
    runs = {
        "ALL_SUCCESS": len(good) == len(verdicts),
        "ALL_DONE": True,
        "NONE_FAILED": not bad and bool(good),
        "AT_LEAST_ONE_SUCCESS": bool(good),
        "ALL_FAILED": len(bad) == len(verdicts),
        "AT_LEAST_ONE_FAILED": bool(bad),
    }[run_if]
    if runs:
        return None
    if not bad or run_if in ("ALL_FAILED", "AT_LEAST_ONE_FAILED"):
        return "EXCLUDED"
    return "UPSTREAM_FAILED" if FAILED in bad else "UPSTREAM_CANCELED"
