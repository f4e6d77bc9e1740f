"""Clusters, jobs, runs, objects and what is scheduled as JSON documents, and from it.

What is as by default is left out, and what is not known is skipped: so a field can be added in a later release without
a new version of the tables. Things that refer to each other name each other by their ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

import attrs
import cattrs
import orjson
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from databricks_async.local.clusters.policies import Policy
from databricks_async.local.jobs import run_lifecycle, schedules, task_work
from databricks_async.local.jobs.state import DataTrigger, Job, LifeCycle, Run, Step, TaskRun, TaskScript
from databricks_async.local.objects.tree import Node
from databricks_async.local.state import ACTIONS, Cluster, Due, Json, State

T = TypeVar("T")

_ELSEWHERE: dict[type[Any], tuple[str, ...]] = {
    Cluster: ("events",),
    Policy: (),
    Node: ("parent", "content", "children"),
    Job: ("active", "queued", "when_run_ended"),
    Run: ("job", "parent", "steps", "workspace_url"),
    Step: ("when_ended", "attempts"),
    TaskRun: ("run", "step", "child", "parent", "iterations"),
    TaskScript: ("call",),
    LifeCycle: (),
}
"""The fields of each class that its document does not hold as they are: references, functions, and large content."""

_GRANTS = dict[tuple[str, str], str]
_converter = cattrs.Converter(omit_if_default=True, detailed_validation=False)
_converter.register_unstructure_hook_func(lambda kind: kind in (Json, list[Json]), lambda value: value)
_converter.register_structure_hook_func(lambda kind: kind in (Json, list[Json]), lambda value, _: value)
_converter.register_unstructure_hook_func(
    lambda kind: kind == _GRANTS, lambda grants: [[*who, level] for who, level in grants.items()]
)
_converter.register_structure_hook_func(
    lambda kind: kind == _GRANTS, lambda rows, _: {(kind, name): level for kind, name, level in rows}
)
for _class, _names in _ELSEWHERE.items():
    attrs.resolve_types(_class)
    _left_out: Any = {name: override(omit=True) for name in _names}
    _given: Any = {name: override(omit=False, struct_hook=lambda value, _: value) for name in _names}
    _converter.register_unstructure_hook(
        _class, make_dict_unstructure_fn(_class, _converter, _cattrs_omit_if_default=True, **_left_out)
    )
    _converter.register_structure_hook(_class, make_dict_structure_fn(_class, _converter, **_given))


def write(document: Json) -> str:
    """The document as it stands in the file."""
    return orjson.dumps(document).decode()


def read(text: str) -> Json:
    """The document that stands in the file."""
    document: Json = orjson.loads(text)
    return document


def simple(thing: Cluster | Policy) -> Json:
    """A cluster without its events, or a policy."""
    document: Json = _converter.unstructure(thing)
    return document


def from_simple(document: Json, kind: type[T]) -> T:
    """The cluster or policy of a document."""
    return _converter.structure(document, kind)


def of_object(node: Node) -> Json:
    """An object of the workspace without its content; it names its directory."""
    document: Json = _converter.unstructure(node)
    return document | {"directory": None if node.parent is None else node.parent.object_id}


def to_object(document: Json, content: bytes, by_id: dict[int, Node]) -> Node:
    """The object, in its directory."""
    parent = by_id.get(document["directory"])
    node = _converter.structure({**document, "parent": parent, "content": content}, Node)
    if parent is not None:
        parent.children[node.path] = node
    return node


def of_job(job: Job, state: State) -> Json:
    """A job, and whether it is found by its id: what stands behind a submitted run is not."""
    document: Json = _converter.unstructure(job)
    is_continuous = job.when_run_ended is not None
    return document | {"is_listed": dict.get(state.jobs.jobs, job.job_id) is job, "is_continuous": is_continuous}


def to_job(document: Json) -> tuple[Job, bool]:
    """The job without its runs, and whether it is found by its id."""
    job = _converter.structure(document, Job)
    if document["is_continuous"]:
        job.when_run_ended = schedules.run_ended
    return job, document["is_listed"]


def of_run(run: Run, state: State) -> Json:
    """A run with its tasks; it names its job, and the runs that it started or that started it."""

    def of_step(step: Step) -> Json:
        return {**_converter.unstructure(step), "attempts": [of_task(task) for task in step.attempts]}

    def of_task(task: TaskRun) -> Json:
        document: Json = _converter.unstructure(task)
        if task.child is not None:
            document["child"] = task.child.run_id
        if task.parent is not None:
            document["parent"] = task.parent.run_id
        if task.iterations:
            document["iterations"] = [of_step(step) for step in task.iterations]
        if task.cluster_id in state.clusters and task.run_id in state.jobs.waiting.get(task.cluster_id or "", ()):
            document["is_waiting"] = True
        return document

    document: Json = _converter.unstructure(run)
    parent = None if run.parent is None else run.parent.run_id
    steps = [of_step(step) for step in run.steps.values()]
    is_deleted = dict.get(state.jobs.runs, run.run_id) is not run
    return document | {"job": run.job.job_id, "parent": parent, "steps": steps, "is_deleted": is_deleted}


def linked(run: Run) -> Iterator[Run]:
    """The runs that it started, and the one that started it: they show it, also when it was deleted."""
    if run.parent is not None:
        yield run.parent.run
    steps = list(run.steps.values())
    while steps:
        for task in steps.pop().attempts:
            steps += task.iterations
            if task.child is not None:
                yield task.child


class Runs:
    """Makes runs of their documents, in two passes: runs and tasks may refer to later ones."""

    def __init__(self, state: State, jobs: dict[int, Job]) -> None:
        self._state = state
        self._jobs = jobs
        self._runs: dict[int, Run] = {}
        self._tasks: dict[int, TaskRun] = {}
        """Also those that were deleted."""
        self._later: list[Callable[[], None]] = []

    def add(self, document: Json) -> None:
        """A run, and its tasks. They are found by their ids unless it was deleted."""
        job, is_deleted = self._jobs[document["job"]], document["is_deleted"]
        run = _converter.structure({**document, "job": job, "parent": None, "steps": {}, "workspace_url": ""}, Run)
        self._runs[run.run_id] = run
        known = dict[int, TaskRun]()
        for one in document["steps"]:
            step = self._step(one, run, None, known)
            run.steps[step.key] = step
        self._tasks |= known
        if not is_deleted:
            self._state.jobs.runs[run.run_id] = run
            self._state.jobs.task_runs |= known
            if run.life_cycle.state == "QUEUED":
                job.queued[run.run_id] = run
            elif not run.ended:
                job.active[run.run_id] = run
        self._later.append(partial(self._connect, run, document["parent"]))

    def finish(self) -> None:
        """Connect what refers to each other."""
        for connect in self._later:
            connect()

    def _step(self, document: Json, run: Run, parent: TaskRun | None, known: dict[int, TaskRun]) -> Step:
        step = _converter.structure({**document, "when_ended": run_lifecycle.attempt_ended, "attempts": []}, Step)
        for one in document["attempts"]:
            references = {"run": run, "step": step, "child": None, "parent": parent, "iterations": []}
            task = _converter.structure({**one, **references}, TaskRun)
            step.attempts.append(task)
            known[task.run_id] = task
            task.iterations = [self._step(iteration, run, task, known) for iteration in one.get("iterations", ())]
            cluster = self._state.clusters.get(task.cluster_id or "")
            if one.get("is_waiting") and cluster is not None:
                task_work.wait(self._state, task, cluster)
            if "child" in one:
                self._later.append(partial(self._connect_child, task, one["child"]))
        return step

    def _connect(self, run: Run, parent: int | None) -> None:
        run.parent = None if parent is None else self._tasks[parent]

    def _connect_child(self, task: TaskRun, child: int) -> None:
        task.child = self._runs[child]


_NAMES: dict[Callable[..., None], str] = {}


def of_due(due: Due) -> Json | None:
    """What is scheduled; None for what has lapsed."""
    if due.planned is not None and due.planned.plan != due.plan:
        return None
    if len(_NAMES) != len(ACTIONS):
        _NAMES.update({action: name for name, action in ACTIONS.items()})
    args = [_reference(one, due.args) for one in due.args]
    planned = None if due.planned is None else _reference(due.planned, due.args)
    return {"action": _NAMES[due.action], "args": args, "planned": planned, "plan": due.plan}


def to_due(document: Json, state: State, jobs: dict[int, Job]) -> Due | None:
    """The same; None where what it is about is gone."""
    try:
        planned = None if document["planned"] is None else _found(document["planned"], state, jobs)
        args = tuple(_found(one, state, jobs) for one in document["args"])
    except LookupError:
        return None
    return Due(planned, document["plan"], ACTIONS[document["action"]], args)


def _reference(thing: Any, args: tuple[Any, ...]) -> Json:
    if isinstance(thing, Cluster):
        return {"cluster": thing.cluster_id}
    if isinstance(thing, Job):
        return {"job": thing.job_id}
    if isinstance(thing, Run):
        return {"run": thing.run_id}
    if isinstance(thing, TaskRun):
        return {"task": thing.run_id}
    if isinstance(thing, DataTrigger):
        job = next(one for one in args if isinstance(one, Job))
        return {"trigger": [job.job_id, next(index for index, one in enumerate(job.watches) if one is thing)]}
    if isinstance(thing, LifeCycle):
        return {"life_cycle": _converter.unstructure(thing)}
    if isinstance(thing, TaskScript):
        return {"script": _converter.unstructure(thing)}
    return {"value": thing}


def _found(reference: Json, state: State, jobs: dict[int, Job]) -> Any:
    ((kind, value),) = reference.items()
    if kind == "cluster":
        return state.clusters[value]
    if kind == "job":
        return jobs[value]
    if kind == "run":
        return state.jobs.runs[value]
    if kind == "task":
        return state.jobs.task_runs[value]
    if kind == "trigger":
        return jobs[value[0]].watches[value[1]]
    if kind == "life_cycle":
        return _converter.structure(value, LifeCycle)
    if kind == "script":
        return _converter.structure({**value, "call": None}, TaskScript)
    return value
