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


@attrs.define(kw_only=True, repr=False, eq=False)
class ResolvedConditionTaskValues(Model):
    """The two values that were compared."""

    left: str | None = None
    """The left operand, references resolved."""
    right: str | None = None
    """The right operand, references resolved."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ResolvedDbtTaskValues(Model):
    """The dbt commands that ran."""

    commands: list[str] | None = None
    """The dbt commands, references resolved."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ResolvedNotebookTaskValues(Model):
    """The parameters that a notebook got."""

    base_parameters: dict[str, str] | None = None
    """The parameters of the notebook, references resolved."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ResolvedParamPairValues(Model):
    """Parameters by name."""

    parameters: dict[str, str] | None = None
    """The parameters by name, references resolved."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ResolvedPipelineTaskValues(Model):
    """The parameters that a pipeline got."""

    parameters: dict[str, str] | None = None
    """The parameters by name, references resolved."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ResolvedPythonWheelTaskValues(Model):
    """The parameters that an entry point got."""

    named_parameters: dict[str, str] | None = None
    """The named parameters, references resolved."""
    parameters: list[str] | None = None
    """The parameters, references resolved."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ResolvedRunJobTaskValues(Model):
    """The parameters that another job got."""

    job_parameters: dict[str, str] | None = None
    """The parameters of the job, references resolved."""
    parameters: dict[str, str] | None = None
    """The parameters by name, references resolved."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ResolvedStringParamsValues(Model):
    """Parameters by position."""

    parameters: list[str] | None = None
    """The parameters, references resolved."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ResolvedValues(Model):
    """The parameters of a task, in the field of its kind."""

    ai_function_task: dict[str, Any] | None = None
    """As it comes: nothing is known of it yet."""
    ai_runtime_task: dict[str, Any] | None = None
    """As it comes: nothing is known of it yet."""
    condition_task: ResolvedConditionTaskValues | None = None
    """Compares two values; tasks that follow depend on the outcome."""
    dbt_task: ResolvedDbtTaskValues | None = None
    """Runs dbt commands."""
    notebook_task: ResolvedNotebookTaskValues | None = None
    """Runs a notebook."""
    pipeline_task: ResolvedPipelineTaskValues | None = None
    """Updates a pipeline."""
    python_wheel_task: ResolvedPythonWheelTaskValues | None = None
    """Runs an entry point of a Python wheel."""
    run_job_task: ResolvedRunJobTaskValues | None = None
    """Runs another job."""
    simulation_task: ResolvedParamPairValues | None = None
    """Of a simulation task."""
    spark_jar_task: ResolvedStringParamsValues | None = None
    """Runs the main class of a JAR."""
    spark_python_task: ResolvedStringParamsValues | None = None
    """Runs a Python file."""
    spark_submit_task: ResolvedStringParamsValues | None = attrs.field(default=None, metadata=SECRET)
    """Runs spark-submit, which is deprecated."""
    sql_task: ResolvedParamPairValues | None = None
    """Runs a query or file, or refreshes an alert or dashboard, on a SQL warehouse."""
