"""What cannot be right is refused before anything is sent, and the message says what to change."""

from __future__ import annotations

import re

import aiohttp
import pytest

from databricks_async.clusters.models import ClusterSpec
from databricks_async.errors import DatabricksError, NotFound

SPEC = {"spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}
BOTH_SIZES = {"num_workers": 1, "autoscale": {"min_workers": 1, "max_workers": 2}}
BY_ID = [
    "get",
    "start",
    "restart",
    "delete",
    "permanent_delete",
    "pin",
    "unpin",
    "ensure_cluster_is_running",
    "get_permissions",
    "get_permission_levels",
]
WITH_MORE = {
    "edit": {"spec": SPEC},
    "update": {"update_mask": "*"},
    "resize": {"num_workers": 1},
    "change_owner": {"owner_username": "ann@example.com"},
    "set_permissions": {"access_control_list": []},
    "update_permissions": {"access_control_list": []},
}
NOT_ASYNC = ["events", "watch", "wait_running", "wait_terminated"]


@pytest.fixture(autouse=True)
def nothing_was_sent(request, workspace):
    """Holds for every test that does not ask for a `strange_id`."""
    yield
    if "strange_id" not in request.fixturenames:
        assert workspace.journal.entries == []


async def call(w, method, cluster_id):
    """One operation on a cluster, with whatever else it needs."""
    more = dict(WITH_MORE.get(method, {}))
    positional = [more.pop("spec")] if "spec" in more else []
    called = getattr(w.clusters, method)(cluster_id, *positional, **more)
    return called if method in NOT_ASYNC else await called


@pytest.mark.parametrize("method", [*BY_ID, *WITH_MORE, *NOT_ASYNC])
@pytest.mark.parametrize(
    ("cluster_id", "error", "says"),
    [
        ("", ValueError, "cluster_id is empty"),
        (" \n", ValueError, "cluster_id is empty"),
        (None, TypeError, "cluster_id must be a str, not NoneType"),
        (7, TypeError, "cluster_id must be a str, not int"),
        (b"0923", TypeError, "cluster_id must be a str, not bytes"),
    ],
)
async def test_an_id_is_text_and_not_empty(w, method, cluster_id, error, says):
    """In every operation that takes one."""
    with pytest.raises(error, match=says):
        await call(w, method, cluster_id)


@pytest.mark.parametrize("method", ["get_permissions", "get_permission_levels", "set_permissions"])
@pytest.mark.parametrize("cluster_id", [".", ".."])
async def test_an_id_in_a_path_cannot_climb(w, method, cluster_id):
    """These two would change the path however they are written."""
    with pytest.raises(ValueError, match=re.escape(f"cluster_id cannot be {cluster_id!r}")):
        await call(w, method, cluster_id)


@pytest.fixture(
    params=["a/b", "a?b=c", "../../2.1/clusters/list", "%2e%2e", "a#b", "a&cluster_id=b", "a\r\nX: y", "ä b"]
)
def strange_id(request, workspace):
    """An id that means something else in a URL; no cluster has it."""
    yield request.param
    workspace.journal.clear()


async def test_a_strange_id_stays_one_segment_of_its_path(connect, strange_id):
    """Whatever it holds, the rest of the path and the query stay what they are."""
    urls = []

    async def note(session, context, params):
        urls.append(params.url)

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(note)
    with pytest.raises(DatabricksError):
        await connect(trace_configs=[trace]).clusters.get_permissions(strange_id)

    (url,) = urls
    before, _, segment = url.raw_path.rpartition("/")
    assert (before, url.raw_query_string, url.raw_fragment) == ("/api/2.0/permissions/clusters", "", "")
    assert url.parts[-1] == strange_id
    assert re.fullmatch(r"[\w.%~-]+", segment)


async def test_a_strange_id_stays_one_value_of_its_query(w, workspace, strange_id):
    """The service reads the very id that was given, and no other parameter."""
    with pytest.raises(NotFound):
        await w.clusters.get(strange_id)
    (call,) = workspace.journal.entries
    assert (call.endpoint, call.query) == ("GET /api/2.1/clusters/get", {"cluster_id": strange_id})


MISSPELT = [
    ("spark_versoin", "16.4.x-scala2.12", "spark_version"),
    ("num_worker", 2, "num_workers"),
    ("node_type", "Standard_DS3_v2", "node_type_id"),
]


@pytest.mark.parametrize(("wrong", "value", "right"), MISSPELT)
async def test_a_misspelt_keyword_is_refused_with_the_nearest_right_one(w, wrong, value, right):
    """By create, edit and the model itself."""
    spec = {name: one for name, one in SPEC.items() if name != right} | {wrong: value}
    for attempt in (
        lambda: w.clusters.create(**spec),
        lambda: w.clusters.create_and_wait(**spec, timeout=1),
        lambda: w.clusters.edit("0923-164208-meows279", **spec),
        lambda: ClusterSpec(**spec),
    ):
        with pytest.raises(
            TypeError, match=f"(ClusterSpec|CreateCluster) has no field '{wrong}': did you mean '{right}'"
        ):
            await attempt()


@pytest.mark.parametrize(("wrong", "value", "right"), MISSPELT[:2])
async def test_a_misspelt_name_in_a_mapping_is_refused_with_the_nearest_right_one(w, wrong, value, right):
    """By create, edit and update, though a mapping may hold names that this version does not know."""
    spec = {name: one for name, one in SPEC.items() if name != right} | {wrong: value}
    for attempt in (
        lambda: w.clusters.create(spec),
        lambda: w.clusters.edit("0923-164208-meows279", spec),
        lambda: w.clusters.update("0923-164208-meows279", "*", spec),
    ):
        with pytest.raises(ValueError, match=f"has no field '{wrong}': did you mean '{right}'"):
            await attempt()


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"num_workers": "two"}, r"\$\.num_workers: expected a whole number, got text"),
        ({"num_workers": 1.5}, r"\$\.num_workers: expected a whole number"),
        ({"enable_elastic_disk": 1}, r"\$\.enable_elastic_disk: expected true or false, got the number 1"),
        ({"custom_tags": {"a": []}}, r"\$\.custom_tags\.a: expected text, got a list"),
        ({"num_workers": None, "autoscale": [1, 2]}, r"\$\.autoscale: expected an object, got a list"),
        (
            {"init_scripts": [{"workspace": {"destination": "/a"}}, {"workspace": {"destination": 5}}]},
            r"\$\.init_scripts\[1\]\.workspace\.destination: expected text, got the number 5",
        ),
        ({"workload_type": {}}, r"\$\.workload_type\.clients: expected an object, got nothing"),
        ({"azure_attributes": {"availabilty": "SPOT_AZURE"}}, "did you mean 'availability'"),
    ],
)
async def test_a_value_of_another_type_is_refused_by_its_place(w, spec, says):
    """From a mapping and from keywords alike."""
    given = SPEC | spec
    with pytest.raises(ValueError, match=says):
        await w.clusters.create(given)
    with pytest.raises(ValueError, match=says):
        await w.clusters.create(**given)


