"""Cluster policies: what they fill in, what they refuse, and how they are made.

Covers `local/clusters/policy_endpoints.py` too.
"""

from __future__ import annotations

import json

import pytest
from databricks.sdk import WorkspaceClient as OfficialClient

SPEC = {"cluster_name": "p", "spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}
DEFINITION = {
    "spark_version": {"type": "unlimited", "defaultValue": "auto:latest-lts"},
    "node_type_id": {
        "type": "allowlist",
        "values": ["Standard_DS3_v2", "Standard_DS4_v2"],
        "defaultValue": "Standard_DS4_v2",
    },
    "autotermination_minutes": {"type": "range", "minValue": 10, "maxValue": 60, "defaultValue": 30},
    "custom_tags.team": {"type": "fixed", "value": "data"},
    "spark_conf.spark.databricks.io.cache.enabled": {"type": "fixed", "value": "true", "hidden": True},
    "azure_attributes.first_on_demand": {"type": "fixed", "value": 2},
    "azure_attributes.availability": {"type": "fixed", "value": "SPOT_WITH_FALLBACK_AZURE"},
    "autoscale.min_workers": {"type": "unlimited", "defaultValue": 1},
    "autoscale.max_workers": {"type": "range", "maxValue": 10, "defaultValue": 4, "isOptional": True},
    "init_scripts.0.workspace.destination": {"type": "unlimited", "defaultValue": "/Shared/init.sh"},
    "dbus_per_hour": {"type": "range", "maxValue": 10},
}


async def made(wire, **spec):
    status, answer = await wire.post("/api/2.1/clusters/create", **spec)
    assert status == 200, answer
    return await wire.cluster(answer["cluster_id"])


async def test_defaults_are_for_those_who_ask_and_fixed_values_for_all(wire, workspace):
    """`apply_policy_default_values`; what the request has itself stays, and `spec` shows what was asked for."""
    policy = workspace.add_policy("small", DEFINITION)
    asked = {"cluster_name": "p", "policy_id": policy, "apply_policy_default_values": True}
    cluster = await made(wire, **asked)
    assert cluster["spark_version"] == cluster["effective_spark_version"] == "17.3.x-scala2.13"
    assert (cluster["node_type_id"], cluster["autotermination_minutes"]) == ("Standard_DS4_v2", 30)
    assert cluster["autoscale"] == {"min_workers": 1, "max_workers": 4}
    assert cluster["custom_tags"] == {"team": "data"}
    assert cluster["spark_conf"] == {"spark.databricks.io.cache.enabled": "true"}
    assert cluster["azure_attributes"]["availability"] == "SPOT_WITH_FALLBACK_AZURE"
    assert cluster["init_scripts"] == [{"workspace": {"destination": "/Shared/init.sh"}}]
    assert cluster["spec"] == asked

    cluster = await made(wire, **SPEC, autotermination_minutes=20, custom_tags={"a": "b"}, policy_id=policy)
    assert (cluster["spark_version"], cluster["node_type_id"]) == ("16.4.x-scala2.12", "Standard_DS3_v2")
    assert cluster["custom_tags"] == {"a": "b", "team": "data"}
    assert (cluster["num_workers"], "autoscale" in cluster) == (1, False)
    assert "init_scripts" not in cluster


@pytest.mark.parametrize(
    ("rule", "change", "said"),
    [
        ({"type": "fixed", "value": 20}, {"autotermination_minutes": 30}, 'must be 20 (is "30")'),
        ({"type": "range", "maxValue": 60}, {"autotermination_minutes": 90}, 'must be at most 60 (is "90")'),
        ({"type": "range", "minValue": 20}, {"autotermination_minutes": 10}, 'must be at least 20 (is "10")'),
        ({"type": "range", "minValue": 20}, {}, "must be present"),
        ({"type": "allowlist", "values": [20, 30]}, {"autotermination_minutes": 10}, 'must be one of 20, 30 (is "10")'),
        (
            {"type": "blocklist", "values": [0, 10]},
            {"autotermination_minutes": 10},
            'must not be one of 0, 10 (is "10")',
        ),
        (
            {"type": "regex", "pattern": "[1-3]0"},
            {"autotermination_minutes": 50},
            'must match the pattern [1-3]0 (is "50")',
        ),
        ({"type": "forbidden"}, {"autotermination_minutes": 50}, 'must not be present (is "50")'),
        ({"type": "unlimited", "isOptional": False}, {}, "must be present"),
        ({"type": "range", "maxValue": 60, "isOptional": True}, {}, None),
        ({"type": "forbidden"}, {}, None),
        ({"type": "regex", "pattern": "[1-3]0"}, {"autotermination_minutes": 20}, None),
    ],
)
async def test_what_breaks_a_rule_is_refused(wire, workspace, rule, change, said):
    """In the service's words, on create as on edit."""
    policy = workspace.add_policy("rule", json.dumps({"autotermination_minutes": rule}))
    cluster_id = (await made(wire, **SPEC))["cluster_id"]
    for path, extra in (("create", {}), ("edit", {"cluster_id": cluster_id})):
        wire.workspace.clock.advance(300)
        status, answer = await wire.post(f"/api/2.1/clusters/{path}", **SPEC, **extra, **change, policy_id=policy)
        if said is None:
            assert status == 200, answer
        else:
            expected = f"Cluster validation error: Validation failed for autotermination_minutes, the value {said}"
            assert (status, answer["message"]) == (400, expected)


async def test_a_policy_of_job_clusters_is_for_job_clusters(wire, jobs, workspace):
    """`cluster_type` is no setting of the cluster."""
    policy = workspace.add_policy(
        "jobs",
        {
            "cluster_type": {"type": "fixed", "value": "job"},
            "node_type_id": {"type": "fixed", "value": "Standard_DS4_v2"},
            "spark_version": {"type": "fixed", "value": "auto:latest-lts-ml"},
        },
    )
    status, answer = await wire.post("/api/2.1/clusters/create", num_workers=1, policy_id=policy)
    assert (status, answer["message"].partition(", ")[2]) == (400, 'the value must be job (is "all-purpose")')

    new = {"num_workers": 1, "policy_id": policy}
    task = {"task_key": "a", "notebook_task": {"notebook_path": "/Shared/a"}, "new_cluster": new}
    job_id = await jobs.create(task)
    run_id = await jobs.run_now(job_id)
    cluster_id = (await jobs.task(run_id, "a"))["cluster_instance"]["cluster_id"]
    cluster = await wire.cluster(cluster_id)
    assert (cluster["node_type_id"], cluster["spark_version"]) == ("Standard_DS4_v2", "17.3.x-cpu-ml-scala2.13")
    assert (await jobs.ok("GET", "get", job_id=job_id))["settings"]["tasks"][0]["new_cluster"]["policy_id"] == policy


async def test_a_policy_that_does_not_exist(wire, workspace):
    """Passes, and is noted, where there are no policies at all; else it is refused as the service does."""
    await made(wire, **SPEC, policy_id="other")
    assert workspace.journal.calls("POST *")[0].unchecked == ["policy_id"]
    workspace.add_policy("small", {}, policy_id="mine")
    await made(wire, **SPEC, policy_id="mine")
    assert workspace.journal.calls("POST *")[-1].unchecked == []
    status, answer = await wire.post("/api/2.1/clusters/create", **SPEC, policy_id="other")
    assert (status, answer["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert answer["message"] == "Can't find a cluster policy with id: other."


async def test_the_official_sdk_makes_and_changes_policies(workspace, monkeypatch):
    """create, get, list, edit, delete; errors of the definition are refused."""
    import asyncio

    def work():
        w = OfficialClient(host=workspace.url, token=workspace.token, auth_type="pat")
        policy_id = w.cluster_policies.create(name="a", definition=json.dumps(DEFINITION)).policy_id
        w.cluster_policies.edit(policy_id, name="b", definition="{}", max_clusters_per_user=2)
        found = w.cluster_policies.get(policy_id)
        listed = [policy.name for policy in w.cluster_policies.list()]
        w.cluster_policies.delete(policy_id)
        return found, listed, list(w.cluster_policies.list())

    found, listed, after = await asyncio.to_thread(work)
    assert (found.name, found.definition, found.max_clusters_per_user) == ("b", "{}", 2)
    assert (listed, after) == (["b"], [])


async def test_a_value_of_the_wrong_type_is_refused_like_one_of_a_request(wire, workspace):
    """Text that is a number is read as one."""
    rule = {"autotermination_minutes": {"type": "fixed", "value": "20"}}
    cluster = await made(wire, **SPEC, policy_id=workspace.add_policy("a", rule))
    assert cluster["autotermination_minutes"] == 20
    wrong = workspace.add_policy("b", {"num_workers": {"type": "fixed", "value": "many"}})
    status, answer = await wire.post("/api/2.1/clusters/create", **(SPEC | {"num_workers": None}), policy_id=wrong)
    assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize(
    "definition",
    ["{", "[]", '{"a": 1}', '{"a": {}}', '{"a": {"type": "odd"}}', '{"a": {"type": "regex", "pattern": "("}}'],
)
async def test_a_malformed_definition_is_refused(wire, workspace, definition):
    """By the endpoint with 400; by the method at once."""
    status, answer = await wire.post("/api/2.0/policies/clusters/create", name="x", definition=definition)
    assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    with pytest.raises(Exception, match="malformed"):
        workspace.add_policy("x", definition)
