"""The parameters of a task as it ran, with all references filled in."""

from __future__ import annotations

from typing import Any

import attrs

from databricks_async.codec import SECRET, Model

__all__ = [
    "ResolvedConditionTaskValues",
    "ResolvedDbtTaskValues",
    "ResolvedNotebookTaskValues",
    "ResolvedParamPairValues",
    "ResolvedPipelineTaskValues",
    "ResolvedPythonWheelTaskValues",
    "ResolvedRunJobTaskValues",
    "ResolvedStringParamsValues",
    "ResolvedValues",
]


@attrs.define(kw_only=True, repr=False)
class ResolvedConditionTaskValues(Model):
    """The two values that were compared."""

    left: str | None = None
    right: str | None = None


@attrs.define(kw_only=True, repr=False)
class ResolvedDbtTaskValues(Model):
    """The dbt commands that ran."""

    commands: list[str] | None = None


@attrs.define(kw_only=True, repr=False)
class ResolvedNotebookTaskValues(Model):
    """The parameters that a notebook got."""

    base_parameters: dict[str, str] | None = None


@attrs.define(kw_only=True, repr=False)
class ResolvedParamPairValues(Model):
    """Parameters by name."""

    parameters: dict[str, str] | None = None


@attrs.define(kw_only=True, repr=False)
class ResolvedPipelineTaskValues(Model):
    """The parameters that a pipeline got."""

    parameters: dict[str, str] | None = None


@attrs.define(kw_only=True, repr=False)
class ResolvedPythonWheelTaskValues(Model):
    """The parameters that an entry point got."""

    named_parameters: dict[str, str] | None = None
    parameters: list[str] | None = None


@attrs.define(kw_only=True, repr=False)
class ResolvedRunJobTaskValues(Model):
    """The parameters that another job got."""

    job_parameters: dict[str, str] | None = None
    parameters: dict[str, str] | None = None


@attrs.define(kw_only=True, repr=False)
class ResolvedStringParamsValues(Model):
    """Parameters by position."""

    parameters: list[str] | None = None


@attrs.define(kw_only=True, repr=False)
class ResolvedValues(Model):
    """The parameters of a task, in the field of its kind."""

    ai_function_task: dict[str, Any] | None = None
    """As it comes: nothing is known of it yet."""
    ai_runtime_task: dict[str, Any] | None = None
    """As it comes: nothing is known of it yet."""
    condition_task: ResolvedConditionTaskValues | None = None
    dbt_task: ResolvedDbtTaskValues | None = None
    notebook_task: ResolvedNotebookTaskValues | None = None
    pipeline_task: ResolvedPipelineTaskValues | None = None
    python_wheel_task: ResolvedPythonWheelTaskValues | None = None
    run_job_task: ResolvedRunJobTaskValues | None = None
    simulation_task: ResolvedParamPairValues | None = None
    spark_jar_task: ResolvedStringParamsValues | None = None
    spark_python_task: ResolvedStringParamsValues | None = None
    spark_submit_task: ResolvedStringParamsValues | None = attrs.field(default=None, metadata=SECRET)
    sql_task: ResolvedParamPairValues | None = None
