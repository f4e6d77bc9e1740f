"""The history of a cluster as a value: its lives, from its events.

Here are the tests of `clusters/history.py` and `clusters/events.py`; `test_events.py` tries the listing of events.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from databricks_async.clusters import ClusterDetails, ClusterEvent
from databricks_async.clusters.history import history_of
from databricks_async.errors import ResourceDoesNotExist
from support.svg import assert_readable

START = 1758645728000
EVENTS = "POST /api/{v}/clusters/events"


def shown(history):
    """Each life: how it stands, why, and how many seconds of what."""
    return [
        (bar.state, bar.note, [(part.phase, part.milliseconds // 1000) for part in bar.parts]) for bar in history.bars
    ]


@pytest.mark.parametrize("version", ["2.0", "2.1"])
async def test_a_cluster_and_its_lives(w, workspace, make):
    """Each start has a bar: setting up, running, cleaning up; why it ended stands beside it."""
    cluster_id = await make.running(autotermination_minutes=20)
    workspace.clock.advance(600)
    await w.clusters.restart(cluster_id)
    workspace.clock.advance(240 + 3600)
    await w.clusters.start(cluster_id)
    workspace.clock.advance(300 + 60)
    workspace.add_events(cluster_id, 150)
    await w.clusters.resize(cluster_id, num_workers=5)
    workspace.clock.advance(60)
    await w.clusters.delete(cluster_id)
    workspace.clock.advance(30)

    history = await w.clusters.history(cluster_id)
    first = [("setup", 300), ("running", 600), ("setup", 240), ("running", 1200)]
    assert shown(history) == [
        ("TERMINATED", "INACTIVITY", first),
        ("TERMINATED", "USER_REQUEST", [("setup", 300), ("running", 120), ("cleanup", 30)]),
    ]
    assert (history.title, history.state, history.kind) == (f"cluster {cluster_id} (etl)", "TERMINATED", "stopped")
    assert history.bars[0].name == "2025-09-23 16:42:08 UTC"
    assert history.idle == ((START + 2_340_000, START + 4_740_000),)
    assert_readable(history.svg())
    assert (await w.clusters.history(cluster_id)).svg() == history.svg()


async def test_a_life_that_goes_on(w, workspace, make):
    """It is drawn up to the latest that is known, or up to the moment that is asked for."""
    cluster_id = await make.pending()
    assert shown(await w.clusters.history(cluster_id)) == [("PENDING", "", [])]
    workspace.clock.advance(400)
    history = await w.clusters.history(cluster_id)
    assert shown(history) == [("RUNNING", "", [("setup", 300)])]
    assert history.bars[0].is_ongoing
    now = datetime.fromtimestamp(START / 1000 + 400, UTC)
    assert shown(await w.clusters.history(cluster_id, now=now)) == [("RUNNING", "", [("setup", 300), ("running", 100)])]
    await w.clusters.delete(cluster_id)
    at = START + 410_000
    assert shown(await w.clusters.history(cluster_id, now=at)) == [
        ("TERMINATING", "USER_REQUEST", [("setup", 300), ("running", 100), ("cleanup", 10)])
    ]


async def test_a_start_that_failed_is_bad(w, workspace, make):
    """It never ran."""
    workspace.fail_next_start("CLOUD_PROVIDER_RESOURCE_STOCKOUT", "CLOUD_FAILURE")
    cluster_id = await make.pending()
    workspace.clock.advance(1000)
    history = await w.clusters.history(cluster_id)
    assert shown(history) == [("TERMINATED", "CLOUD_PROVIDER_RESOURCE_STOCKOUT", [("setup", 300), ("cleanup", 30)])]
    assert (history.kind, history.bars[0].kind) == ("bad", "bad")


async def test_a_window_of_time(w, workspace, make):
    """What began before it and goes on after it is shown as far as the events in it say."""
    cluster_id = await make.running()
    workspace.clock.advance(700)
    await w.clusters.delete(cluster_id)
    workspace.clock.advance(1000)
    window = await w.clusters.history(cluster_id, start_time=START + 200_000, end_time=START + 900_000)
    assert shown(window) == [("RUNNING", "", [("running", 600)])]
    assert window.bars[0].is_ongoing
    later = await w.clusters.history(cluster_id, start_time=START + 900_000)
    assert shown(later) == [("TERMINATED", "USER_REQUEST", [("cleanup", 30)])]
    assert (await w.clusters.history(cluster_id, start_time=START + 5_000_000)).bars == ()


async def test_an_unknown_cluster_and_a_wrong_time(w, workspace):
    """Before anything is sent where that can be known."""
    with pytest.raises(ValueError, match="start_time has no time zone"):
        await w.clusters.history("c", start_time=datetime(2026, 1, 1))
    with pytest.raises(ValueError, match="cluster_id"):
        await w.clusters.history(" ")
    assert workspace.journal.count() == 0
    with pytest.raises(ResourceDoesNotExist):
        await w.clusters.history("0923-164208-nothing")
    assert workspace.journal.count(EVENTS) == 0


def test_events_that_say_little():
    """Without a time, a type, or in an odd order: they are passed over, and none is an error."""
    events = [
        {"type": "RUNNING"},
        {"timestamp": 5},
        {"type": "TELEPORTED", "timestamp": 6},
        {"type": "TERMINATING", "timestamp": 10, "details": {}},
        {"type": "TERMINATING", "timestamp": 12},
        {"type": "RESIZING", "timestamp": 20},
        {"type": "CREATING", "timestamp": 30},
        {"type": "TERMINATING", "timestamp": 35},
    ]
    read = [ClusterEvent.from_dict({"cluster_id": "c", **event}) for event in events]
    history = history_of("c", ClusterDetails.from_dict({"cluster_id": "c", "state": "HIBERNATING"}), read, now=40)
    assert [(bar.state, bar.is_ongoing, bar.milliseconds()) for bar in history.bars] == [
        ("TERMINATED", False, 0),
        ("TERMINATED", False, 0),
        ("TERMINATING", True, 10),
    ]
    assert (history.state, history.kind) == ("HIBERNATING", "unknown")
    assert_readable(history.svg())
