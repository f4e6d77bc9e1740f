"""The models of the Jobs API: complete, readable as the service sends them, and silent about secrets.

Here are the tests of `jobs/models/`.
"""

from __future__ import annotations

import dataclasses
import enum
from datetime import UTC, datetime
from typing import Any, get_type_hints

import attrs
import orjson
import pytest
from databricks.sdk.service import compute, jobs

from databricks_async import codec
from databricks_async.codec import Model, OpenEnum, WrongShape
from databricks_async.jobs import models
from databricks_async.jobs.models import (
    AnyTask,
    BaseJob,
    BaseRun,
    CreateJob,
    GitProvider,
    Job,
    JobSettings,
    ListJobsResponse,
    ListRunsResponse,
    RepairRun,
    Run,
    RunNow,
    RunOutput,
    RunParameters,
    SparkSubmitTask,
    SubmitRun,
    Task,
)

PUBLIC = [getattr(models, name) for name in models.__all__]
MODELS: list[type[Model]] = [one for one in PUBLIC if issubclass(one, Model)]
ENUMS: list[type[OpenEnum]] = [one for one in PUBLIC if issubclass(one, OpenEnum)]
OWN = {AnyTask, CreateJob, SubmitRun, RunNow, RepairRun}
"""Classes of ours that the official SDK has no class for: there they are keywords of methods."""


def name_of(one: type) -> str:
    return one.__name__


def official(ours: type) -> Any:
    """The class of the official SDK, if the installed version has it: ours know some that came later."""
    return getattr(jobs, ours.__name__, None) or getattr(compute, ours.__name__, None)


# --- Against the official SDK.


@pytest.mark.parametrize("ours", [one for one in MODELS if official(one)], ids=name_of)
def test_models_have_every_field_of_the_official_sdk(ours: type[Model]) -> None:
    """Same class names, same field names."""
    assert {field.name for field in dataclasses.fields(official(ours))} <= set(attrs.fields_dict(ours))


@pytest.mark.parametrize("ours", [one for one in ENUMS if official(one)], ids=name_of)
def test_enums_have_every_word_of_the_official_sdk(ours: type[OpenEnum]) -> None:
    """Same class names, same member names, same words."""
    words: type[enum.Enum] = official(ours)
    assert {name: word.value for name, word in words.__members__.items()}.items() <= {
        name: word.value for name, word in ours.__members__.items()
    }.items()


def test_every_class_that_an_answer_or_request_can_hold_is_there() -> None:
    """Following the official SDK's fields from each of our classes leads to none that is missing, empty ones aside."""
    ours = {one.__name__ for one in PUBLIC}
    for model in MODELS:
        if model in OWN or not official(model):
            continue
        for name in {one for hint in get_type_hints(official(model)).values() for one in names_in(hint)}:
            found = getattr(jobs, name)
            empty = dataclasses.is_dataclass(found) and not dataclasses.fields(found)
            assert empty or name in ours, f"{model.__name__} refers to {name}"


def names_in(hint: Any) -> set[str]:
    inner = {name for one in getattr(hint, "__args__", ()) for name in names_in(one)}
    return inner | ({hint.__name__} if getattr(hint, "__module__", "") == jobs.__name__ else set())


@pytest.mark.parametrize(
    ("ours", "request_of"),
    [(CreateJob, "create"), (SubmitRun, "submit"), (RunNow, "run_now"), (RepairRun, "repair_run")],
)
def test_requests_have_every_keyword_of_the_official_sdk(ours: type[Model], request_of: str) -> None:
    """What a method of the official SDK takes as keywords are the fields of one model."""
    keywords = set(get_type_hints(getattr(jobs.JobsAPI, request_of))) - {"return"}
    assert keywords <= set(attrs.fields_dict(ours))


@pytest.mark.parametrize("cls", MODELS, ids=name_of)
def test_models_are_slotted_and_say_what_they_are(cls: type[Model]) -> None:
    """A typing mistake in an assignment is an AttributeError, and help() says something."""
    with pytest.raises(AttributeError):
        cls.__new__(cls).mistake = 1  # type: ignore[attr-defined]
    assert cls.__doc__


@pytest.mark.parametrize("cls", MODELS, ids=name_of)
def test_every_model_can_be_read_and_written(cls: type[Model]) -> None:
    """The least that a class takes, and a field from tomorrow, come back as they were."""
    least = {"from_tomorrow": {"a": [None, 1]}, **least_of(cls)}
    read = codec.decode(orjson.dumps(least), cls)
    assert read.as_dict() == least
    assert read.unknown_fields == {"from_tomorrow": {"a": [None, 1]}}


