"""Mistakes of callers are reported before anything is sent."""

from __future__ import annotations

import pytest

from databricks_async.jobs.models import RunNow, SubmitRun

NOTEBOOK = {"notebook_path": "/x"}


def one(key, *after, **fields):
    return {
        "task_key": key,
        "notebook_task": NOTEBOOK,
        "depends_on": [{"task_key": other} for other in after],
        **fields,
    }


BAD_TASKS = {
    "unknown dependency": ([one("a", "nobody")], r"nobody"),
    "cycle": ([one("a", "c"), one("b", "a"), one("c", "b")], r"a -> "),
    "itself": ([one("a", "a")], r"a -> a"),
    "twice": ([one("a"), one("a")], r"'a'"),
    "two kinds": ([one("a", spark_python_task={"python_file": "x.py"})], r"notebook_task.*spark_python_task"),
    "no path": ([{"task_key": "a", "notebook_task": {}}], r"tasks\[0\]\.notebook_task\.notebook_path"),
    "too many": ([one(f"t{number}") for number in range(1001)], r"1000|1,000"),
    "two clusters": ([one("a", existing_cluster_id="x", job_cluster_key="y")], r"existing_cluster_id"),
    "misspelt": ([one("a", time_out_seconds=1)], r"timeout_seconds"),
    "wrong type": ([one("a", timeout_seconds="soon")], r"tasks\[0\].timeout_seconds"),
}


@pytest.fixture(autouse=True)
def _nothing_is_sent(workspace):
    yield
    assert workspace.journal.count() == 0


@pytest.mark.parametrize(("tasks", "words"), BAD_TASKS.values(), ids=BAD_TASKS)
async def test_tasks_that_cannot_run(w, tasks, words):
    """In a new job, in new settings, and in a one-time run."""
    for call in (
        lambda: w.jobs.create(name="x", tasks=tasks),
        lambda: w.jobs.create({"name": "x", "settings": {"tasks": tasks}}),
        lambda: w.jobs.reset(1, {"tasks": tasks}),
        lambda: w.jobs.submit(tasks=tasks),
        lambda: w.jobs.submit({"tasks": tasks}),
    ):
        with pytest.raises(ValueError, match=words):
            await call()


@pytest.mark.parametrize("token", ["x" * 65, ""])
async def test_tokens_that_the_service_does_not_take(w, token):
    """Longer than 64 characters, or empty."""
    for call in (
        lambda: w.jobs.run_now(1, idempotency_token=token),
        lambda: w.jobs.run_now({"job_id": 1, "idempotency_token": token}),
        lambda: w.jobs.submit(tasks=[one("a")], idempotency_token=token),
    ):
        with pytest.raises(ValueError, match=r"idempotency_token.*64"):
            await call()


async def test_active_and_completed_exclude_each_other(w):
    """Before the first page."""
    with pytest.raises(ValueError, match="active_only and completed_only"):
        w.jobs.list_runs(active_only=True, completed_only=True)


@pytest.mark.parametrize("wrong", ["12", 12.0, True, None])
async def test_ids_of_other_types(w, wrong):
    """Are named, with their type."""
    calls = {
        "job_id": (w.jobs.get, w.jobs.update, w.jobs.delete, w.jobs.get_permissions, w.jobs.get_permission_levels),
        "run_id": (w.jobs.get_run, w.jobs.cancel_run, w.jobs.delete_run, w.jobs.get_run_output, w.jobs.export_run),
    }
    for name, methods in calls.items():
        for method in methods:
            with pytest.raises(TypeError, match=f"{name} must be an int, not {type(wrong).__name__}"):
                await method(wrong)
    with pytest.raises(TypeError, match="run_id"):
        w.jobs.wait_run(wrong)
    with pytest.raises(TypeError, match="job_id"):
        await w.jobs.reset(wrong, {"name": "x"})
    if wrong is not None:
        for start in (w.jobs.run_now, lambda job_id: w.jobs.run_now(job_id=job_id)):
            with pytest.raises(TypeError, match="job_id"):
                await start(wrong)
        with pytest.raises(TypeError, match="run_id"):
            await w.jobs.repair_run(wrong)
        with pytest.raises(TypeError, match="job_id"):
            w.jobs.list_runs(job_id=wrong)


async def test_negative_ids(w):
    """There are none."""
    with pytest.raises(ValueError, match="cannot be negative"):
        await w.jobs.get(-1)


async def test_misspelt_keywords(w):
    """With the name that was probably meant."""
    with pytest.raises(TypeError, match="did you mean 'job_parameters'"):
        await w.jobs.run_now(1, job_parameter={})
    with pytest.raises(TypeError, match="did you mean 'run_name'"):
        await w.jobs.submit(run_names="x", tasks=[one("a")])
    with pytest.raises(TypeError, match="did you mean 'rerun_tasks'"):
        await w.jobs.repair_run(1, rerun_task=["a"])


async def test_a_run_without_an_id(w):
    """Is none."""
    with pytest.raises(ValueError, match="job_id"):
        await w.jobs.run_now()
    with pytest.raises(ValueError, match="job_id"):
        await w.jobs.run_now({"job_parameters": {}})


@pytest.mark.parametrize("nothing", [None, {}, {"settings": {}}])
async def test_a_reset_without_settings(w, nothing):
    """It would empty the job."""
    with pytest.raises(ValueError, match="would empty the job"):
        await w.jobs.reset(1, nothing)


async def test_a_model_and_keywords(w):
    """One of them."""
    with pytest.raises(TypeError, match="not two of them"):
        await w.jobs.run_now(RunNow(job_id=1), only=["a"])
    with pytest.raises(TypeError, match="not two of them"):
        await w.jobs.submit(SubmitRun(tasks=[]), run_name="x")


async def test_cancel_all_runs_of_nothing(w):
    """Is not all runs of everything."""
    with pytest.raises(ValueError, match="needs a job_id"):
        await w.jobs.cancel_all_runs()


@pytest.mark.parametrize("size", [0, -1, 26, 1.5, "5", True])
async def test_page_sizes_that_the_service_refuses(w, size):
    """25 runs at most."""
    with pytest.raises(ValueError, match="page_size"):
        w.jobs.list_runs(page_size=size)


async def test_a_time_limit_that_is_none(w):
    """Is reported before the run is started."""
    with pytest.raises(TypeError, match="timeout"):
        await w.jobs.submit_and_wait(tasks=[one("a")], timeout="1 h")
    with pytest.raises(ValueError, match="0 seconds or more"):
        await w.jobs.submit_and_wait(tasks=[one("a")], timeout=-1)
