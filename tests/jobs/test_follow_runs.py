"""Following the runs of a job: each new one once, in the order of their starts.

Here are the tests of `jobs/following.py` and `jobs/listings.py`; `test_operations.py` tries the listings themselves.
"""

from __future__ import annotations

import asyncio
import random

import pytest

from databricks_async.errors import ConnectionLost
from databricks_async.jobs import Run
from databricks_async.jobs.following import OVERLAP_MS, RunFeed
from databricks_async.local import Fault
from databricks_async.pager import Page, Pager

pytestmark = pytest.mark.usefixtures("virtual_time")

RUNS = "GET /api/{v}/jobs/runs/list"


@pytest.fixture
async def job_id(w, task):
    """A job that may run as often as anybody likes."""
    return (await w.jobs.create(name="j", tasks=[task("a")], max_concurrent_runs=1000)).job_id


@pytest.fixture
def start(w, workspace, job_id):
    """Starts runs, some seconds after another."""

    async def start(count, seconds=1.0, of=None):
        ids = []
        for _ in range(count):
            workspace.clock.advance(seconds)
            ids.append((await w.jobs.run_now(of or job_id)).run_id)
        return ids

    return start


async def take(stream, count):
    return [(await anext(stream)).run_id for _ in range(count)]


@pytest.mark.parametrize("version", ["2.1", "2.2"])
async def test_runs_that_are_started_after_the_first_poll(w, workspace, task, job_id, start):
    """Not the earlier ones, and not those of other jobs; more than a page at once, of one millisecond too."""
    other = (
        await w.jobs.create(name="other", tasks=[{"task_key": "a", "notebook_task": {"notebook_path": "/a"}}])
    ).job_id
    await start(30)
    workspace.journal.clear()
    stream = w.jobs.follow_runs(job_id)
    coming = asyncio.create_task(take(stream, 61))
    await workspace.journal.until(lambda journal: journal.count(RUNS) >= 3)
    await start(1, of=other)
    wanted = [*await start(1), *await start(60, seconds=0)]
    assert await asyncio.wait_for(coming, 60) == wanted
    assert repr(stream) == f"<Stream of the runs of job {job_id}>"


async def test_since_a_moment_or_a_token(w, workspace, job_id, start):
    """The moment itself counts; another program goes on behind the last run that was returned."""
    old = await start(3)
    moment = (await w.jobs.get_run(old[1])).start
    assert await take(w.jobs.follow_runs(job_id, since=moment), 2) == old[1:]
    stream = w.jobs.follow_runs(job_id, since=0)
    assert await take(stream, 2) == old[:2]
    rest = w.jobs.follow_runs(job_id, since=stream.token)
    assert await take(rest, 1) == old[2:]
    new = await start(2, seconds=1000)
    assert await take(w.jobs.follow_runs(job_id, since=rest.token), 2) == new


async def test_the_runs_of_all_jobs(w, task, job_id, start):
    """Without an id; skipped ones are runs, too."""
    other = (await w.jobs.create(name="o", tasks=[task("b")])).job_id
    stream = w.jobs.follow_runs(since=0)
    wanted = [*await start(1), *await start(2, of=other)]
    assert await take(stream, 3) == wanted


async def test_bad_polls_and_a_first_run(connect, workspace, job_id, start):
    """A job without runs is followed from the start; a poll that fails loses nothing."""
    stream = connect(retry_timeout_seconds=0).jobs.follow_runs(job_id, every=0.5)
    coming = asyncio.create_task(take(stream, 2))
    await workspace.journal.until(lambda journal: journal.count(RUNS) >= 2)
    workspace.faults.add(RUNS, Fault.error(503, "TEMPORARILY_UNAVAILABLE"), Fault.drop(after=True))
    assert await start(2) == await asyncio.wait_for(coming, 60)


async def test_mistakes_are_told_before_anything_is_sent(w, workspace):
    """Wrong types, and tokens of other streams."""
    for since in (w.jobs.follow_runs(2).token, w.clusters.follow_events("c").token, "runs1.e30", "x"):
        with pytest.raises(ValueError, match="since"):
            w.jobs.follow_runs(1, since=since)
    with pytest.raises(ValueError, match="since is a token that was changed"):
        w.jobs.follow_runs(since="runs1.e30")
    with pytest.raises(TypeError, match="job_id"):
        w.jobs.follow_runs("1")
    assert workspace.journal.count() == 0


async def test_a_thousand_runs_while_pages_move():
    """Runs come and are deleted between any two requests; errors and restarts at any place."""
    chance = random.Random(5)  # noqa: S311
    runs, kept, now, left = [], set(), OVERLAP_MS, 1000

    async def fetch(start, token):
        nonlocal now, left
        if chance.random() < 0.02:
            raise ConnectionLost("gone")
        if chance.random() < 0.3 and left:
            for _ in range(min(left, chance.choice([1, 3, 60]))):
                now += chance.choice([0, 0, 1, 100, 1000])
                left -= 1
                back = chance.choice([0] * 20 + [500, 20_000])
                runs.append(Run.from_dict({"run_id": 1000 - left, "start_time": now - back}))
        elif left and runs and chance.random() < 0.3:
            runs.pop(chance.randrange(len(runs)))
        found = sorted((one for one in runs if one.start_time >= start), key=lambda one: -one.start_time)
        offset = int(token or 0)
        following = offset + 25
        return Page(found[offset:following], str(following) if following < len(found) else None)

    def listed(start_time_from=0):
        return Pager(lambda token: fetch(start_time_from, token))

    feed, got = RunFeed(1, listed, 0), []
    while left or not kept <= {*got}:
        try:
            found = await feed.read()
        except ConnectionLost:
            continue
        taken = len(found) if chance.random() < 0.8 else chance.randint(0, len(found))
        got += [feed.take(one).run_id for one in found[:taken]]
        if taken < len(found) or chance.random() < 0.05:
            feed = RunFeed(1, listed, feed.token())
        kept = {one.run_id for one in runs}
    assert len(got) == len({*got})
    assert len(kept) > 500