def least_of(cls: type[Model]) -> dict[str, Any]:
    hints = get_type_hints(cls)
    required = [field.name for field in attrs.fields(cls) if field.default is attrs.NOTHING]
    return {name: example_of(codec.hooks.required(hints[name])) for name in required}


def example_of(kind: Any) -> Any:
    if getattr(kind, "__origin__", None) is list:
        return []
    if issubclass(kind, Model):
        return least_of(kind)
    return "from tomorrow" if issubclass(kind, str) else kind(1)


# --- Answers that the specification shows.

STATE = {"life_cycle_state": "PENDING", "result_state": "SUCCESS", "state_message": "example_value"}
SCHEDULE = {
    "quartz_cron_expression": "0 0 12 * * ?",
    "timezone_id": "UTC",
    "pause_status": "PAUSED",
}
RUN = {
    "run_id": 500123,
    "job_id": 500123,
    "run_name": "example_value",
    "creator_user_name": "example_value",
    "number_in_job": 10,
    "state": STATE,
    "tasks": [
        {
            "run_id": 500124,
            "task_key": "example_value",
            "state": STATE,
            "start_time": 10,
            "setup_duration": 10,
            "execution_duration": 10,
            "cleanup_duration": 10,
            "end_time": 10,
            "attempt_number": 0,
        }
    ],
    "schedule": SCHEDULE,
    "cluster_spec": {"existing_cluster_id": "500123", "new_cluster": {"spark_version": "example_value"}},
    "cluster_instance": {"cluster_id": "500123", "spark_context_id": "500123"},
    "start_time": 10,
    "setup_duration": 10,
    "execution_duration": 10,
    "cleanup_duration": 10,
    "end_time": 10,
    "trigger": "PERIODIC",
    "run_type": "JOB_RUN",
    "attempt_number": 10,
    "run_page_url": "https://www.example.com",
    "format": "SINGLE_TASK",
}
JOB = {
    "job_id": 500123,
    "creator_user_name": "example_value",
    "run_as_user_name": "example_value",
    "created_time": 10,
    "settings": {
        "name": "Example Title",
        "tags": {"example": "example_value"},
        "tasks": [
            {
                "task_key": "example_value",
                "depends_on": [{"task_key": "example_value"}],
                "notebook_task": {"notebook_path": "/a", "base_parameters": {"a": "b"}, "source": "WORKSPACE"},
                "libraries": [{"pypi": {"package": "a"}}, {"jar": "dbfs:/a.jar"}],
                "email_notifications": {"on_start": [], "on_failure": ["a@example.com"]},
                "timeout_seconds": 10,
                "max_retries": 10,
                "min_retry_interval_millis": 10,
                "retry_on_timeout": False,
            }
        ],
        "job_clusters": [{"job_cluster_key": "example_value", "new_cluster": {"spark_version": "example_value"}}],
        "webhook_notifications": {"on_start": [{"id": "500123"}]},
        "notification_settings": {"no_alert_for_skipped_runs": True, "no_alert_for_canceled_runs": True},
        "timeout_seconds": 10,
        "max_concurrent_runs": 10,
        "schedule": SCHEDULE,
        "trigger": {"file_arrival": {"url": "https://www.example.com", "wait_after_last_change_seconds": 10}},
        "continuous": {"pause_status": "PAUSED"},
        "git_source": {"git_url": "https://www.example.com", "git_provider": "gitHub", "git_branch": "main"},
        "format": "MULTI_TASK",
        "queue": {"enabled": True},
        "parameters": [{"name": "a", "default": "b"}],
        "run_as": {"user_name": "a@example.com", "service_principal_name": "b"},
    },
}


@pytest.mark.parametrize(
    ("cls", "body"),
    [
        (Run, RUN),
        (BaseRun, RUN),
        (ListRunsResponse, {"runs": [RUN, RUN], "has_more": True}),
        (Job, JOB),
        (BaseJob, JOB),
        (ListJobsResponse, {"jobs": [JOB], "has_more": False}),
        (RunOutput, {"notebook_output": {"result": "a", "truncated": False}, "metadata": RUN, "error": "a"}),
    ],
)
def test_answers_as_the_specification_shows_them_are_read_whole(cls: type[Model], body: dict[str, Any]) -> None:
    """Every field has its place, at any depth, and nothing is lost."""
    read = codec.decode(orjson.dumps(body), cls)
    assert read.as_dict() == body
    assert not [*strangers_in(read)]