async def test_a_cluster_has_one_size(w):
    """`num_workers` and `autoscale` together are refused in all forms, and by edit, update and resize too."""
    spec = SPEC | BOTH_SIZES
    cluster_id = "0923-164208-meows279"
    for attempt in (
        lambda: w.clusters.create(spec),
        lambda: w.clusters.create(**spec),
        lambda: w.clusters.create(ClusterSpec(**spec)),
        lambda: w.clusters.edit(cluster_id, spec),
        lambda: w.clusters.update(cluster_id, "*", BOTH_SIZES),
        lambda: w.clusters.resize(cluster_id, **BOTH_SIZES),
    ):
        with pytest.raises(ValueError, match="num_workers or autoscale, not both"):
            await attempt()


async def test_a_model_changed_into_two_sizes_is_refused_too(w):
    """Models may be changed after they were made: they are checked when they are sent."""
    spec = ClusterSpec.from_dict(SPEC)
    spec.autoscale = ClusterSpec.from_dict(SPEC | BOTH_SIZES).autoscale
    with pytest.raises(ValueError, match="num_workers or autoscale, not both"):
        await w.clusters.create(spec)


async def test_a_specification_is_given_once(w):
    """As a model or mapping, or as keywords, but not half and half; and not as nothing at all."""
    with pytest.raises(TypeError, match="not two of them"):
        await w.clusters.create(SPEC, num_workers=2)
    with pytest.raises(ValueError, match="a cluster needs a spark_version"):
        await w.clusters.create()
    with pytest.raises(ValueError, match="expected an object, got text"):
        await w.clusters.create("16.4.x-scala2.12")


