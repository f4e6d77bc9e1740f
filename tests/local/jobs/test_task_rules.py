"""Tasks that the service refuses, by create, submit, reset and update alike; and their neighbours that it takes.

Covers `local/jobs/clusters.py`, `local/jobs/shapes.py` and `local/jobs/inert_shapes.py` too.
"""

from __future__ import annotations

import json

import pytest

NEW = {"spark_version": "16.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}
GIT = {"git_url": "https://example.com/r", "git_provider": "gitHub", "git_branch": "main"}
ENVIRONMENTS = [{"environment_key": "e", "spec": {"environment_version": "2"}}]
EMAIL = {"on_failure": ["ann@example.com"]}


def notebook(key="t", path="/Shared/one", source=None, **settings):
    where = {"source": source} if source else {}
    return {"task_key": key, "notebook_task": {"notebook_path": path, **where}, **settings}


def python(file="/f.py", source=None, **settings):
    where = {"source": source} if source else {}
    return {"task_key": "t", "spark_python_task": {"python_file": file, **where}, "environment_key": "e", **settings}


def wheel(**settings):
    return {"task_key": "t", "python_wheel_task": {"package_name": "p", "entry_point": "e"}, **settings}


def sql(path, source=None):
    file = {"path": path, **({"source": source} if source else {})}
    return {"task_key": "t", "sql_task": {"warehouse_id": "w", "file": file}}


def dbt(*commands, **settings):
    task = {"commands": list(commands or ["dbt run"]), **settings}
    return {"task_key": "t", "dbt_task": task, "environment_key": "e"}


def condition(**settings):
    return {"task_key": "t", "condition_task": {"left": "1", "op": "EQUAL_TO", "right": "1"}, **settings}


def loop(nested=None, concurrency=None, **settings):
    each = {"inputs": "[1, 2]", "task": nested or notebook("one")}
    return {
        "task_key": "each",
        "for_each_task": each | ({"concurrency": concurrency} if concurrency else {}),
        **settings,
    }


ABSOLUTE = "Only absolute paths are currently supported. Paths must begin with '/'."
SCHEMES = "Please visit Databricks user guide for supported URI schemes."

REFUSED = {
    # what a for-each task may hold
    "retries of a loop": (loop(max_retries=3), "Task 'each' has max_retries set"),
    "endless retries of a loop": (loop(max_retries=-1), "Task 'each' has max_retries set"),
    "libraries of a loop": (loop(libraries=[{"pypi": {"package": "x"}}]), "Task 'each' has libraries set"),
    "a loop in a loop": (loop(loop()), "cannot be nested in another for_each_task"),
    "no iteration at a time": (
        loop(concurrency=-1),
        "for_each_task.concurrency of task 'each' must be between 1 and 100",
    ),
    "too many at a time": (loop(concurrency=101), "for_each_task.concurrency of task 'each' must be between 1 and 100"),
    "a loop without inputs": (
        {"task_key": "each", "for_each_task": {"task": notebook()}},
        "tasks[0].for_each_task.inputs",
    ),
    "inputs that are no text": (
        {"task_key": "each", "for_each_task": {"inputs": [1, 2], "task": notebook()}},
        "tasks[0].for_each_task.inputs must be a string",
    ),
    "a nested task without a key": (
        {"task_key": "each", "for_each_task": {"inputs": "[]", "task": {"notebook_task": {"notebook_path": "/x"}}}},
        "tasks[0].for_each_task.task.task_key",
    ),
    "a nested relative path": (loop(notebook("one", "x")), ABSOLUTE),
    "nested serverless Python": (loop(wheel()), "An environment is required for serverless task t."),
    "a nested odd cluster": (loop(notebook("one", new_cluster={"num_workers": 1})), "spark_version"),
    # paths
    "relative": (notebook(path="../src/etl.ipynb"), f"Invalid notebook_path: ../src/etl.ipynb. {ABSOLUTE}"),
    "no slash": (notebook(path="Shared/one"), ABSOLUTE),
    "DBFS": (notebook(path="dbfs:/one"), f"Invalid notebook_path: dbfs:/one. {ABSOLUTE}"),
    "nothing": (notebook(path=""), ABSOLUTE),
    "relative in the workspace": (notebook(path="one", source="WORKSPACE"), ABSOLUTE),
    "absolute in Git": (notebook(source="GIT"), "Paths in a Git repository must be relative"),
    "relative Python file": (python("f.py"), f"Invalid Python file URI: f.py. {SCHEMES}"),
    "Python file up": (python("../f.py"), SCHEMES),
    "absolute Python file in Git": (python("/f.py", source="GIT"), "Paths in a Git repository must be relative"),
    "relative SQL file": (sql("q.sql"), "Invalid sql_task.file.path: q.sql"),
    "absolute SQL file in Git": (sql("/q.sql", "GIT"), "Paths in a Git repository must be relative"),
    "relative dbt project": (dbt(project_directory="p"), "Invalid dbt_task.project_directory: p"),
    "odd source": (notebook(source="DISK"), "notebook_task.source must be one of WORKSPACE, GIT"),
    # keys
    "long key": (notebook("k" * 101), "Invalid task_key"),
    "key with a space": (notebook("a b"), "Invalid task_key 'a b'"),
    "key with a dot": (notebook("a.b"), "Invalid task_key"),
    "key with an accent": (notebook("été"), "Invalid task_key"),
    "nested key": (loop(notebook("a b")), "Invalid task_key 'a b'"),
    "no key": (notebook(""), "Invalid task_key ''"),
    # serverless compute
    "script without an environment": (
        python() | {"environment_key": None},
        "An environment is required for serverless",
    ),
    "wheel without an environment": (wheel(), "An environment is required for serverless task t."),
    "dbt without an environment": (dbt() | {"environment_key": None}, "An environment is required for serverless"),
    "unknown environment": (wheel(environment_key="x"), "unknown environment_key 'x'"),
    "spark-submit on what there is": (
        {"task_key": "t", "spark_submit_task": {"parameters": []}, "existing_cluster_id": "x"},
        "spark_submit_task can only run on a new cluster",
    ),
    # conditions and dbt
    "retries of a condition": (condition(max_retries=1), "condition_task does not support retries"),
    "mail of a condition": (condition(email_notifications=EMAIL), "does not support notifications"),
    "no dbt command": ({**dbt(), "dbt_task": {"commands": []}}, "1 to 10 dbt commands, not 0"),
    "many dbt commands": (dbt(*["dbt run"] * 11), "1 to 10 dbt commands, not 11"),
    "no dbt": (dbt("rm -rf /"), "All commands must start with dbt"),
    "catalogue without a warehouse": (dbt(catalog="main"), "catalog can only be specified if a warehouse_id"),
    "profiles with a warehouse": (dbt(profiles_directory="p", warehouse_id="w"), "if no warehouse_id is specified"),
    # types of what is nested
    "mail to one": (notebook(email_notifications={"on_start": "ann"}), "email_notifications.on_start must be an array"),
    "webhook": (
        notebook(webhook_notifications={"on_start": ["id"]}),
        "webhook_notifications.on_start[0] must be an obj",
    ),
    "library": (notebook(libraries=[{"pypi": {}}]), "libraries[0].pypi.package"),
    "health": (notebook(health={"rules": [{"metric": "m", "op": "o"}]}), "health.rules[0].value"),
}


def around(task):
    """What the task refers to in its job."""
    return {"tasks": [task], "environments": ENVIRONMENTS}


@pytest.mark.parametrize("name", REFUSED)
async def test_tasks_that_the_service_refuses(jobs, name):
    """400 with the same words wherever the task comes in, and nothing is made or changed."""
    task, message = REFUSED[name]
    job_id = await jobs.create(notebook("t"))
    before = await jobs.ok("GET", "get", job_id=job_id)
    requests = [
        ("create", around(task)),
        ("runs/submit", around(task)),
        ("reset", {"job_id": job_id, "new_settings": around(task)}),
        ("update", {"job_id": job_id, "new_settings": around(task)}),
    ]
    for path, body in requests:
        status, answer = await jobs.send("POST", path, **body)
        assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), path
        assert message in answer["message"], path
    assert (await jobs.ok("GET", "list"))["jobs"] == [{**before, "settings": _without_tasks(before["settings"])}]
    assert "runs" not in await jobs.ok("GET", "runs/list")


