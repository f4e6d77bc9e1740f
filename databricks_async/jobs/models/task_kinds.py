"""The kinds of tasks that run code: notebooks, files, wheels, jars, dbt, pipelines and other jobs."""

from __future__ import annotations

import attrs

from databricks_async.codec import SECRET, Model
from databricks_async.jobs.models.settings_enums import ConditionTaskOp, Source

__all__ = [
    "CleanRoomsNotebookTask",
    "ConditionTask",
    "DbtCloudTask",
    "DbtPlatformTask",
    "DbtTask",
    "NotebookTask",
    "PipelineParams",
    "PipelineTask",
    "PythonOperatorTask",
    "PythonOperatorTaskParameter",
    "PythonWheelTask",
    "RunJobTask",
    "RunParameters",
    "SparkJarTask",
    "SparkPythonTask",
    "SparkSubmitTask",
]


@attrs.define(kw_only=True, repr=False, eq=False)
class NotebookTask(Model):
    """Runs a notebook."""

    notebook_path: str | None
    """Absolute in the workspace, relative in a Git repository."""
    base_parameters: dict[str, str] | None = None
    """Parameters of a run with the same names override them."""
    source: Source | None = None
    """Where the file is: in the workspace, or in Git."""
    warehouse_id: str | None = None
    """A SQL warehouse, for notebooks of SQL cells only."""


@attrs.define(kw_only=True, repr=False, eq=False)
class SparkPythonTask(Model):
    """Runs a Python file."""

    python_file: str | None
    """A path in the workspace or the Git repository, or a URI such as `dbfs:/...`."""
    parameters: list[str] | None = None
    """What the program is called with."""
    source: Source | None = None
    """Where the file is: in the workspace, or in Git."""


@attrs.define(kw_only=True, repr=False, eq=False)
class PythonWheelTask(Model):
    """Runs an entry point of a Python wheel."""

    package_name: str | None
    """The package."""
    entry_point: str | None
    """The entry point of the package, or else a function of its main module."""
    named_parameters: dict[str, str] | None = None
    """Not together with parameters."""
    parameters: list[str] | None = None
    """What it is called with. Not together with `named_parameters`."""


@attrs.define(kw_only=True, repr=False, eq=False)
class PythonOperatorTaskParameter(Model):
    """A parameter of a Python operator."""

    name: str | None = None
    """The name."""
    value: str | None = None
    """The value."""


@attrs.define(kw_only=True, repr=False, eq=False)
class PythonOperatorTask(Model):
    """Runs a Python operator."""

    main: str | None = None
    """The full name of the class or function."""
    parameters: list[PythonOperatorTaskParameter] | None = None
    """The parameters, in order."""


@attrs.define(kw_only=True, repr=False, eq=False)
class SparkJarTask(Model):
    """Runs the main class of a jar. Name the jar in the libraries of the task."""

    jar_uri: str | None = None
    """Deprecated: use the libraries of the task."""
    main_class_name: str | None = None
    """The full name of the main class, which is in one of the libraries."""
    parameters: list[str] | None = None
    """What its main method is called with."""
    run_as_repl: bool | None = None
    """Deprecated: the service takes only true."""


@attrs.define(kw_only=True, repr=False, eq=False)
class SparkSubmitTask(Model):
    """Runs spark-submit on a new cluster."""

    parameters: list[str] | None = attrs.field(default=None, metadata=SECRET)
    """Not shown: it may set what spark_conf hides."""


@attrs.define(kw_only=True, repr=False, eq=False)
class DbtTask(Model):
    """Runs dbt commands."""

    commands: list[str] | None
    """1 to 10, each beginning with `dbt`."""
    catalog: str | None = None
    """Only with warehouse_id."""
    profiles_directory: str | None = None
    """Only without warehouse_id."""
    project_directory: str | None = None
    """The directory of the dbt project; the root of the repository with Git."""
    schema: str | None = None
    """Only with warehouse_id."""
    source: Source | None = None
    """Where the file is: in the workspace, or in Git."""
    warehouse_id: str | None = None
    """The SQL warehouse that dbt connects to."""