async def test_what_is_cloned_has_an_id(w):
    """The id itself is not enough."""
    for clone_from in ("0923-164208-meows279", {"source_cluster": "0923-164208-meows279"}, {}):
        with pytest.raises(ValueError, match=r"expected an object|source_cluster_id"):
            await w.clusters.create(SPEC, clone_from=clone_from)


async def test_resize_needs_a_size(w):
    """One of the two."""
    with pytest.raises(ValueError, match="resize needs num_workers or autoscale"):
        await w.clusters.resize("0923-164208-meows279")


@pytest.mark.parametrize(("mask", "error"), [("", ValueError), (["num_workers"], TypeError)])
async def test_an_update_mask_is_text(w, mask, error):
    """Comma-separated, not a list, and not empty: an update of nothing is a mistake."""
    with pytest.raises(error, match="update_mask"):
        await w.clusters.update("0923-164208-meows279", mask, {"num_workers": 1})


async def test_an_owner_has_a_name(w):
    """A new owner is a user's name, not a user."""
    with pytest.raises(ValueError, match="owner_username is empty"):
        await w.clusters.change_owner("0923-164208-meows279", "")


@pytest.mark.parametrize("size", [0, -1, 501, 1.0, "50", True])
async def test_a_page_has_a_possible_size(w, size):
    """1 to 500 events, 1 to 100 clusters, as whole numbers."""
    with pytest.raises(ValueError, match="page_size must be a whole number from 1 to 500"):
        w.clusters.events("0923-164208-meows279", page_size=size)
    with pytest.raises(ValueError, match="page_size must be a whole number from 1 to 100"):
        w.clusters.list(page_size=size)


@pytest.mark.parametrize("count", [-1, 1.5, "10", True])
async def test_max_items_is_a_count(w, count):
    """Zero is one too."""
    with pytest.raises(ValueError, match="max_items must be a whole number"):
        w.clusters.events("0923-164208-meows279", max_items=count)
    with pytest.raises(ValueError, match="max_items must be a whole number"):
        w.clusters.list(max_items=count)
    assert await w.clusters.list(max_items=0).collect() == []


async def test_a_page_token_is_text(w):
    """Not the page that it came with."""
    with pytest.raises(TypeError, match="page_token must be a str, not dict"):
        w.clusters.events("0923-164208-meows279", page_token={"offset": 50})


@pytest.mark.parametrize("version", ["2.0"])
@pytest.mark.parametrize(
    "given", [{"filter_by": {"is_pinned": True}}, {"sort_by": {}}, {"page_size": 10}, {"page_token": "abc"}]
)
async def test_list_of_api_2_0_refuses_what_it_would_ignore(w, given):
    """Its list has no filters and no pages: leaving them out silently would give all clusters."""
    with pytest.raises(ValueError, match=r"clusters/list of API 2\.0 has no"):
        w.clusters.list(**given)