def _without_tasks(settings):
    return {name: value for name, value in settings.items() if name != "tasks"}


TAKEN = {
    "retries of the nested task": loop(notebook("one", max_retries=3, min_retry_interval_millis=1000)),
    "libraries of the nested task": loop(notebook("one", libraries=[{"whl": "/w.whl"}], new_cluster=NEW)),
    "retries of no number in a loop": loop(max_retries=0, libraries=[]),
    "time limit and mail of a loop": loop(timeout_seconds=60, email_notifications=EMAIL, description="d"),
    "what has no effect in a loop": loop(min_retry_interval_millis=1, retry_on_timeout=True),
    "maximum at a time": loop(concurrency=100),
    "a condition in a loop": loop(condition()),
    "URIs of Python files": python("dbfs:/f.py"),
    "cloud storage": python("abfss://c@a.dfs.core.windows.net/f.py"),
    "Python file in Git": python("f.py", source="GIT"),
    "relative notebook in Git": notebook(path="one", source="GIT"),
    "relative SQL file in Git": sql("q.sql", "GIT"),
    "absolute SQL file": sql("/q.sql"),
    "longest key": notebook("k" * 100),
    "odd key": notebook("A_b-9"),
    "script on a cluster": python() | {"environment_key": None, "new_cluster": NEW},
    "notebook without anything": notebook(),
    "notebook on a warehouse": {"task_key": "t", "notebook_task": {"notebook_path": "/n", "warehouse_id": "w"}},
    "JAR on serverless compute": {"task_key": "t", "spark_jar_task": {"main_class_name": "M"}, "environment_key": "e"},
    "unknown runtime": notebook(new_cluster=NEW | {"spark_version": "99.9.x-scala2.12"}),
    "cluster that is not there": notebook(existing_cluster_id="0923-164208-nothing0"),
    "empty notifications of a condition": condition(max_retries=0, email_notifications={}),
    "scalars for text": {"task_key": "t", "spark_jar_task": {"parameters": [1, True, 0.5]}, "new_cluster": NEW},
    "ten dbt commands": dbt(*["dbt run"] * 10),
    "dbt on a warehouse": dbt(catalog="main", schema="s", warehouse_id="w"),
    "kinds that are null": {"task_key": "t", "other_task": None, **notebook()},
    "kinds that are new": {"task_key": "t", "future_task": {"x": []}},
}


