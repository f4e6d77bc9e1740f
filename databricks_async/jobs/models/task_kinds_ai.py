"""The kinds of tasks that need accelerators or AI functions."""

from __future__ import annotations

import attrs

from databricks_async.codec import Model
from databricks_async.jobs.models.settings_enums import (
    AiExtractFunctionMode,
    AiParseDocumentFunctionDescriptionElementType,
    AiRuntimeTaskPriorityClass,
    ComputeSpecAcceleratorType,
    Source,
)

__all__ = [
    "AiClassifyFunction",
    "AiClassifyFunctionInlineLabels",
    "AiClassifyFunctionLabel",
    "AiExtractFunction",
    "AiFunctionTask",
    "AiParseDocumentFunction",
    "AiRuntimeTask",
    "ComputeConfig",
    "ComputeSpec",
    "DeltaTableSource",
    "DeploymentSpec",
    "GenAiComputeTask",
    "QualifiedName",
    "VolumeSource",
]


@attrs.define(kw_only=True, repr=False, eq=False)
class ComputeConfig(Model):
    """Accelerators of a task. Deprecated with its task."""

    num_gpus: int | None
    """The number of GPUs."""
    gpu_node_pool_id: str | None = None
    """The pool of GPUs."""
    gpu_type: str | None = None
    """The type of GPU."""


@attrs.define(kw_only=True, repr=False, eq=False)
class GenAiComputeTask(Model):
    """Trains on accelerators. Deprecated: use ai_runtime_task."""

    dl_runtime_image: str | None
    """The runtime image."""
    command: str | None = None
    """What starts the script, for example `python`."""
    compute: ComputeConfig | None = None
    """The GPUs."""
    mlflow_experiment_name: str | None = None
    """The MLflow experiment of the run."""
    source: Source | None = None
    """Where the file is: in the workspace, or in Git."""
    training_script_path: str | None = None
    """The script."""
    yaml_parameters: str | None = None
    """Parameters of the model, as YAML."""
    yaml_parameters_file_path: str | None = None
    """A YAML file with parameters of the model."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ComputeSpec(Model):
    """Accelerators: which, and how many."""

    accelerator_type: ComputeSpecAcceleratorType | None
    """The type and number of accelerators of a machine, for example `GPU_1xA10`."""
    accelerator_count: int | None
    """Of all machines together; a multiple of what one machine has."""
    provisioned_capacity_id: str | None = None
    """The id of capacity that was reserved."""


@attrs.define(kw_only=True, repr=False, eq=False)
class DeploymentSpec(Model):
    """Machines that run the same command."""

    compute: ComputeSpec | None
    """What each machine has."""
    command_path: str | None = None
    """The script that each machine runs, in the workspace."""
    name: str | None = None
    """The name for people."""


@attrs.define(kw_only=True, repr=False, eq=False)
class AiRuntimeTask(Model):
    """Runs code on machines with accelerators."""

    experiment: str | None
    """The MLflow experiment of the run."""
    deployments: list[DeploymentSpec] | None
    """The machines; one deployment is possible now."""
    code_source_path: str | None = None
    """The archive with the code, in the workspace or in a volume."""
    docker_image_url: str | None = None
    """As `organization/repository:tag`."""
    mlflow_artifact_location: str | None = None
    """Where MLflow keeps artifacts."""
    mlflow_experiment_directory: str | None = None
    """Begins with `/Workspace`; needed for service principals."""
    mlflow_run: str | None = None
    """The name of the MLflow run."""
    priority_class: AiRuntimeTaskPriorityClass | None = None
    """Only on reserved machines."""
    unity_catalog_image_path: str | None = None
    """As `catalog.schema.image:tag`."""


@attrs.define(kw_only=True, repr=False, eq=False)
class QualifiedName(Model):
    """The name of a table, in its parts."""

    catalog: str | None = None
    """The catalog."""
    schema: str | None = None
    """The schema."""
    table: str | None = None
    """The table."""


@attrs.define(kw_only=True, repr=False, eq=False)
class DeltaTableSource(Model):
    """A table whose rows an AI function reads."""

    table_name: str | None
    """The full name of the table: `catalog.schema.table`."""
    input_column: str | None
    """The column with the content."""
    merge_key_columns: list[str] | None = None
    """Columns that tell rows apart from run to run."""


@attrs.define(kw_only=True, repr=False, eq=False)
class VolumeSource(Model):
    """A volume whose files an AI function reads."""

    volume_path: str | None
    """The path in the volume: `/Volumes/catalog/schema/volume/...`."""


@attrs.define(kw_only=True, repr=False, eq=False)
class AiClassifyFunctionLabel(Model):
    """A class that something may belong to."""

    name: str | None
    """The label."""
    description: str | None = None
    """What belongs under it."""


@attrs.define(kw_only=True, repr=False, eq=False)
class AiClassifyFunctionInlineLabels(Model):
    """The classes that something may belong to."""

    labels: list[AiClassifyFunctionLabel] | None
    """The labels; two at least, unless several may be given to one input."""


@attrs.define(kw_only=True, repr=False, eq=False)
class AiClassifyFunction(Model):
    """Puts each input into classes."""

    version: str | None
    """The version of the function."""
    enable_confidence_scores: bool | None = None
    """Whether results have confidence scores."""
    enable_rationales: bool | None = None
    """Whether results have reasons."""
    inline_labels: AiClassifyFunctionInlineLabels | None = None
    """The labels."""
    instructions: str | None = None
    """What the model is told about the task."""
    multilabel: bool | None = None
    """Whether an input can have several labels."""


@attrs.define(kw_only=True, repr=False, eq=False)
class AiExtractFunction(Model):
    """Extracts fields from each input."""

    version: str | None
    """The version of the function."""
    enable_citations: bool | None = None
    """Whether results say where in the source they were found."""
    enable_confidence_scores: bool | None = None
    """Whether results have confidence scores."""
    instructions: str | None = None
    """What the model is told about the task."""
    mode: AiExtractFunctionMode | None = None
    """How it extracts."""
    schema: str | None = None
    """The fields to extract, as JSON."""


@attrs.define(kw_only=True, repr=False, eq=False)
class AiParseDocumentFunction(Model):
    """Turns documents into text and elements."""

    version: str | None
    """The version of the function."""
    description_element_types: list[AiParseDocumentFunctionDescriptionElementType] | None = None
    """Kinds of elements to describe."""
    image_output_path: str | None = None
    """Where images of the pages are written, in a volume."""
    page_range: str | None = None
    """The pages, from 1, for example `1,3,5-10`."""


@attrs.define(kw_only=True, repr=False, eq=False)
class AiFunctionTask(Model):
    """Applies an AI function to a table or to files."""

    output: QualifiedName | None
    """The table for the results."""
    ai_classify: AiClassifyFunction | None = None
    """Sorts inputs under labels."""
    ai_extract: AiExtractFunction | None = None
    """Extracts fields."""
    ai_parse_document: AiParseDocumentFunction | None = None
    """Turns documents into structured text."""
    delta_table: DeltaTableSource | None = None
    """The inputs: rows of a table."""
    volume: VolumeSource | None = None
    """The inputs: files of a volume."""