async def test_list_of_api_2_1_refuses_what_it_would_ignore(w):
    """`can_use_client` is of 2.0 only."""
    with pytest.raises(ValueError, match=r"clusters/list of API 2\.1 has no can_use_client"):
        w.clusters.list(can_use_client="JOBS")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"filter_by": {"is_pined": True}}, "did you mean 'is_pinned'"),
        ({"filter_by": {"is_pinned": "yes"}}, r"\$\.is_pinned: expected true or false, got text"),
        ({"filter_by": {"cluster_states": "RUNNING"}}, r"\$\.cluster_states: expected a list, got text"),
        ({"sort_by": {"feild": "DEFAULT"}}, "did you mean 'field'"),
    ],
)
async def test_a_filter_is_checked_like_a_body(w, given, says):
    """Misspelt names and wrong types would list everything."""
    with pytest.raises(ValueError, match=says):
        w.clusters.list(**given)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"user_name": "ann", "permision_level": "CAN_MANAGE"}, "did you mean 'permission_level'"),
        ({"user_name": 5}, r"\$\.access_control_list\[1\]\.user_name: expected text, got the number 5"),
        ("ann", r"\$\.access_control_list\[1\]: expected an object, got text"),
    ],
)
async def test_a_permission_is_refused_by_its_place_in_the_list(w, entry, says):
    """The first one is right, the second is not."""
    entries = [{"group_name": "users", "permission_level": "CAN_RESTART"}, entry]
    for method in (w.clusters.set_permissions, w.clusters.update_permissions):
        with pytest.raises(ValueError, match=says):
            await method("0923-164208-meows279", entries)


@pytest.mark.parametrize(
    ("method", "criteria", "says"),
    [
        ("select_spark_version", {"long_term_suport": True}, "'long_term_suport': did you mean 'long_term_support'"),
        ("select_spark_version", {"zzz": True}, "no criterion 'zzz': there are beta, genomics, gpu"),
        ("select_spark_version", {"scala": 2.12}, "scala must be str, not float"),
        ("select_spark_version", {"ml": "true"}, "ml must be bool, not str"),
        ("select_node_type", {"min_core": 4}, "'min_core': did you mean 'min_cores'"),
        ("select_node_type", {"min_memory_gb": "16"}, "min_memory_gb must be int, not str"),
    ],
)
async def test_a_criterion_is_checked_before_the_catalogue_is_read(w, method, criteria, says):
    """A misspelt one would choose another machine than was meant."""
    with pytest.raises(TypeError, match=says):
        await getattr(w.clusters, method)(**criteria)


@pytest.mark.parametrize("timeout", ["5", True, [1]])
async def test_a_timeout_is_checked_before_a_cluster_is_made(w, timeout):
    """Not when it is time to wait."""
    cluster_id = "0923-164208-meows279"
    for attempt in (
        lambda: w.clusters.create_and_wait(SPEC, timeout=timeout),
        lambda: w.clusters.edit_and_wait(cluster_id, SPEC, timeout=timeout),
        lambda: w.clusters.restart_and_wait(cluster_id, timeout=timeout),
        lambda: w.clusters.ensure_cluster_is_running(cluster_id, timeout=timeout),
        lambda: w.clusters.wait_running(cluster_id).result(timeout),
    ):
        with pytest.raises(TypeError, match="timeout must be seconds, a timedelta or None"):
            await attempt()


async def test_a_model_is_checked_like_a_mapping(w, workspace):
    """What it holds may have been changed to anything: the error names the place, and nothing is sent."""
    spec = ClusterSpec(spark_version="16.4.x-scala2.12", node_type_id="Standard_DS3_v2", num_workers=2, spark_conf={})
    spec.spark_conf["spark.speculation"] = [True]
    with pytest.raises(ValueError, match=r"\$\.spark_conf\['spark\.speculation'\]"):
        await w.clusters.create(spec)
    assert workspace.journal.count() == 0
