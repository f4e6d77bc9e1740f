"""Get, change, edit: what a person once set is still there afterwards, whatever this version knows of it."""

from __future__ import annotations

import pytest

from databricks_async.clusters.models import ClusterSpec, State
from databricks_async.local import Fault

RICH = {
    "cluster_name": "rich",
    "spark_version": "16.4.x-scala2.12",
    "node_type_id": "Standard_DS3_v2",
    "driver_node_type_id": "Standard_DS4_v2",
    "autoscale": {"min_workers": 0, "max_workers": 8},
    "autotermination_minutes": 0,
    "azure_attributes": {"availability": "SPOT_WITH_FALLBACK_AZURE", "first_on_demand": 2, "spot_bid_max_price": 0.25},
    "cluster_log_conf": {"dbfs": {"destination": "dbfs:/logs"}},
    "custom_tags": {"team": "a", "global": "x"},
    "data_security_mode": "USER_ISOLATION",
    "docker_image": {"url": "example.azurecr.io/image", "basic_auth": {"username": "u", "password": "p"}},
    "enable_elastic_disk": False,
    "enable_local_disk_encryption": True,
    "init_scripts": [{"workspace": {"destination": "/a.sh"}}, {"volumes": {"destination": "/Volumes/b.sh"}}],
    "runtime_engine": "PHOTON",
    "spark_conf": {"spark.speculation": "true"},
    "spark_env_vars": {},
    "ssh_public_keys": [],
    "workload_type": {"clients": {"jobs": False, "notebooks": True}},
}
FINE = Fault.answer(200, b"{}", after=True)
"""The service of today does not know tomorrow's words: instead of its refusal."""


@pytest.fixture
async def rich(w, workspace):
    """A terminated cluster with much set, empty lists, zeros and false values included."""
    cluster_id = (await w.clusters.create(RICH)).cluster_id
    await w.clusters.delete(cluster_id)
    workspace.clock.advance(30)
    return cluster_id


@pytest.fixture
def body(w, workspace):
    """Edits a cluster with the specification from its description, and returns the body that was sent."""

    async def body(cluster_id, **changes):
        spec = (await w.clusters.get(cluster_id)).to_spec()
        for name, value in changes.items():
            setattr(spec, name, value)
        await w.clusters.edit(cluster_id, spec)
        sent = dict(workspace.journal.calls("POST /api/{v}/clusters/edit")[-1].body)
        assert sent.pop("cluster_id") == cluster_id
        return sent

    return body


async def test_an_edit_with_the_spec_of_a_cluster_changes_nothing(w, rich, body):
    """Twice over: no field is lost, none is added, and no default becomes a setting."""
    before = await w.clusters.get(rich)
    assert await body(rich) == RICH
    assert await body(rich) == RICH
    assert await w.clusters.get(rich) == before
    assert before.to_spec() == ClusterSpec.from_dict(RICH)


async def test_only_what_was_changed_changes(w, rich, body):
    """One field set, one emptied, one taken away."""
    sent = await body(rich, autotermination_minutes=30, custom_tags={}, docker_image=None)
    expected = {name: value for name, value in RICH.items() if name != "docker_image"}
    assert sent == expected | {"autotermination_minutes": 30, "custom_tags": {}}

    cluster = await w.clusters.get(rich)
    assert (cluster.autotermination_minutes, cluster.custom_tags, cluster.docker_image) == (30, {}, None)
    assert cluster.state == State.TERMINATED


async def test_settings_from_tomorrow_are_sent_back(w, workspace, rich, body):
    """New fields at any depth and new words of any list of words."""
    tomorrow = RICH | {
        "gravity": {"level": 3, "axes": ["x", None]},
        "kind": "QUANTUM",
        "data_security_mode": "TELEPATHIC",
        "azure_attributes": RICH["azure_attributes"] | {"availability": "MOON", "crater": 7},
        "init_scripts": [{"orbit": {"destination": "/a.sh", "height": 1}}],
    }
    workspace.overlay(rich, spec=tomorrow)
    cluster = await w.clusters.get(rich)
    assert (cluster.spec.kind, cluster.spec.kind.is_known) == ("QUANTUM", False)

    workspace.faults.add("POST /api/{v}/clusters/edit", FINE)
    assert await body(rich) == tomorrow
    workspace.journal.clear()


async def test_a_service_that_does_not_tell_the_spec_is_asked_for_the_same_cluster(w, workspace, rich, body):
    """Made from the description then: what a person can set, and what is unknown; not what the service only reports."""
    workspace.overlay(rich, spec=None, gravity=3, num_workers=4)
    workspace.faults.add("POST /api/{v}/clusters/edit", FINE)
    told = {name: value for name, value in RICH.items() if value != []}  # answers have no empty lists
    assert await body(rich) == told | {"gravity": 3}
    workspace.journal.clear()


async def test_a_cluster_from_a_pool_is_asked_for_without_what_the_pool_gives(w, workspace, make, body):
    """The service reports a node type, and refuses one together with a pool."""
    cluster_id = await make.terminated()
    workspace.overlay(cluster_id, spec=None, instance_pool_id="pool-1")
    assert await body(cluster_id) == {
        "cluster_name": "etl",
        "spark_version": "16.4.x-scala2.12",
        "num_workers": 2,
        "instance_pool_id": "pool-1",
        "autotermination_minutes": 0,
        "azure_attributes": {"availability": "ON_DEMAND_AZURE", "first_on_demand": 1, "spot_bid_max_price": -1.0},
        "enable_local_disk_encryption": False,
    }


async def test_the_spec_is_a_copy(w, rich):
    """Changing it does not change what was read."""
    cluster = await w.clusters.get(rich)
    spec = cluster.to_spec()
    spec.autoscale.max_workers = 99
    spec.custom_tags["team"] = "b"
    assert cluster == await w.clusters.get(rich)
