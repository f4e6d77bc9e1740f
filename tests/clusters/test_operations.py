"""Every operation of the Clusters API: what goes over the wire, and what it does to the service.

Here are the tests of `clusters/api.py`.
"""

from __future__ import annotations

import pytest

from databricks_async.clusters.models import AutoScale, CloneCluster, ClusterSpec, State, UpdateClusterResource
from databricks_async.errors import ResourceDoesNotExist

pytestmark = pytest.mark.parametrize("version", ["2.0", "2.1"])


@pytest.fixture
def sent(workspace, version):
    """What the last request to an endpoint carried: its body, or its query."""

    def sent(line):
        call = workspace.journal.calls(line.replace("{v}", version))[-1]
        return call.query if call.body is None else call.body

    return sent


async def test_create(w, workspace, make, sent, spec):
    """A new cluster is PENDING and has what was asked for; the wait knows its id and nothing else is sent."""
    wait = await w.clusters.create(spec)
    assert [call.status for call in workspace.journal.entries] == [200]
    assert sent("POST /api/{v}/clusters/create") == spec

    cluster = await w.clusters.get(wait.cluster_id)
    assert (cluster.state, cluster.cluster_name, cluster.num_workers) == (State.PENDING, "etl", 2)


async def test_create_gives_the_same_cluster_from_a_model_a_mapping_and_keywords(w, sent, spec):
    """Three ways to say it, one body on the wire."""
    spec |= {"autoscale": {"min_workers": 1, "max_workers": 3}, "custom_tags": {"team": "a"}, "spark_conf": {}}
    del spec["num_workers"]
    model = ClusterSpec(**spec | {"autoscale": AutoScale(min_workers=1, max_workers=3)})
    bodies, specs = [], []
    for given, keywords in ((model, {}), (spec, {}), (None, spec)):
        wait = await w.clusters.create(given, **keywords)
        bodies.append(sent("POST /api/{v}/clusters/create"))
        specs.append((await w.clusters.get(wait.cluster_id)).to_spec())

    assert bodies == [spec, spec, spec]
    assert specs == [model, model, model]


@pytest.mark.parametrize("form", ["model", "mapping", "in the spec", "and wait"])
async def test_create_with_the_libraries_of_another_cluster(w, workspace, make, sent, spec, form):
    """`clone_from`, in all forms that a specification has."""
    source = await make.running()
    await w.libraries.install(source, [{"whl": "/Workspace/etl.whl"}])
    clone_from = {"source_cluster_id": source}
    if form == "model":
        cluster_id = (await w.clusters.create(spec, clone_from=CloneCluster(source_cluster_id=source))).cluster_id
    elif form == "mapping":
        cluster_id = (await w.clusters.create(**spec, clone_from=clone_from)).cluster_id
    elif form == "in the spec":
        cluster_id = (await w.clusters.create(spec | {"clone_from": clone_from})).cluster_id
    else:
        workspace.timing.pending = 0.0
        cluster_id = (await w.clusters.create_and_wait(spec, clone_from=clone_from, timeout=5)).cluster_id

    assert sent("POST /api/{v}/clusters/create") == spec | {"clone_from": clone_from}
    assert [one.library.whl async for one in w.libraries.cluster_status(cluster_id)] == ["/Workspace/etl.whl"]


async def test_edit(w, workspace, make, sent, spec):
    """The whole specification is replaced: what the new one does not have is gone."""
    cluster_id = await make.terminated(custom_tags={"team": "a"})
    await w.clusters.edit(cluster_id, spec | {"num_workers": 5})
    cluster = await w.clusters.get(cluster_id)

    assert sent("POST /api/{v}/clusters/edit") == spec | {"num_workers": 5, "cluster_id": cluster_id}
    assert (cluster.num_workers, cluster.custom_tags, cluster.state) == (5, None, State.TERMINATED)


async def test_update(w, make, sent):
    """The fields of the mask are replaced, those without a value cleared, all others stay."""
    cluster_id = await make.terminated(custom_tags={"team": "a"}, autotermination_minutes=60)
    changes = UpdateClusterResource(autotermination_minutes=30)
    await w.clusters.update(cluster_id, "autotermination_minutes,custom_tags", changes)
    cluster = await w.clusters.get(cluster_id)

    assert sent("POST /api/{v}/clusters/update") == {
        "cluster_id": cluster_id,
        "update_mask": "autotermination_minutes,custom_tags",
        "cluster": {"autotermination_minutes": 30},
    }
    assert (cluster.autotermination_minutes, cluster.custom_tags, cluster.num_workers) == (30, None, 2)


