"""Objects show themselves: in a line, whole, as a table, as JSON, to FastAPI. No secret in any of them.

Tries `codec/show.py`, `codec/pydantic.py` and `display/`.
"""

from __future__ import annotations

import copy
import io
import json
import pickle
import pprint
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import attrs
import httpx
import orjson
import pydantic
import pytest
import rich.console
from databricks.sdk.service import compute
from fastapi import Body, FastAPI

from databricks_async import Model, Page, WorkspaceClient
from databricks_async.clusters import (
    AutoScale,
    AzureAttributes,
    ClusterDetails,
    ClusterEvent,
    ClusterSpec,
    DockerBasicAuth,
    DockerImage,
    State,
)
from databricks_async.documentation import field_docs
from databricks_async.epoch import name_of_moment
from databricks_async.errors import ResourceDoesNotExist
from databricks_async.jobs import Run, RunTask, Task
from databricks_async.local import Fault, LocalWorkspace
from databricks_async.local.journal import Call
from databricks_async.workspace import ObjectInfo
from support.models import public_models

SECRET = "kept-from-sight"
CLUSTER = ClusterDetails(
    cluster_id="0923-164208-meows279",
    cluster_name="<b>etl</b> & more",
    state=State.RUNNING,
    azure_attributes=AzureAttributes(first_on_demand=1),
    custom_tags={f"tag{index}": "value" * 10 for index in range(20)},
    spark_env_vars={"PASSWORD": SECRET},
    docker_image=DockerImage(url="image", basic_auth=DockerBasicAuth(username="me", password=SECRET)),
    start_time=1758645728123,
)
RUN = Run(run_id=7, run_name="nightly", tasks=[RunTask(task_key=f"task{index}", run_id=index) for index in range(1000)])


@pytest.mark.parametrize("model", [CLUSTER, RUN])
def test_a_line_is_short_and_says_the_essentials(model: Model) -> None:
    line = repr(model)
    assert len(line) < 400
    assert "\n" not in line
    assert " more" in line
    assert SECRET not in line
    assert ("0923-164208-meows279" in line and "State.RUNNING" in line) or "run_id=7" in line


@pytest.mark.parametrize(
    "image",
    [
        {"url": "image", "basic_auth": {"password": SECRET}},
        compute.DockerImage(url="image", basic_auth=compute.DockerBasicAuth(password=SECRET)),
    ],
    ids=["mapping", "official model"],
)
def test_what_stands_in_place_of_a_model_hides_its_secrets(image: Any) -> None:
    for text in (repr, str, pprint.pformat, printed_by_rich, ClusterSpec._repr_html_):
        shown = text(ClusterSpec(docker_image=image))
        assert "basic_auth" in shown
        assert SECRET not in shown


def test_what_is_short_is_shown_whole() -> None:
    assert repr(AutoScale(min_workers=1)) == "AutoScale(min_workers=1)"


def printed_by_rich(model: Model) -> str:
    console = rich.console.Console(file=io.StringIO(), width=100)
    console.print(model)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("show", [str, pprint.pformat, printed_by_rich], ids=["print", "pprint", "rich"])
def test_all_is_printed_without_what_is_none(show: Callable[[Model], str]) -> None:
    text = show(CLUSTER)
    assert "tag19" in text
    assert "first_on_demand=1" in text
    assert "None" not in text
    assert SECRET not in text
    assert "task999" in show(RUN)
    assert max(map(len, text.splitlines())) < 130


def test_pprint_shows_models_in_lists() -> None:
    assert "tag19" in pprint.pformat([CLUSTER, CLUSTER])


def test_a_notebook_shows_a_table() -> None:
    table = CLUSTER._repr_html_()
    assert table.startswith("<table>")
    assert "&lt;b&gt;etl&lt;/b&gt; &amp; more" in table
    assert "<b>" not in table
    assert SECRET not in table
    assert len(RUN._repr_html_()) < 2000


async def test_listings_downloads_and_pages_show_themselves(w: WorkspaceClient, workspace: LocalWorkspace) -> None:
    assert repr(w.jobs.list()).startswith("<Pager of GET /api/2.2/jobs/list")
    assert repr(w.workspace.download("/a b")).startswith("<Download of /a b")
    for index in range(3):
        await w.jobs.create(name=f"job {index}")
    pages = [page async for page in w.jobs.list(page_size=2).pages()]
    assert [repr(page) for page in pages] == ["<Page of 2 items, more to come>", "<Page of 1 items, the last one>"]
    assert "<caption>Page of 2 items, more to come</caption>" in pages[0]._repr_html_()
    assert "next_page_token" in pages[0]._repr_html_()
    assert "jobs/list" in w.jobs.list()._repr_html_()
    assert ">/&lt;b&gt;<" in w.workspace.download("/<b>")._repr_html_()
    assert len(repr(w.workspace.download("/" + "long" * 500))) < 400