@pytest.mark.parametrize("name", TAKEN)
async def test_their_neighbours_are_taken(jobs, name):
    """By create and by submit."""
    await jobs.ok("POST", "create", **around(TAKEN[name]))
    await jobs.ok("POST", "runs/submit", **around(TAKEN[name]))


async def test_a_git_source_decides_where_paths_lead(jobs):
    """Of notebooks, SQL files and dbt projects; Python files say it themselves."""
    await jobs.create(notebook(path="one"), git_source=GIT)
    await jobs.create(sql("q.sql"), git_source=GIT)
    await jobs.create(notebook(source="WORKSPACE"), git_source=GIT)
    refused = [notebook(), notebook(path="one", source="WORKSPACE"), sql("/q.sql"), python("f.py")]
    for task in refused:
        await jobs.refused("POST", "create", tasks=[task], git_source=GIT, environments=ENVIRONMENTS)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"git_source": {"git_url": "u"}}, "git_source.git_provider must be one of: github,gitlab,"),
        ({"git_source": GIT | {"git_provider": "svn"}}, "git_source.git_provider must be one of"),
        ({"git_source": GIT | {"git_tag": "t"}}, "git_branch cannot be specified in conjunction with git_tag"),
        ({"git_source": {"git_provider": "gitHub"}}, "Missing required field: git_source.git_url"),
        ({"parameters": [{"name": "a b", "default": ""}]}, "Invalid job parameter name 'a b'"),
        ({"parameters": [{"name": "", "default": ""}]}, "Invalid job parameter name ''"),
        ({"job_clusters": [{"job_cluster_key": "a b", "new_cluster": NEW}]}, "Invalid job_cluster_key 'a b'"),
        ({"environments": ENVIRONMENTS * 2}, "Duplicate environment_key 'e'"),
        ({"queue": {}}, "Missing required field: queue.enabled"),
        ({"run_as": {"user_name": 5}}, "run_as.user_name must be a string"),
    ],
)
async def test_settings_that_the_service_refuses(jobs, settings, message):
    """Of jobs, by name."""
    assert message in await jobs.refused("POST", "create", tasks=[], **settings)


