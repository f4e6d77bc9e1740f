"""What a client counts: its totals, and the same by endpoint family."""

from __future__ import annotations

import asyncio
import copy
import inspect
import pickle
import re
from typing import Any

import attrs
import pytest
from prometheus_client.parser import text_string_to_metric_families

from databricks_async import Stats
from databricks_async.local import Fault, RateLimit

pytestmark = pytest.mark.usefixtures("virtual_time")

LIST = "GET /api/2.1/clusters/list"


async def busy(workspace: Any, client: Any) -> None:
    """A retry, refusals, a login, and endpoints with a limit of their own."""
    workspace.faults.add(LIST, Fault.drop(), Fault.too_many_requests(0.1))
    await asyncio.gather(*(client.clusters.list().collect() for _ in range(5)))
    await client.jobs.create(name="a")
    await client.jobs.list().collect()


async def test_families_add_up_to_the_totals(workspace, connect, service_principal):
    """Each request, refusal and retry is in one of them."""
    w = connect(**service_principal)
    await busy(workspace, w)
    families = w.stats.families
    assert set(families) == {"clusters", "jobs", "jobs/create", "login"}
    assert sum(one.sent for one in families.values()) == w.stats.sent == workspace.journal.count()
    assert sum(one.refused for one in families.values()) == families["clusters"].refused == w.stats.refused == 1
    assert sum(one.retried for one in families.values()) == families["clusters"].retried == w.stats.retries == 1
    assert families["clusters"].sent == 7
    assert families["jobs/create"].sent == families["jobs"].sent == 1
    assert families["login"].sent == 2
    assert {(one.in_flight, one.waiting) for one in families.values()} == {(0, 0)}
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        families["jobs"].sent = 5


async def test_what_is_under_way_now(workspace, connect):
    """Calls in flight, and calls that wait for their turn; one that is cancelled does neither."""
    workspace.rate_limit = RateLimit(per_second=None, concurrent=100)
    workspace.faults.add(LIST, Fault.delay(10.0), times=1000)
    w = connect(max_connections=2)
    await w.jobs.list().collect()
    calls = [asyncio.create_task(w.clusters.list().collect()) for _ in range(10)]
    await asyncio.sleep(1)
    assert (w.stats.families["clusters"].in_flight, w.stats.families["clusters"].waiting) == (2, 8)
    assert w.stats.families["jobs"].in_flight == 0
    calls[-1].cancel()
    await asyncio.sleep(0)
    assert w.stats.families["clusters"].waiting == 7
    for call in calls:
        call.cancel()
    await asyncio.wait(calls)
    assert (w.stats.families["clusters"].in_flight, w.stats.families["clusters"].waiting) == (0, 0)
    assert w.stats.families["clusters"].sent == 2


async def test_an_endpoint_that_was_given_a_limit_is_a_family(workspace):
    """The families are those of the limits in force."""
    from databricks_async import WorkspaceClient

    limits = {"clusters/list": 100}
    async with WorkspaceClient(host=workspace.url, token=workspace.token, rate_limits=limits) as w:
        await w.clusters.list().collect()
        await w.clusters.spark_versions()
    assert {name: one.sent for name, one in w.stats.families.items()} == {"clusters": 1, "clusters/list": 1}


async def test_how_it_shows_itself(workspace, w):
    """In one line, as a table when printed, and as a table in a notebook."""
    await busy(workspace, w)
    w.stats.tokens = 12
    assert repr(w.stats) == "Stats(calls=7, sent=9, refused=1, retries=1, tokens=12)"
    first, *table = str(w.stats).splitlines()
    assert first == "calls 7, sent 9, refused 1, retries 1, tokens 12"
    assert [line.split() for line in table] == [
        ["family", "sent", "refused", "retried", "in_flight", "waiting"],
        ["clusters", "7", "1", "1", "0", "0"],
        ["jobs", "1", "0", "0", "0", "0"],
        ["jobs/create", "1", "0", "0", "0", "0"],
    ]
    assert len({len(line) for line in table}) == 1
    assert "<td style='text-align: left'>sent 7, refused 1, retried 1, in_flight 0, waiting 0</td>" in (
        w.stats._repr_html_()
    )
    assert str(Stats()) == "calls 0, sent 0, refused 0, retries 0, tokens 0"


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda stats: pickle.loads(pickle.dumps(stats))])
async def test_a_copy_is_the_totals_of_its_moment(workspace, w, copied):
    """To compare with later ones: they are fields, and the only ones."""
    await busy(workspace, w)
    before = copied(w.stats)
    assert before == w.stats
    assert attrs.asdict(before) == {"calls": 7, "sent": 9, "refused": 1, "retries": 1, "tokens": 1}
    await w.clusters.list().collect()
    assert (before.calls, w.stats.calls, before.families) == (7, 8, {})


async def test_the_recipe_for_prometheus(workspace, w):
    """The example of the docstring, read by Prometheus' own parser."""
    await busy(workspace, w)
    (code,) = re.findall(r"```python\n(.*?)```", inspect.cleandoc(Stats.__doc__), re.DOTALL)
    recipe: dict[str, Any] = {"Stats": Stats}
    exec(code, recipe)  # noqa: S102
    metrics = {metric.name: metric for metric in text_string_to_metric_families(recipe["exposition"](w.stats))}
    assert {name: metric.type for name, metric in metrics.items()} == {
        "databricks_calls": "counter",
        "databricks_tokens": "counter",
        "databricks_sent": "counter",
        "databricks_refused": "counter",
        "databricks_retried": "counter",
        "databricks_in_flight": "gauge",
        "databricks_waiting": "gauge",
    }
    assert [sample.value for sample in metrics["databricks_calls"].samples] == [7]
    sent = {sample.labels["family"]: sample.value for sample in metrics["databricks_sent"].samples}
    assert sent == {name: one.sent for name, one in w.stats.families.items()}