async def test_update_without_a_cluster_clears_the_fields_of_the_mask(w, make, sent):
    """`cluster` may be left out altogether."""
    cluster_id = await make.terminated(custom_tags={"team": "a"})
    await w.clusters.update(cluster_id, "custom_tags")

    assert sent("POST /api/{v}/clusters/update") == {"cluster_id": cluster_id, "update_mask": "custom_tags"}
    assert (await w.clusters.get(cluster_id)).custom_tags is None


@pytest.mark.parametrize(
    "size",
    [{"num_workers": 0}, {"autoscale": AutoScale(min_workers=1, max_workers=8)}],
    ids=["fixed, no workers at all", "autoscale"],
)
async def test_resize(w, make, sent, size):
    """A running cluster gets the one size or the other."""
    cluster_id = await make.running()
    await w.clusters.resize(cluster_id, **size)
    cluster = await w.clusters.get(cluster_id)

    plain = {name: value if name == "num_workers" else value.as_dict() for name, value in size.items()}
    assert sent("POST /api/{v}/clusters/resize") == plain | {"cluster_id": cluster_id}
    assert cluster.state == State.RESIZING
    assert {name: getattr(cluster, name) for name in size} == size


async def test_change_owner(w, workspace, make, sent):
    """The new owner is the cluster's creator from then on."""
    cluster_id = await make.terminated()
    assert await w.clusters.change_owner(cluster_id, "ann@example.com") is None

    assert sent("POST /api/{v}/clusters/change-owner") == {
        "cluster_id": cluster_id,
        "owner_username": "ann@example.com",
    }
    assert (await w.clusters.get(cluster_id)).creator_user_name == "ann@example.com"


async def test_pin_and_unpin(w, workspace, make, sent):
    """A pinned cluster stays in listings after 30 days, an unpinned one does not."""
    cluster_id = await make.terminated()
    assert await w.clusters.pin(cluster_id) is None
    assert sent("POST /api/{v}/clusters/pin") == {"cluster_id": cluster_id}
    workspace.clock.advance(31 * 24 * 3600)
    assert [cluster.cluster_id async for cluster in w.clusters.list()] == [cluster_id]

    assert await w.clusters.unpin(cluster_id) is None
    assert sent("POST /api/{v}/clusters/unpin") == {"cluster_id": cluster_id}
    assert await w.clusters.list().collect() == []


async def test_start(w, make, sent):
    """A terminated cluster is on its way up."""
    cluster_id = await make.terminated()
    wait = await w.clusters.start(cluster_id)

    assert sent("POST /api/{v}/clusters/start") == {"cluster_id": cluster_id}
    assert wait.cluster_id == cluster_id
    assert (await w.clusters.get(cluster_id)).state == State.PENDING


@pytest.mark.parametrize("who", [{}, {"restart_user": "ann@example.com"}], ids=["caller", "another user"])
async def test_restart(w, make, sent, who):
    """A running cluster is RESTARTING, on behalf of the caller or of another user."""
    cluster_id = await make.running()
    await w.clusters.restart(cluster_id, **who)
    (event,) = await w.clusters.events(cluster_id, event_types=["RESTARTING"]).collect()

    assert sent("POST /api/{v}/clusters/restart") == {"cluster_id": cluster_id} | who
    assert (await w.clusters.get(cluster_id)).state == State.RESTARTING
    assert event.details.user == who.get("restart_user", "admin@example.com")


async def test_delete(w, workspace, make, sent):
    """A cluster is terminated, and can still be described."""
    cluster_id = await make.running()
    await w.clusters.delete(cluster_id)
    assert sent("POST /api/{v}/clusters/delete") == {"cluster_id": cluster_id}
    assert (await w.clusters.get(cluster_id)).state == State.TERMINATING

    workspace.clock.advance(30)
    cluster = await w.clusters.get(cluster_id)
    assert (cluster.state, cluster.termination_reason.code) == (State.TERMINATED, "USER_REQUEST")


async def test_permanent_delete(w, make, sent):
    """The cluster is gone."""
    cluster_id = await make.running()
    assert await w.clusters.permanent_delete(cluster_id) is None

    assert sent("POST /api/{v}/clusters/permanent-delete") == {"cluster_id": cluster_id}
    with pytest.raises(ResourceDoesNotExist, match=cluster_id):
        await w.clusters.get(cluster_id)


async def test_get(w, workspace, make, sent):
    """A description with times as epoch milliseconds and as datetimes."""
    cluster_id = await make.running()
    cluster = await w.clusters.get(cluster_id)

    assert sent("GET /api/{v}/clusters/get") == {"cluster_id": cluster_id}
    assert (cluster.cluster_id, cluster.state, len(cluster.executors)) == (cluster_id, State.RUNNING, 2)
    assert cluster.started_at.isoformat() == "2025-09-23T16:42:08+00:00"
    assert cluster.spec.cluster_name == "etl"