@attrs.define(kw_only=True, repr=False, eq=False)
class DbtCloudTask(Model):
    """Runs a job of dbt Cloud. Deprecated: use dbt_platform_task."""

    connection_resource_name: str | None = None
    """The Unity Catalog connection with which to log in there."""
    dbt_cloud_job_id: int | None = None
    """The id of the job in dbt Cloud."""


@attrs.define(kw_only=True, repr=False, eq=False)
class DbtPlatformTask(Model):
    """Runs a job of the dbt platform."""

    connection_resource_name: str | None = None
    """The Unity Catalog connection with which to log in there."""
    dbt_platform_job_id: str | None = None
    """The id of the job in the dbt platform."""


@attrs.define(kw_only=True, repr=False, eq=False)
class PipelineParams(Model):
    """What an update of a pipeline refreshes."""

    full_refresh: bool | None = None
    """Whether all tables are computed anew."""
    full_refresh_selection: list[str] | None = None
    """Tables to compute anew."""
    refresh_flow_selection: list[str] | None = None
    """Flows to update."""
    refresh_selection: list[str] | None = None
    """Tables to update."""
    reset_checkpoint_selection: list[str] | None = None
    """Streaming flows whose checkpoints are reset, their data kept."""


@attrs.define(kw_only=True, repr=False, eq=False)
class PipelineTask(Model):
    """Updates a pipeline, which must be a triggered one."""

    pipeline_id: str | None
    """The id of the pipeline."""
    full_refresh: bool | None = None
    """Whether all tables are computed anew."""
    full_refresh_selection: list[str] | None = None
    """Tables to compute anew."""
    parameters: dict[str, str] | None = None
    """10,000 characters at most, all together."""
    refresh_flow_selection: list[str] | None = None
    """Flows to update."""
    refresh_selection: list[str] | None = None
    """Tables to update."""
    reset_checkpoint_selection: list[str] | None = None
    """Streaming flows whose checkpoints are reset, their data kept."""


@attrs.define(kw_only=True, repr=False, eq=False)
class RunParameters(Model):
    """Parameters for a run, by the kind of its tasks. Newer jobs have job_parameters instead."""

    dbt_commands: list[str] | None = None
    """Deprecated: use job_parameters."""
    jar_params: list[str] | None = None
    """Deprecated: use job_parameters."""
    notebook_params: dict[str, str] | None = None
    """Deprecated: use job_parameters."""
    pipeline_params: PipelineParams | None = None
    """How pipelines are updated."""
    python_named_params: dict[str, str] | None = None
    """Named parameters of Python wheel tasks."""
    python_params: list[str] | None = None
    """Deprecated: use job_parameters."""
    spark_submit_params: list[str] | None = attrs.field(default=None, metadata=SECRET)
    """Deprecated: use job_parameters."""
    sql_params: dict[str, str] | None = None
    """Deprecated: use job_parameters."""


@attrs.define(kw_only=True, repr=False, eq=False)
class RunJobTask(RunParameters):
    """Runs another job."""

    job_id: int | None
    """The job to run."""
    job_parameters: dict[str, str] | None = None
    """Values for the job's parameters, by name."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ConditionTask(Model):
    """Compares two values; tasks that depend on it name the outcome they want."""

    op: ConditionTaskOp | None
    """How the operands are compared."""
    left: str | None
    """Text, or a reference to a parameter or a task value."""
    right: str | None
    """Text, or a reference to a parameter or a task value."""


@attrs.define(kw_only=True, repr=False, eq=False)
class CleanRoomsNotebookTask(Model):
    """Runs a notebook of a clean room."""

    clean_room_name: str | None
    """The clean room."""
    notebook_name: str | None
    """The notebook in it."""
    etag: str | None = None
    """Checks that the notebook is the one that was agreed to."""
    notebook_base_parameters: dict[str, str] | None = None
    """The parameters of the notebook."""