async def test_a_job_cluster_is_no_existing_cluster(jobs, wire, workspace):
    """Only clusters that people made can be named; one that is not there fails the run."""
    run_id = await jobs.submit(notebook(new_cluster=NEW))
    cluster_id = (await jobs.task(run_id, "t"))["cluster_instance"]["cluster_id"]
    words = "existing_cluster_id only supports all-purpose cluster IDs"
    assert await jobs.refused("POST", "create", tasks=[notebook(existing_cluster_id=cluster_id)]) == words
    assert await jobs.refused("POST", "runs/submit", tasks=[notebook(existing_cluster_id=cluster_id)]) == words

    gone = await jobs.submit(notebook(existing_cluster_id="0923-164208-nothing0"))
    task = await jobs.task(gone, "t")
    assert await jobs.state(gone) == "INTERNAL_ERROR FAILED"
    assert task["state"]["state_message"] == "Cluster 0923-164208-nothing0 does not exist."


async def test_a_wrong_runtime_fails_the_run(jobs):
    """With the service's words; the job itself is made."""
    job_id = await jobs.create(
        notebook("own", new_cluster=NEW | {"spark_version": "1.x"}),
        notebook("shared", job_cluster_key="c"),
        job_clusters=[{"job_cluster_key": "c", "new_cluster": NEW | {"spark_version": "2.x"}}],
    )
    run_id = await jobs.run_now(job_id)
    for key, version in (("own", "1.x"), ("shared", "2.x")):
        task = await jobs.task(run_id, key)
        message = task["state"]["state_message"]
        assert message.startswith(
            "Unexpected failure while creating the cluster for the job. Cause INVALID_PARAMETER_VALUE"
        )
        assert version in message
        assert task["status"]["termination_details"]["code"] == "INVALID_CLUSTER_REQUEST"
        assert "cluster_instance" not in task
    assert await jobs.state(run_id) == "INTERNAL_ERROR FAILED"


async def test_unknown_names_within_settings_are_noted_and_kept(jobs, workspace):
    """At any depth, so that a typing error is found and nothing is lost."""
    task = notebook(max_retrys=1) | {"email_notifications": {"on_failed": ["ann"]}}
    task["notebook_task"]["odd"] = {"x": 1}
    job_id = await jobs.create(task)
    call = workspace.journal.calls("POST /api/2.2/jobs/create")[0]
    shown = (await jobs.ok("GET", "get", job_id=job_id))["settings"]["tasks"][0]

    assert sorted(call.unknown) == [
        "tasks[0].email_notifications.on_failed",
        "tasks[0].max_retrys",
        "tasks[0].notebook_task.odd",
    ]
    assert (shown["max_retrys"], shown["notebook_task"]["odd"]) == (1, {"x": 1})
    assert shown["email_notifications"] == {"on_failed": ["ann"]}


async def test_scalars_in_lists_and_maps_become_text(jobs):
    """As the service shows them."""
    task = {"task_key": "t", "spark_jar_task": {"parameters": [1, True, 0.5]}, "new_cluster": NEW}
    job_id = await jobs.create(
        task, notebook("n") | {"notebook_task": {"notebook_path": "/n", "base_parameters": {"a": 1}}}
    )
    shown = (await jobs.ok("GET", "get", job_id=job_id))["settings"]["tasks"]
    assert shown[0]["spark_jar_task"]["parameters"] == ["1", "true", "0.5"]
    assert shown[1]["notebook_task"]["base_parameters"] == {"a": "1"}