async def test_a_long_page_shows_its_first_items() -> None:
    table = Page([CLUSTER] * 500)._repr_html_()
    assert "490 more" in table
    assert "&lt;b&gt;etl&lt;/b&gt;" in table
    assert SECRET not in table
    assert len(table) < 5000


async def test_calls_and_faults_show_themselves(w: WorkspaceClient, workspace: LocalWorkspace) -> None:
    created = await w.clusters.create(
        spark_version="15.4.x-scala2.12",
        node_type_id="Standard_DS3_v2",
        num_workers=1,
        cluster_name="<b>etl</b>",
        spark_env_vars={"PASSWORD": SECRET},
    )
    workspace.faults.add("GET *", Fault.error(404, "RESOURCE_DOES_NOT_EXIST", SECRET, after=True, latency=0.001))
    with pytest.raises(ResourceDoesNotExist):
        await w.clusters.get(created.cluster_id)
    create, get = workspace.journal.entries
    assert repr(get) == f"<Call {get.endpoint}: 404, cluster_id={created.cluster_id!r}, fault='answer 404 after'>"
    assert repr(create).startswith(f"<Call {create.endpoint}: 200, ")
    assert "cluster_name='<b>etl</b>'" in repr(create)
    assert "&lt;b&gt;etl&lt;/b&gt;" in create._repr_html_()
    assert get.user is not None
    assert get.user in get._repr_html_()
    for text in (repr(create), create._repr_html_()):
        assert SECRET not in text
        assert workspace.token not in text


def test_a_call_is_a_short_line() -> None:
    call = Call("GET /" + "x" * 999, 0, 0.0, {}, {"path": "y" * 999}, b"raw", unknown=["z" * 999])
    assert len(repr(call)) < 400
    assert "3 bytes" not in repr(call)


def test_a_fault_says_what_it_does() -> None:
    fault = Fault.answer(503, f"<b>{SECRET}", {"X-<Header>": SECRET}, latency=2.5)
    assert repr(fault) == "<Fault answer 503, 2.5 s>"
    assert "X-&lt;Header&gt;" in fault._repr_html_()
    assert SECRET not in fault._repr_html_()
    assert repr(Fault.drop(after=True)) == "<Fault drop after>"


def test_a_model_is_json_to_everybody() -> None:
    assert dict(CLUSTER) == CLUSTER.as_dict()
    assert json.loads(json.dumps([CLUSTER], default=Model.as_dict)) == [CLUSTER.as_dict()]
    assert orjson.loads(orjson.dumps([CLUSTER], default=Model.as_dict)) == [CLUSTER.as_dict()]


def test_a_model_is_a_value() -> None:
    for same in (copy.copy(CLUSTER), copy.deepcopy(CLUSTER), pickle.loads(pickle.dumps(CLUSTER))):
        assert same == CLUSTER
        assert same is not CLUSTER
    assert attrs.evolve(CLUSTER, num_workers=1) != CLUSTER


# --- FastAPI

APP = FastAPI()


@APP.get("/annotated")
async def annotated() -> ClusterDetails:
    return CLUSTER


@APP.get("/list")
async def listed() -> list[ClusterDetails]:
    return [CLUSTER, CLUSTER]


@APP.get("/plain", response_model=None)
async def plain() -> Any:
    return CLUSTER


@APP.get("/plain-list")
async def plain_list():  # type: ignore[no-untyped-def]
    return [CLUSTER]


@APP.post("/spec")
async def taken(spec: Annotated[ClusterSpec, Body()]) -> ClusterSpec:
    assert isinstance(spec, ClusterSpec)
    return spec


class Order(pydantic.BaseModel):
    """A model of pydantic that holds ours."""

    task: Task
    clusters: list[ClusterSpec]


@APP.post("/order")
async def ordered(order: Order) -> Task:
    assert isinstance(order.clusters[0], ClusterSpec)
    return order.task


async def test_fastapi_returns_models() -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(APP), base_url="http://app") as http:
        assert (await http.get("/annotated")).json() == CLUSTER.as_dict()
        assert (await http.get("/list")).json() == [CLUSTER.as_dict()] * 2
        assert (await http.get("/plain")).json() == CLUSTER.as_dict()
        assert (await http.get("/plain-list")).json() == [CLUSTER.as_dict()]
        spec = {"num_workers": 1, "autoscale": {"min_workers": 1}, "of_tomorrow": [1]}
        assert (await http.post("/spec", json=spec)).json() == spec
        assert (await http.post("/spec", json={"num_workers": "many"})).status_code == 422
        misspelt = await http.post("/spec", json={"num_worker": 1})
        assert (misspelt.status_code, "did you mean 'num_workers'?" in misspelt.text) == (422, True)
        task = {"task_key": "each", "for_each_task": {"inputs": "[1]", "task": {"task_key": "one"}}}
        assert (await http.post("/order", json={"task": task, "clusters": [spec]})).json() == task


