"""Who may do what to jobs and runs."""

from __future__ import annotations

import pytest

ANN, BOB = "ann@example.com", "bob@example.com"


def notebook(key):
    return {"task_key": key, "notebook_task": {"notebook_path": "/nb"}}


@pytest.fixture
def people(workspace):
    workspace.add_user(ANN, "dapi-ann")
    workspace.add_user(BOB, "dapi-bob")


async def as_bob(jobs, method, path, **params):
    where = {"params": params} if method == "GET" else {"json": params}
    return (await jobs.wire.send(method, f"/api/2.2/jobs/{path}", token="dapi-bob", **where))[0]


async def test_the_creator_owns_a_job(jobs, people):
    """Admins may do everything."""
    status, created = await jobs.wire.post("/api/2.2/jobs/create", token="dapi-ann", tasks=[notebook("a")])
    granted = await jobs.wire.ok("GET", f"/api/2.0/permissions/jobs/{created['job_id']}")
    assert status == 200
    assert granted == {
        "object_id": f"/jobs/{created['job_id']}",
        "object_type": "job",
        "access_control_list": [
            {
                "user_name": ANN,
                "display_name": ANN,
                "all_permissions": [{"permission_level": "IS_OWNER", "inherited": False}],
            },
            {
                "group_name": "admins",
                "all_permissions": [
                    {"permission_level": "CAN_MANAGE", "inherited": True, "inherited_from_object": ["/jobs/"]}
                ],
            },
        ],
    }


@pytest.mark.parametrize(
    ("level", "allowed"),
    [
        (None, set()),
        ("CAN_VIEW", {"get", "runs/get", "runs/get-output"}),
        ("CAN_MANAGE_RUN", {"get", "runs/get", "runs/get-output", "run-now", "runs/cancel", "runs/repair"}),
        (
            "CAN_MANAGE",
            {"get", "runs/get", "runs/get-output", "run-now", "runs/cancel", "runs/repair", "update", "runs/delete"},
        ),
    ],
)
async def test_levels(jobs, workspace, people, level, allowed):
    """Each includes the ones before it. Lists show what one may see."""
    acl = [{"user_name": BOB, "permission_level": level}] if level else []
    job_id = await jobs.create(notebook("a"), access_control_list=acl, max_concurrent_runs=9)
    run_id = await jobs.run_now(job_id)
    task_run_id = (await jobs.task(run_id, "a"))["run_id"]
    workspace.clock.advance(60)
    tried = [
        ("GET", "get", {"job_id": job_id}),
        ("GET", "runs/get", {"run_id": run_id}),
        ("GET", "runs/get-output", {"run_id": task_run_id}),
        ("POST", "run-now", {"job_id": job_id}),
        ("POST", "runs/cancel", {"run_id": run_id}),
        ("POST", "runs/repair", {"run_id": run_id, "rerun_tasks": ["a"]}),
        ("POST", "update", {"job_id": job_id}),
    ]
    found = {path: await as_bob(jobs, method, path, **params) for method, path, params in tried}
    workspace.clock.advance(60)
    found["runs/delete"] = await as_bob(jobs, "POST", "runs/delete", run_id=run_id)
    seen = (await jobs.wire.get("/api/2.2/jobs/list", token="dapi-bob"))[1].get("jobs", [])

    assert found == {path: 200 if path in allowed else 403 for path in found}
    assert len(seen) == (1 if level else 0)


async def test_permission_comes_before_existence(jobs, people):
    """What does not exist, or was deleted, is forbidden to all but admins."""
    job_id = await jobs.create(notebook("a"))
    await jobs.ok("POST", "delete", job_id=job_id)
    assert await as_bob(jobs, "GET", "get", job_id=job_id) == 403
    assert await as_bob(jobs, "GET", "get", job_id=12) == 403
    assert await as_bob(jobs, "GET", "runs/get", run_id=12) == 403


async def test_grants_are_set_and_updated(jobs, wire):
    """There is exactly one owner at all times, and it is no group."""
    path = f"/api/2.0/permissions/jobs/{await jobs.create(notebook('a'))}"
    owner = {"user_name": ANN, "permission_level": "IS_OWNER"}
    team = {"group_name": "team", "permission_level": "CAN_VIEW"}
    await wire.ok("PUT", path, access_control_list=[owner, team])
    bob = {"user_name": BOB, "permission_level": "IS_OWNER"}
    updated = await wire.ok("PATCH", path, access_control_list=[bob])
    principals = [
        (one.get("user_name") or one.get("group_name"), one["all_permissions"][0]["permission_level"])
        for one in updated["access_control_list"]
    ]

    assert principals == [("team", "CAN_VIEW"), (BOB, "IS_OWNER"), ("admins", "CAN_MANAGE")]
    assert await wire.ok("GET", path) == updated
    for wrong in ([team], [owner, bob], [team | {"permission_level": "IS_OWNER"}]):
        status, answer = await wire.send("PUT", path, json={"access_control_list": wrong})
        assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    status, _ = await wire.send("PATCH", path, json={"access_control_list": [bob | {"permission_level": "CAN_VIEW"}]})
    assert status == 400
    levels = (await wire.ok("GET", f"{path}/permissionLevels"))["permission_levels"]
    assert [one["permission_level"] for one in levels] == ["CAN_VIEW", "CAN_MANAGE_RUN", "CAN_MANAGE", "IS_OWNER"]


async def test_a_submitted_run_is_its_submitters(jobs, people):
    """Others see it where its access control list lets them."""
    hidden = await jobs.submit(notebook("a"))
    acl = [{"user_name": BOB, "permission_level": "CAN_VIEW"}]
    shared = await jobs.submit(notebook("a"), access_control_list=acl)
    assert [await as_bob(jobs, "GET", "runs/get", run_id=run_id) for run_id in (hidden, shared)] == [403, 200]


@pytest.mark.parametrize(("job_id", "status"), [("12", 400), ("x", 400)])
async def test_permissions_of_no_job(wire, job_id, status):
    """An admin is told that it does not exist."""
    assert (await wire.get(f"/api/2.0/permissions/jobs/{job_id}"))[0] == status