async def test_jobs_show_the_defaults_of_clusters_and_sources(jobs):
    """What the service fills in, also in nested tasks; and nothing of the policy that it used."""
    pool = {"spark_version": NEW["spark_version"], "instance_pool_id": "p", "num_workers": 1}
    job_id = await jobs.create(
        notebook("own", new_cluster=NEW | {"apply_policy_default_values": True}),
        notebook("pool", new_cluster=pool),
        notebook("asked", new_cluster=NEW | {"data_security_mode": "NONE", "azure_attributes": {"first_on_demand": 2}}),
        loop(notebook("one", new_cluster=NEW)),
        sql("/q.sql") | {"task_key": "sql"},
        notebook("shared", job_cluster_key="c"),
        job_clusters=[{"job_cluster_key": "c", "new_cluster": NEW}],
    )
    settings = (await jobs.ok("GET", "get", job_id=job_id))["settings"]
    tasks = {task["task_key"]: task for task in settings["tasks"]}
    azure = {"first_on_demand": 1, "availability": "ON_DEMAND_AZURE", "spot_bid_max_price": -1.0}
    filled = {"azure_attributes": azure, "data_security_mode": "SINGLE_USER", "enable_elastic_disk": True}

    assert tasks["own"]["new_cluster"] == NEW | filled
    assert "enable_elastic_disk" not in tasks["pool"]["new_cluster"]
    assert tasks["asked"]["new_cluster"]["data_security_mode"] == "NONE"
    assert tasks["asked"]["new_cluster"]["azure_attributes"] == azure | {"first_on_demand": 2}
    assert settings["job_clusters"][0]["new_cluster"] == NEW | filled
    nested = tasks["each"]["for_each_task"]["task"]
    assert nested == {
        "task_key": "one",
        "run_if": "ALL_SUCCESS",
        "notebook_task": {"notebook_path": "/Shared/one", "source": "WORKSPACE"},
        "new_cluster": NEW | filled,
    }
    assert tasks["sql"]["sql_task"]["file"]["source"] == "WORKSPACE"
    again = await jobs.ok("POST", "reset", job_id=job_id, new_settings=json.loads(json.dumps(settings)))
    assert again == {}
    assert (await jobs.ok("GET", "get", job_id=job_id))["settings"] == settings


async def test_clusters_of_jobs_are_tagged(jobs, wire, workspace):
    """With the job's id and the run's name, beside the tags of every cluster."""
    job_id = await jobs.create(notebook(new_cluster=NEW), name="nightly")
    run_id = await jobs.run_now(job_id)
    cluster = await wire.cluster((await jobs.task(run_id, "t"))["cluster_instance"]["cluster_id"])
    assert cluster["cluster_source"] == "JOB"
    assert cluster["default_tags"]["JobId"] == str(job_id)
    assert cluster["default_tags"]["RunName"] == "nightly"
    assert cluster["data_security_mode"] == "SINGLE_USER"
    assert "JobId" not in (await wire.cluster(await wire.create()))["default_tags"]


async def test_a_policy_fills_in_the_cluster_of_a_run(jobs, wire, workspace):
    """When the run makes it; the job shows what was asked for."""
    definition = {
        "spark_version": {"type": "fixed", "value": NEW["spark_version"]},
        "node_type_id": {"type": "unlimited", "defaultValue": "Standard_DS4_v2"},
    }
    policy_id = workspace.add_policy("jobs", definition)
    asked = {"policy_id": policy_id, "num_workers": 1, "apply_policy_default_values": True}
    job_id = await jobs.create(notebook(new_cluster=asked))
    run_id = await jobs.run_now(job_id)
    cluster = await wire.cluster((await jobs.task(run_id, "t"))["cluster_instance"]["cluster_id"])
    shown = (await jobs.ok("GET", "get", job_id=job_id))["settings"]["tasks"][0]["new_cluster"]

    assert (cluster["node_type_id"], cluster["spark_version"]) == ("Standard_DS4_v2", NEW["spark_version"])
    assert "node_type_id" not in shown
    assert "apply_policy_default_values" not in shown


INERT = [
    {"alert_task": {"alert_id": "a", "subscribers": [{"user_name": 5}]}},
    {"dashboard_task": {"dashboard_id": "d", "subscription": {"paused": "yes"}}},
    {"power_bi_task": {"tables": {}}},
    {"pipeline_task": {"pipeline_id": "p", "full_refresh": "no"}},
    {"clean_rooms_notebook_task": {"clean_room_name": "c"}},
    {"sql_task": {"warehouse_id": "w", "query": {"query_id": 5}}},
    {"run_job_task": {"job_id": "x"}},
]


@pytest.mark.parametrize("kind", INERT, ids=lambda kind: next(iter(kind)))
async def test_kinds_that_have_no_effect_are_checked(jobs, kind):
    """What is accepted can be read back by any client."""
    assert f"tasks[0].{next(iter(kind))}." in await jobs.refused("POST", "create", tasks=[{"task_key": "t", **kind}])


async def test_environments_are_checked(jobs):
    """To their last dependency."""
    environments = [{"environment_key": "e", "spec": {"dependencies": ["x", {}]}}]
    message = await jobs.refused("POST", "create", tasks=[], environments=environments)
    assert "environments[0].spec.dependencies[1] must be a string" in message