def test_openapi_describes_models_and_those_within_them() -> None:
    api = APP.openapi()
    schemas = api["components"]["schemas"]

    def named(schema: dict[str, Any]) -> dict[str, Any]:
        return schemas[schema["$ref"].removeprefix("#/components/schemas/")]  # type: ignore[no-any-return]

    def answer(path: str) -> dict[str, Any]:
        return api["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]  # type: ignore[no-any-return]

    schema = named(answer("/annotated"))
    assert schema["title"] == "ClusterDetails"
    assert schema["properties"]["cluster_id"]["type"] == "string"
    assert schema["properties"]["autotermination_minutes"]["description"].startswith("Minutes without work")
    assert "RUNNING" in schema["properties"]["state"]["examples"]
    assert named(schema["properties"]["autoscale"])["properties"]["min_workers"]["type"] == "integer"
    assert named(answer("/list")["items"]) is schema
    body = api["paths"]["/order"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    task = named(named(body)["properties"]["task"])
    assert task["required"] == ["task_key"]
    assert named(named(task["properties"]["for_each_task"])["properties"]["task"]) is task  # it may hold itself


# --- times


@pytest.mark.parametrize(
    "call",
    [
        lambda w, time: w.clusters.events("id", start_time=time),
        lambda w, time: w.clusters.events("id", end_time=time),
        lambda w, time: w.jobs.list_runs(start_time_from=time),
        lambda w, time: w.jobs.list_runs(start_time_to=time),
        lambda w, time: w.workspace.list("/", notebooks_modified_after=time),
    ],
)
def test_moments_are_taken_alike(w: WorkspaceClient, call: Callable[[WorkspaceClient, Any], object]) -> None:
    call(w, datetime.now(UTC))
    call(w, 1758645728123)
    with pytest.raises(ValueError, match="no time zone: write "):
        call(w, datetime(2025, 9, 23))
    with pytest.raises(TypeError, match="not float: write "):
        call(w, 1758645728.123)


async def test_the_time_of_an_event_can_be_asked_with(w: WorkspaceClient, workspace: LocalWorkspace) -> None:
    cluster = await w.clusters.create(spark_version="15.4.x-scala2.12", node_type_id="Standard_DS3_v2", num_workers=1)
    workspace.clock.advance(3600)
    events = await w.clusters.events(cluster.cluster_id).collect()
    (first, *_) = reversed(events)
    assert first.time is not None
    again = await w.clusters.events(cluster.cluster_id, end_time=first.time, start_time=first.time).collect()
    assert again[-1].timestamp == first.timestamp
    assert await w.clusters.events(cluster.cluster_id, end_time=first.time - timedelta(days=1)).collect() == []


def test_each_field_of_epoch_milliseconds_has_a_datetime_by_one_rule() -> None:
    found = 0
    for kind in public_models():
        for field, doc in field_docs(kind).items():
            if doc.startswith("Epoch milliseconds"):
                found += 1
                assert isinstance(getattr(kind, name_of_moment(field), None), property), (kind, field)
    assert found > 20


def test_datetimes_are_called_after_their_fields() -> None:
    assert CLUSTER.start == datetime(2025, 9, 23, 16, 42, 8, 123_000, UTC)
    assert ClusterEvent(cluster_id="id", timestamp=1).time == datetime(1970, 1, 1, 0, 0, 0, 1000, UTC)
    assert ObjectInfo(created_at=1000, modified_at=2000).modified == datetime(1970, 1, 1, 0, 0, 2, 0, UTC)
    assert CLUSTER.terminated is None


# --- pages of events


async def test_pages_of_events_say_how_many_there_are(w: WorkspaceClient, workspace: LocalWorkspace) -> None:
    cluster = await w.clusters.create(spark_version="15.4.x-scala2.12", node_type_id="Standard_DS3_v2", num_workers=1)
    workspace.clock.advance(3600)
    pages = [page async for page in w.clusters.events(cluster.cluster_id, page_size=1).pages()]
    assert len(pages) > 1
    assert pages[0].prev_page_token is None
    assert pages[1].prev_page_token is not None
    back = w.clusters.events(cluster.cluster_id, page_size=1, page_token=pages[1].prev_page_token)
    assert (await anext(back.pages())).items == pages[0].items
    assert {page.total_count for page in pages} <= {None, len(pages)}