async def test_list(w, make):
    """All clusters, as `get` describes them."""
    ids = [await make.running(cluster_name="b"), await make.pending(cluster_name="a")]
    listed = await w.clusters.list().collect()

    assert [cluster.cluster_id for cluster in listed] == ids
    assert listed == [await w.clusters.get(cluster_id) for cluster_id in ids]


async def test_events(w, make, sent, version):
    """What happened to a cluster, the newest first, with typed details."""
    cluster_id = await make.running()
    events = await w.clusters.events(cluster_id).collect()

    page = {"limit": 50} if version == "2.0" else {"page_size": 500}
    assert sent("POST /api/{v}/clusters/events") == {"cluster_id": cluster_id} | page
    assert [event.type for event in events] == ["DRIVER_HEALTHY", "RUNNING", "CREATING"]
    assert events[-1].details.cluster_size.num_workers == 2
    assert events[-1].time.isoformat() == "2025-09-23T16:42:08+00:00"


async def test_list_zones(w):
    """The zones, and which is the default."""
    zones = await w.clusters.list_zones()
    assert (zones.zones, zones.default_zone) == (["1", "2", "3"], "1")


async def test_list_node_types(w):
    """The VM types, with their sizes."""
    types = {node.node_type_id: node for node in (await w.clusters.list_node_types()).node_types}
    assert (types["Standard_DS3_v2"].num_cores, types["Standard_DS3_v2"].memory_mb) == (4, 14336)
    assert types["Standard_F4s"].node_info.status == ["NotAvailableInRegion"]


async def test_spark_versions(w):
    """The runtimes, by key and name."""
    names = {version.key: version.name for version in (await w.clusters.spark_versions()).versions}
    assert names["16.4.x-scala2.12"] == "16.4 LTS (includes Apache Spark 3.5.2, Scala 2.12)"


async def test_get_permission_levels(w, make):
    """What can be given, explained."""
    levels = (await w.clusters.get_permission_levels(await make.pending())).permission_levels
    assert [level.permission_level for level in levels] == ["CAN_ATTACH_TO", "CAN_RESTART", "CAN_MANAGE"]
    assert all(level.description for level in levels)


async def test_get_set_and_update_permissions(w, make, workspace):
    """Set replaces the direct permissions, update adds to them, and each answers with the result."""
    cluster_id = await make.pending()

    def direct(permissions):
        return {
            entry.user_name: entry.all_permissions[0].permission_level
            for entry in permissions.access_control_list
            if not entry.all_permissions[0].inherited
        }

    assert direct(await w.clusters.get_permissions(cluster_id)) == {"admin@example.com": "CAN_MANAGE"}
    ann, bob = ({"user_name": f"{name}@example.com", "permission_level": "CAN_RESTART"} for name in ("ann", "bob"))
    assert direct(await w.clusters.set_permissions(cluster_id, [ann])) == {"ann@example.com": "CAN_RESTART"}
    assert workspace.journal.entries[-1].body == {"access_control_list": [ann]}

    updated = await w.clusters.update_permissions(cluster_id, [bob])
    assert direct(updated) == {"ann@example.com": "CAN_RESTART", "bob@example.com": "CAN_RESTART"}
    assert updated == await w.clusters.get_permissions(cluster_id)
    assert direct(await w.clusters.set_permissions(cluster_id, [])) == {}
    assert [call.endpoint.partition(" ")[0] for call in workspace.journal.entries[1:]] == [
        "GET",
        "PUT",
        "PATCH",
        "GET",
        "PUT",
    ]


async def test_every_method_with_and_wait_ends_where_its_operation_ends(w, workspace, spec):
    """The seven twins, one after the other, each with the state and the size that it asked for."""
    workspace.timing.pending = workspace.timing.restarting = workspace.timing.resizing = 0.0
    workspace.timing.terminating = 0.0
    clusters = w.clusters
    created = await clusters.create_and_wait(spec, timeout=5)
    cluster_id = created.cluster_id
    ends = [
        created,
        await clusters.edit_and_wait(cluster_id, spec | {"num_workers": 3}, timeout=5),
        await clusters.update_and_wait(cluster_id, "num_workers", {"num_workers": 4}, timeout=5),
        await clusters.resize_and_wait(cluster_id, num_workers=5, timeout=5),
        await clusters.restart_and_wait(cluster_id, timeout=5),
        await clusters.delete_and_wait(cluster_id, timeout=5),
        await clusters.start_and_wait(cluster_id, timeout=5),
    ]

    assert [(end.state.value, end.num_workers) for end in ends] == [
        ("RUNNING", 2),
        ("RUNNING", 3),
        ("RUNNING", 4),
        ("RUNNING", 5),
        ("RUNNING", 5),
        ("TERMINATED", 5),
        ("RUNNING", 5),
    ]
