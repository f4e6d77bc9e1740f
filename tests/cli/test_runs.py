"""`databricks-async jobs` and `databricks-async runs`, against a local workspace.

Here are the tests of `cli/jobs.py`, `cli/runs.py`, `cli/listings/jobs.py`, `cli/live/outcome.py`,
`cli/live/progress.py`.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from cli.conftest import Run
from databricks_async import WorkspaceClient
from databricks_async.local import LocalWorkspace

pytestmark = pytest.mark.usefixtures("quick_polls")


def task(key: str, *after: str) -> dict[str, Any]:
    return {
        "task_key": key,
        "notebook_task": {"notebook_path": f"/Shared/{key}"},
        "depends_on": [{"task_key": one} for one in after],
    }


@pytest.fixture
async def job(workspace_client: WorkspaceClient, local_workspace: LocalWorkspace) -> int:
    """A job of two tasks, the second of which fails once; its parameter comes back as the first one's result."""
    local_workspace.script_task("load", call=lambda parameters: f"loaded {parameters.get('day')}")
    local_workspace.script_task("clean", error="ValueError: no price", times=1)
    local_workspace.script_task("clean", output="cleaned")
    made = await workspace_client.jobs.create(
        name="nightly", tasks=[task("load"), task("clean", "load")], parameters=[{"name": "day", "default": "sunday"}]
    )
    return made.job_id


async def test_list_jobs(cli: Run, job: int, workspace_client: WorkspaceClient) -> None:
    """Ids and names; with `-l` the last results, as words in a pipe and as signs on a terminal."""
    await workspace_client.jobs.create(name="other", tasks=[task("load")])
    assert sorted(line.split("\t")[1] for line in (await cli("jobs", "list")).lines) == ["nightly", "other"]
    assert (await cli("jobs", "list", "--name", "night*", "-q")).lines == [str(job)]
    assert (await cli("jobs", "list", "--name", "nightly", "-q")).lines == [str(job)]
    await cli("jobs", "run-now", "nightly")
    await cli("jobs", "run-now", "nightly")
    (line,) = (await cli("jobs", "list", "-l", "--name", "nightly")).lines
    assert line.split("\t")[2] == "SUCCESS,FAILED"
    shown = (await cli("jobs", "list", "-l", "--name", "nightly", "--color", "never", terminal=100)).lines
    assert shown[1].split()[:3] == [str(job), "nightly", "✓✗"]
    assert json.loads((await cli("jobs", "list", "-o", "json", "--limit", "1")).out)[0]["settings"]["name"] == "other"


async def test_get_a_job(cli: Run, job: int) -> None:
    """By id or exact name."""
    for argument in (str(job), "nightly"):
        assert json.loads((await cli("jobs", "get", argument)).out)["job_id"] == job
    assert "name" in (await cli("jobs", "get", "nightly", terminal=80)).out
    code, _, err = await cli("jobs", "get", "nightli")
    assert (code, "did you mean 'nightly'?" in err) == (5, True)


async def test_run_now_fails_and_is_repaired(cli: Run, job: int) -> None:
    """3, with the changes on standard error and the run on standard output; the repair runs what failed."""
    code, out, err = await cli("jobs", "run-now", str(job), "--param", "day=monday")
    run = json.loads(out)
    assert code == 3
    assert '"nightly" ' in err
    assert "clean FAILED: ValueError: no price" in err
    code, out, err = await cli("runs", "output", str(run["run_id"]))
    assert code == 0
    assert out.startswith("load:\nloaded monday\nclean:\nValueError: no price")
    code, out, err = await cli("jobs", "repair-run", str(run["run_id"]))
    assert (code, json.loads(out)["state"]["result_state"]) == (0, "SUCCESS")
    again = await cli("runs", "repair", str(run["run_id"]), "--rerun-tasks", "load", "-q")
    assert (again.code, again.lines) == (0, [str(run["run_id"])])
    both = ("--rerun-tasks", "load", "--rerun-all-failed-tasks")
    assert (await cli("runs", "repair", str(run["run_id"]), *both)).code == 2


