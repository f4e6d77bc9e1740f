"""Mistakes in jobs and runs that are found before anything is sent, and what is no mistake."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from databricks_async import codec
from databricks_async.clusters.models import ClusterSpec
from databricks_async.codec import Model, WrongShape
from databricks_async.jobs.models import (
    CreateJob,
    ForEachTask,
    Job,
    JobCluster,
    JobSettings,
    NotebookTask,
    Run,
    RunNow,
    SubmitRun,
    Task,
    TaskDependency,
    check_tasks,
)

NOTEBOOK = {"notebook_task": {"notebook_path": "/a"}}
PYTHON = {"spark_python_task": {"python_file": "/a.py"}}
SHARED = {"job_cluster_key": "shared", "new_cluster": {"spark_version": "15.4.x-scala2.12", "num_workers": 1}}


def task(key: str, *after: str, **fields: Any) -> dict[str, Any]:
    return {"task_key": key, "depends_on": [{"task_key": one} for one in after], **(fields or NOTEBOOK)}


def for_each(**inner: Any) -> dict[str, Any]:
    return {"for_each_task": {"inputs": "[1, 2]", "task": {"task_key": "inner", **inner}}}


ANYWHERE = [
    pytest.param(
        [task("a"), task("b"), task("a")],
        "$.tasks[2].task_key: 'a' is the task_key of tasks[0] already: give each its own",
        id="the same key twice",
    ),
    pytest.param(
        [task("a", "c"), task("b", "a"), task("c", "b"), task("d", "c")],
        "$.tasks: these tasks wait for each other: a -> c -> b -> a",
        id="a cycle",
    ),
    pytest.param([task("a", "a")], "$.tasks: these tasks wait for each other: a -> a", id="a task behind itself"),
    pytest.param(
        [task("a"), task("b", **NOTEBOOK, **PYTHON)],
        "$.tasks[1]: task 'b' does one thing: give only one of notebook_task and spark_python_task",
        id="two kinds",
    ),
    pytest.param(
        [task("a", **NOTEBOOK, existing_cluster_id="x", job_cluster_key="shared")],
        "$.tasks[0]: task 'a' runs on one cluster: give only one of existing_cluster_id and job_cluster_key",
        id="two clusters",
    ),
    pytest.param(
        [task("a", **for_each(**NOTEBOOK, **PYTHON))],
        "$.tasks[0].for_each_task.task: task 'inner' does one thing: "
        "give only one of notebook_task and spark_python_task",
        id="two kinds inside",
    ),
    pytest.param(
        [task(str(number)) for number in range(1001)],
        "$.tasks: expected at most 1,000 tasks, got 1,001: split the job",
        id="too many",
    ),
]


@pytest.mark.parametrize("cls", [JobSettings, CreateJob, SubmitRun])
@pytest.mark.parametrize(("tasks", "problem"), ANYWHERE)
def test_tasks_that_cannot_be(cls: type[Model], tasks: list[dict[str, Any]], problem: str) -> None:
    """Refused for jobs, for parts of jobs and for one-time runs, with the place and the remedy."""
    with pytest.raises(WrongShape) as caught:
        codec.build(cls, {"tasks": tasks})
    assert str(caught.value) == problem


@pytest.mark.parametrize(
    "tasks",
    [
        [task("a", description="does nothing")],
        [task("a", notebook_task=None)],
        [task("a", depends_on=[{}], **NOTEBOOK), task("b", depends_on=[{}], **NOTEBOOK)],
    ],
    ids=["no kind", "a kind that is null", "dependencies that name none"],
)
def test_tasks_that_are_for_the_service_to_judge(tasks: list[dict[str, Any]]) -> None:
    """They are sent as they are."""
    read = JobSettings.from_dict({"tasks": tasks})
    assert codec.build(CreateJob, read).as_dict() == {"tasks": tasks}


@pytest.mark.parametrize("cls", [CreateJob, SubmitRun])
def test_a_dependency_must_be_among_the_tasks(cls: type[Model]) -> None:
    """Where the request has all tasks."""
    with pytest.raises(WrongShape) as caught:
        codec.build(cls, {"tasks": [task("a"), task("b", "a", "ghost")]})
    assert str(caught.value) == (
        "$.tasks[1].depends_on[1].task_key: 'ghost' is not among the tasks: add it, or take it from depends_on"
    )


@pytest.mark.parametrize("where", [lambda fields: fields, lambda fields: for_each(**fields)], ids=["task", "inner"])
def test_a_job_cluster_must_be_among_the_job_clusters(where: Any) -> None:
    """Where the request has them; the task inside a for-each task is looked at too."""
    with pytest.raises(WrongShape, match="job_cluster_key: 'other' is not among the job_clusters: add it there"):
        codec.build(
            CreateJob, job_clusters=[SHARED], tasks=[task("a", **where({**NOTEBOOK, "job_cluster_key": "other"}))]
        )


def test_a_job_cluster_must_be_there_where_the_job_has_none() -> None:
    """A new job has only what the request has."""
    with pytest.raises(WrongShape, match="job_cluster_key: 'other' is not among the job_clusters: add it there"):
        codec.build(CreateJob, tasks=[task("a", **NOTEBOOK, job_cluster_key="other")])


@pytest.mark.parametrize("cls", [JobSettings, CreateJob])
def test_job_clusters_have_keys_of_their_own(cls: type[Model]) -> None:
    """Also without any tasks."""
    with pytest.raises(
        WrongShape, match=r"^\$\.job_clusters\[1\]\.job_cluster_key: 'shared' is the job_cluster_key of"
    ):
        codec.build(cls, job_clusters=[SHARED, SHARED])


@pytest.mark.parametrize("cls", [JobSettings, CreateJob])
@pytest.mark.parametrize(("runs", "fits"), [(-1, False), (0, True), (1000, True), (1001, False)])
def test_the_number_of_concurrent_runs_has_limits(cls: type[Model], runs: int, fits: bool) -> None:
    """0 to 1,000."""
    if fits:
        assert codec.build(cls, max_concurrent_runs=runs).as_dict() == {"max_concurrent_runs": runs}
        return
    with pytest.raises(
        WrongShape, match=r"^\$\.max_concurrent_runs: expected 0 \(which skips every run\) to 1,000, got"
    ):
        codec.build(cls, max_concurrent_runs=runs)


@pytest.mark.parametrize(("cls", "fields"), [(RunNow, {"job_id": 1}), (SubmitRun, {"tasks": [task("a")]})])
@pytest.mark.parametrize(("length", "fits"), [(0, False), (1, True), (64, True), (65, False)])
def test_an_idempotency_token_has_1_to_64_characters(
    cls: type[Model], fields: dict[str, Any], length: int, fits: bool
) -> None:
    """A longer one is refused by the service, and an empty one would protect nothing."""
    given = {**fields, "idempotency_token": "x" * length}
    if fits:
        assert codec.build(cls, given).as_dict() == given
        return
    with pytest.raises(WrongShape, match=rf"^\$\.idempotency_token: expected 1 to 64 characters, got {length}$"):
        codec.build(cls, given)


# --- What is no mistake.


def test_a_part_of_a_job_may_name_what_the_job_has() -> None:
    """`update` puts tasks and job clusters among those that are there: neither needs to be in the request."""
    key = {**NOTEBOOK, "job_cluster_key": "there already"}
    codec.build(JobSettings, tasks=[task("a", "there already", **key)])
    codec.build(JobSettings, tasks=[task("a", **key)], job_clusters=[SHARED])
    codec.build(JobSettings, job_clusters=[SHARED])
    codec.build(JobSettings, name="a")


def test_all_of_a_job_can_be_checked() -> None:
    """What `reset` hands over is a whole job: then everything must be there."""
    settings = JobSettings(
        tasks=[Task(task_key="a", notebook_task=NotebookTask(notebook_path="/a"), job_cluster_key="other")],
        job_clusters=[JobCluster(job_cluster_key="shared", new_cluster=ClusterSpec(spark_version="1"))],
    )
    check_tasks(settings.tasks, settings.job_clusters, complete=False)
    with pytest.raises(WrongShape, match="'other' is not among the job_clusters"):
        check_tasks(settings.tasks, settings.job_clusters, complete=True)
    check_tasks(settings.tasks, None, complete=True)
    check_tasks(None, None, complete=True)


def test_a_thousand_tasks_in_a_row() -> None:
    """A long chain is no cycle, in whatever order it is given."""
    chain = [task(str(number), *([str(number - 1)] if number else [])) for number in range(1000)]
    for tasks in (chain, chain[::-1]):
        assert len(codec.build(CreateJob, {"tasks": tasks}).tasks or ()) == 1000


def test_many_ways_that_meet_again() -> None:
    """Tasks that share what they depend on are no cycle, and looking at them takes no time to speak of."""
    layers = [[f"{layer}.{number}" for number in range(10)] for layer in range(100)]
    tasks = [task(key, *(layers[layer - 1] if layer else ())) for layer, keys in enumerate(layers) for key in keys]
    codec.build(CreateJob, {"tasks": tasks})


def test_kinds_from_tomorrow_are_kinds() -> None:
    """The service may be newer than this library."""
    assert codec.build(CreateJob, {"tasks": [task("a", quantum_task={"bits": 3})]}).as_dict()["tasks"]
    with pytest.raises(WrongShape, match="only one of notebook_task and quantum_task"):
        codec.build(CreateJob, {"tasks": [task("a", quantum_task={"bits": 3}, **NOTEBOOK)]})


def test_mistakes_show_however_a_job_is_given() -> None:
    """As it is built for sending: a model may be filled step by step."""
    a, b = (
        Task(task_key=key, notebook_task=NotebookTask(notebook_path="/a"), depends_on=[TaskDependency(task_key=after)])
        for key, after in (("a", "b"), ("b", "a"))
    )
    with pytest.raises(WrongShape, match="wait for each other: a -> b -> a"):
        codec.build(CreateJob, CreateJob(tasks=[a, b]))
    changed = JobSettings(tasks=[a])
    assert changed.tasks is not None
    changed.tasks.append(b)
    with pytest.raises(WrongShape, match="wait for each other"):
        codec.build(JobSettings, changed)


@pytest.mark.parametrize("cls", [JobSettings, CreateJob, SubmitRun])
def test_models_may_hold_mappings(cls: type[Any]) -> None:
    """They are checked and sent like models."""
    assert cls(tasks=[task("a"), task("b", "a")]).as_dict() == {"tasks": [task("a"), task("b", "a")]}
    with pytest.raises(WrongShape, match="wait for each other: a -> b -> a"):
        codec.build(cls, cls(tasks=(task("a", "b"), task("b", "a"))))


@pytest.mark.parametrize(
    ("cls", "fields", "problem"),
    [
        (JobSettings, {"tasks": 1}, "$.tasks: expected a list, got the number 1"),
        (JobSettings, {"tasks": [1]}, "$.tasks[0]: expected an object, got the number 1"),
        (CreateJob, {"max_concurrent_runs": "many"}, "$.max_concurrent_runs: expected a whole number, got text"),
        (SubmitRun, {"idempotency_token": 1}, "$.idempotency_token: expected text, got the number 1"),
        (RunNow, {"job_id": 1, "idempotency_token": 1}, "$.idempotency_token: expected text, got the number 1"),
        (RunNow, {"job_id": None}, "$.job_id: expected a whole number, got nothing"),
    ],
)
def test_wrong_types_are_errors_of_the_same_kind(cls: type[Any], fields: dict[str, Any], problem: str) -> None:
    """They name the place."""
    with pytest.raises(WrongShape) as caught:
        codec.build(cls, cls(**fields))
    assert str(caught.value) == problem


def test_a_task_may_be_completed_step_by_step() -> None:
    """A task alone is not checked: it is not sent alone."""
    unfinished = Task(task_key="a")
    unfinished.for_each_task = ForEachTask(inputs="[]", task=Task.from_dict({"task_key": "b", **NOTEBOOK, **PYTHON}))
    with pytest.raises(WrongShape, match=r"^\$\.tasks\[0\]\.for_each_task\.task: task 'b' does one thing"):
        codec.build(JobSettings, JobSettings(tasks=[unfinished]))


ODD = {
    "max_concurrent_runs": 5000,
    "job_clusters": [SHARED, SHARED],
    "tasks": [
        {"task_key": "a", "depends_on": [{"task_key": "a"}, {"task_key": "ghost"}], "job_cluster_key": "ghost"},
        {
            **task("a", **NOTEBOOK, **PYTHON),
            "new_cluster": {"num_workers": 1, "autoscale": {}},
            "existing_cluster_id": "b",
        },
    ],
}


def test_reading_an_odd_answer_never_fails() -> None:
    """Whatever is refused of a person is read from the service, and comes back as it was."""
    job = codec.decode(orjson.dumps({"job_id": 1, "settings": ODD}), Job)
    assert job.as_dict() == {"job_id": 1, "settings": ODD}
    assert JobSettings.from_dict(ODD).as_dict() == ODD
    assert SubmitRun.from_dict({"idempotency_token": ""}).idempotency_token == ""
    run = {"run_id": 1, "tasks": [{"run_id": 2, "task_key": "a", **NOTEBOOK, **PYTHON, **for_each()}]}
    assert codec.decode(orjson.dumps(run), Run).as_dict() == run
