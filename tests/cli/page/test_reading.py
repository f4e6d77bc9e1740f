"""What the page shows of a workspace, and the two commands that show it.

Here are the tests of `cli/page/reading.py`, `cli/page/rows.py`, `cli/page/timelines.py`, `cli/page/live.py` and
`cli/ui.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json

import aiohttp
import pytest

from databricks_async.cli import main
from databricks_async.cli.page.live import live_page
from databricks_async.cli.page.rows import cluster_row, run_row
from databricks_async.clusters import AutoScale, ClusterDetails
from databricks_async.jobs import Run
from databricks_async.local import Fault

SPEC = {"spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2"}
TASKS = [
    {"task_key": "extract", "notebook_task": {"notebook_path": "/Shared/extract"}},
    {"task_key": "load", "notebook_task": {"notebook_path": "/Shared/load"}, "depends_on": [{"task_key": "extract"}]},
]


class Page:
    """The page as a browser knows it: the rows by id, and the events."""

    def __init__(self, response):
        self._response = response
        self.rows, self.events, self.status = {}, [], {}

    async def until(self, condition):
        """Read until the page looks so."""
        async with asyncio.timeout(20):
            while not condition(self):
                block = (await self._response.content.readuntil(b"\n\n")).decode()
                fields = dict(line.split(": ", 1) for line in block.strip().splitlines() if not line.startswith(":"))
                if "event" in fields:
                    self._take(fields["event"], json.loads(fields["data"]))

    def _take(self, name, data):
        if name == "snapshot":
            self.rows = {row["id"]: row for row in data["rows"]}
            self.events = data["events"]
        elif name == "status":
            self.status = data
        elif name == "gone":
            self.rows.pop(data["id"])
        elif data["of"] == "event":
            self.events.append(data)
        else:
            self.rows[data["id"]] = data

    def state(self, row_id):
        return self.rows.get(row_id, {}).get("state")


@contextlib.asynccontextmanager
async def shown(client, workspace, speed=1.0):
    """The page of a workspace, and its address."""
    async with (
        live_page(client, "127.0.0.1", 0, now=workspace.clock.now, speed=speed) as url,
        aiohttp.ClientSession() as session,
        session.get(f"{url}events") as response,
    ):
        yield Page(response), url, session


async def test_clusters_are_followed(w, workspace):
    """Those that were there, new ones, each change with its reason, and the end of one."""
    first = await w.clusters.create(cluster_name="gold", num_workers=2, **SPEC)
    workspace.clock.advance(7200)
    async with shown(w, workspace) as (page, _, _):
        gold = f"cluster {first.cluster_id}"
        await page.until(lambda page: gold in page.rows)
        row = page.rows[gold]
        assert (row["name"], row["state"], row["kind"], row["size"]) == ("gold", "RUNNING", "good", "2 workers")
        assert (workspace.clock.now() - row["since"], page.events) == (7200_000, [])
        workspace.fail_next_start("CLOUD_PROVIDER_RESOURCE_STOCKOUT")
        second = await w.clusters.create(cluster_name="silver", num_workers=0, **SPEC)
        silver = f"cluster {second.cluster_id}"
        await page.until(lambda page: page.state(silver) == "PENDING")
        workspace.clock.advance(400)
        await page.until(lambda page: page.events and page.events[-1]["state"] == "TERMINATED")
        assert page.rows[silver]["kind"] == "bad"
        assert "CLOUD_PROVIDER_RESOURCE_STOCKOUT" in page.rows[silver]["note"]
        told = [(event["name"], event["state"]) for event in page.events]
        assert told[0] == ("silver", "PENDING")
        assert told[-1] == ("silver", "TERMINATED")
        await w.clusters.permanent_delete(second.cluster_id)
        await page.until(lambda page: silver not in page.rows)


async def test_runs_are_followed_with_their_tasks_and_drawn(w, workspace):
    """One that has ended, and one from its start to its end; its timeline is read when somebody looks at it."""
    old = await w.jobs.submit(run_name="old", tasks=TASKS)
    workspace.clock.advance(600)
    workspace.script_task("load", error="no such table")
    async with shown(w, workspace, speed=60.0) as (page, url, session):
        await page.until(lambda page: page.state(f"run {old.run_id}") == "SUCCESS")
        new = await w.jobs.submit(run_name="new", tasks=TASKS)
        name = f"run {new.run_id}"
        await page.until(lambda page: page.state(name) == "RUNNING")
        assert [task["state"] for task in page.rows[name]["tasks"]] == ["RUNNING", "BLOCKED"]
        before = workspace.journal.count("GET /api/{v}/jobs/runs/get")
        workspace.clock.advance(61)
        await page.until(lambda page: [task["state"] for task in page.rows[name]["tasks"]] == ["SUCCESS", "RUNNING"])
        workspace.clock.advance(61)
        await page.until(lambda page: (page.events[-1]["name"], page.events[-1]["state"]) == ("new", "FAILED"))
        row = page.rows[name]
        assert (row["kind"], row["size"], row["end"] > row["since"]) == ("bad", "2 tasks", True)
        assert {"name": "new / load", "state": "FAILED"}.items() <= page.events[-2].items()
        assert (page.status["speed"], page.status["trouble"]) == (60.0, None)
        polls = workspace.journal.count("GET /api/{v}/jobs/runs/get") - before
        for _ in range(3):  # an ended run is read once, for all who look
            async with session.get(f"{url}timeline/{new.run_id}.svg") as response:
                svg = await response.text()
        assert response.status == 200
        assert "extract" in svg
        assert "FAILED" in svg
        assert workspace.journal.count("GET /api/{v}/jobs/runs/get") - before - polls == 1
        async with session.get(f"{url}timeline/1.svg") as response:
            assert response.status == 404


@pytest.mark.usefixtures("virtual_time")
async def test_what_goes_wrong_is_told_until_it_is_well_again(connect, workspace):
    """The page goes on."""
    client = connect(retry_timeout_seconds=0, poll_interval_seconds=0.5)
    made = await client.clusters.create(cluster_name="gold", num_workers=0, **SPEC)
    workspace.faults.add("GET */list", Fault.failure(500), probability=1)
    async with shown(client, workspace) as (page, _, _):
        await page.until(lambda page: page.status.get("trouble"))
        assert "500" in page.status["trouble"]
        workspace.faults.clear()
        await page.until(
            lambda page: page.state(f"cluster {made.cluster_id}") == "PENDING" and not page.status["trouble"]
        )


async def test_the_command_shows_the_profiles_workspace(workspace, monkeypatch, capsys):
    """Until Ctrl-C; it changes nothing, and asks only to read."""
    monkeypatch.setenv("DATABRICKS_HOST", workspace.url)
    monkeypatch.setenv("DATABRICKS_TOKEN", workspace.token)
    command = asyncio.create_task(asyncio.to_thread(main, ["ui", "--port", "0", "--timeout", "2s"]))
    said = ""
    async with asyncio.timeout(20):
        while "\n" not in said:
            await asyncio.sleep(0.01)
            said += capsys.readouterr().out
    url = said.strip()
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert (response.status, url.startswith("http://127.0.0.1:")) == (200, True)
    assert await command == 8
    assert {call.endpoint.split()[0] for call in workspace.journal.entries} == {"GET"}


def test_the_command_says_what_is_wrong(capsys):
    """Before there is a page."""
    assert main(["ui", "--port", "0"]) == 4
    out, err = capsys.readouterr()
    assert (out, "no host" in err) == ("", True)


def test_rows_say_sizes_and_reasons():
    """As people say them."""
    cluster = ClusterDetails(cluster_id="1", autoscale=AutoScale(min_workers=2, max_workers=8))
    row = cluster_row(cluster, None)
    assert (row["name"], row["size"], row["kind"]) == ("1", "2-8 workers", "unknown")
    tasks = [
        {"task_key": str(number), "run_id": number, "state": {"life_cycle_state": "PENDING"}} for number in range(130)
    ]
    many = run_row(Run.from_dict({"run_id": 7, "tasks": tasks, "state": {"life_cycle_state": "RUNNING"}}))
    assert (many["size"], len(many["tasks"]), many["more_tasks"]) == ("130 tasks", 100, 30)