async def test_run_now_shows_outputs(cli: Run, job: int) -> None:
    """Text by task, or JSON."""
    await cli("jobs", "run", "nightly")
    code, out, _ = await cli("jobs", "run-now", "nightly", "--show-output", "--only", "load", "--param", "day=friday")
    assert (code, out) == (0, "loaded friday\n")
    out = (await cli("jobs", "run-now", "nightly", "--show-output", "-o", "json")).out
    assert json.loads(out)["clean"]["notebook_output"]["result"] == "cleaned"


async def test_run_now_without_waiting(cli: Run, job: int) -> None:
    """The id, which the other commands take; a token of the caller's never starts a second run."""
    argv = ("jobs", "run-now", "nightly", "--no-wait", "--idempotency-token", "once")
    first, second = [json.loads((await cli(*argv)).out)["run_id"] for _ in range(2)]
    assert first == second
    assert (await cli(*argv, "-q")).lines == [str(first)]
    assert (await cli("runs", "list", "--job", "nightly", "-q")).lines == [str(first)]
    wrong = await cli("jobs", "run-now", "nightly", "--json", '{"job_id": 1}')
    assert (wrong.code, "another job" in wrong.err) == (2, True)
    assert (await cli("jobs", "run-now", "nightly", "--param", "day")).code == 2


async def test_list_runs(cli: Run, job: int) -> None:
    """The latest first: id, job, state, start, seconds, trigger, and why it failed."""
    await cli("jobs", "run-now", "nightly")
    await cli("jobs", "run-now", "nightly")
    rows = [line.split("\t") for line in (await cli("jobs", "list-runs", "--job", str(job))).lines]
    assert [row[2] for row in rows] == ["SUCCESS", "FAILED"]
    assert all(row[1] == "nightly" and float(row[4]) > 0 for row in rows)
    assert rows[1][6].startswith("clean: ")
    assert len((await cli("runs", "list", "--limit", "1")).lines) == 1
    assert len(json.loads((await cli("runs", "list", "-o", "json", "--completed-only")).out)) == 2
    assert (await cli("runs", "list", "--active-only", "--since", "1d", "-q")).out == ""
    assert (await cli("runs", "list", "--active-only", "--completed-only")).code == 2
    table = await cli("runs", "list", "--color", "never", terminal=120)
    assert [line[0] for line in table.lines] == [" ", "✓", "✗"]


async def test_get_a_run(cli: Run, job: int) -> None:
    """A card with the tasks and what went wrong; JSON in a pipe."""
    await cli("jobs", "run-now", "nightly")
    (run_id,) = (await cli("runs", "list", "-q")).lines
    card = (await cli("jobs", "get-run", run_id, "--color", "never", terminal=100)).lines
    assert card[0] == "✗ nightly"
    assert any(line.split()[:3] == ["✗", "clean", "FAILED"] for line in card)
    assert card[-1] == "clean: ValueError: no price"
    assert len(json.loads((await cli("runs", "get", run_id)).out)["tasks"]) == 2
    assert (await cli("runs", "get", "nightly")).code == 2


async def test_cancel_and_delete(cli: Run, job: int, local_workspace: LocalWorkspace) -> None:
    """A cancelled run is what was wanted: exit code 0."""
    local_workspace.script_task("load", duration=1e12)
    started = await cli("jobs", "run-now", "nightly", "--no-wait", "-q")
    run_id = started.out.strip()
    code, out, _ = await cli("runs", "cancel", run_id)
    assert (code, json.loads(out)["state"]["result_state"]) == (0, "CANCELED")
    assert (await cli("jobs", "delete-run", run_id)).code == 0
    assert (await cli("runs", "get", run_id)).code == 5
    await cli("jobs", "run-now", "nightly", "--no-wait")
    assert (await cli("jobs", "cancel-all-runs", "nightly")).code == 0


async def test_one_line_that_changes_in_place(cli: Run, job: int) -> None:
    """On a terminal; the cursor comes back."""
    await cli("jobs", "run-now", "nightly", "--no-wait")
    (run_id,) = (await cli("runs", "list", "-q")).lines
    code, out, err = await cli("runs", "cancel", run_id, terminal=60)
    assert code == 0
    assert "nightly" in err
    assert err.rindex("\x1b[?25h") > err.rindex("\x1b[?25l")
    assert "\x1b[?25" not in out