def strangers_in(value: Any) -> list[Any]:
    if isinstance(value, Model):
        inside = [found for field in attrs.fields(type(value)) for found in strangers_in(getattr(value, field.name))]
        return inside + ([value.unknown_fields] if value.unknown_fields else [])
    return [found for one in value for found in strangers_in(one)] if isinstance(value, list) else []


@pytest.mark.parametrize(
    ("cls", "part", "problem"),
    [
        (BaseRun, {"run_id": "example_value"}, "$.run_id: expected a whole number, got text"),
        (BaseRun, {"cluster_spec": "example_value"}, "$.cluster_spec: expected an object, got text"),
        (BaseRun, {"tasks": [{"task_key": 1}]}, "$.tasks[0].task_key: expected text, got the number 1"),
        (JobSettings, {"tags": "example_value"}, "$.tags: expected an object, got text"),
        (JobSettings, {"queue": "example_value"}, "$.queue: expected an object, got text"),
        (JobSettings, {"trigger": "example_value"}, "$.trigger: expected an object, got text"),
    ],
)
def test_examples_that_contradict_the_schemas_are_errors_of_one_kind(
    cls: type[Model], part: dict[str, Any], problem: str
) -> None:
    """Objects given as text: `WrongShape`, and never another exception."""
    with pytest.raises(WrongShape) as caught:
        codec.decode(orjson.dumps({"run_id": 1, **part}), cls)
    assert str(caught.value) == problem


def test_ids_may_be_text_and_are_numbers() -> None:
    """The specification shows whole numbers of 64 bits as text."""
    assert BaseRun.from_dict({"run_id": "500123", "job_id": "9007199254740993"}).job_id == 9007199254740993


@pytest.mark.parametrize(("cls", "name"), [(ListJobsResponse, "jobs"), (ListRunsResponse, "runs")])
def test_an_odd_item_does_not_spoil_a_listing(cls: type[Model], name: str) -> None:
    """A job or run of which even the id is missing is read like the others."""
    page = codec.decode(orjson.dumps({name: [{"creator_user_name": "a"}]}), cls)
    assert getattr(page, name)[0].creator_user_name == "a"
    assert getattr(getattr(page, name)[0], f"{name[:-1]}_id") is None


def test_words_that_differ_from_their_names() -> None:
    """The words of the service, under the names of the official SDK."""
    assert GitProvider("azureDevOpsServices") is GitProvider.AZURE_DEV_OPS_SERVICES


def test_a_job_that_a_list_gives_and_one_that_get_gives_are_used_alike() -> None:
    """Code for one takes the other."""
    assert isinstance(Job(job_id=1), BaseJob)
    assert isinstance(Run(run_id=1), BaseRun)
    assert isinstance(CreateJob(name="a"), JobSettings)


def test_the_time_of_creation_is_a_datetime() -> None:
    """The field is the number of the service, the property the same moment in UTC."""
    assert Job(job_id=1, created_time=1_758_645_728_123).created == datetime(2025, 9, 23, 16, 42, 8, 123_000, UTC)
    assert Job(job_id=1).created is None


def test_what_nothing_is_known_of_yet_comes_as_it_is() -> None:
    """Some objects have no known fields at all: they are plain, whatever they hold."""
    body = {"job_id": 1, "trigger_details": [{"state": {"schedule": {}, "model": {"from_tomorrow": [1]}}}]}
    read = codec.decode(orjson.dumps(body), Job)
    assert read.as_dict() == body


# --- Secrets.


@pytest.mark.parametrize(
    ("cls", "body"),
    [
        (
            JobSettings,
            {"environment_variables": [{"environment_variables_key": "a", "spec": {"variables": {"A": "S3"}}}]},
        ),
        (Task, {"task_key": "a", "new_cluster": {"spark_env_vars": {"A": "S3"}, "spark_conf": {"b": "S3"}}}),
        (Task, {"task_key": "a", "new_cluster": {"docker_image": {"basic_auth": {"password": "S3"}}}}),
        (SparkSubmitTask, {"parameters": ["--conf", "spark.hadoop.fs.azure.account.key=S3"]}),
        (RunParameters, {"spark_submit_params": ["S3"]}),
        (RunOutput, {"dbt_output": {"artifacts_link": "https://S3", "artifacts_headers": {"a": "S3"}}}),
        (Run, {"run_id": 1, "tasks": [{"run_id": 2, "task_key": "a", "from_tomorrow": "S3"}]}),
    ],
)
def test_what_may_be_secret_is_not_shown(cls: type[Model], body: dict[str, Any]) -> None:
    """Neither by repr nor in messages, and it is sent all the same."""
    model = cls.from_dict(body)
    assert "S3" not in repr(model)
    assert model.as_dict() == body
