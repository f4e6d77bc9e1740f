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


@attrs.define(kw_only=True, repr=False)
class ComputeConfig(Model):
    """Accelerators of a task. Deprecated with its task."""

    num_gpus: int | None
    gpu_node_pool_id: str | None = None
    gpu_type: str | None = None


@attrs.define(kw_only=True, repr=False)
class GenAiComputeTask(Model):
    """Trains on accelerators. Deprecated: use ai_runtime_task."""

    dl_runtime_image: str | None
    command: str | None = None
    compute: ComputeConfig | None = None
    mlflow_experiment_name: str | None = None
    source: Source | None = None
    training_script_path: str | None = None
    yaml_parameters: str | None = None
    yaml_parameters_file_path: str | None = None


@attrs.define(kw_only=True, repr=False)
class ComputeSpec(Model):
    """Accelerators: which, and how many."""

    accelerator_type: ComputeSpecAcceleratorType | None
    accelerator_count: int | None
    """Of all machines together; a multiple of what one machine has."""
    provisioned_capacity_id: str | None = None


@attrs.define(kw_only=True, repr=False)
class DeploymentSpec(Model):
    """Machines that run the same command."""

    compute: ComputeSpec | None
    command_path: str | None = None
    name: str | None = None


@attrs.define(kw_only=True, repr=False)
class AiRuntimeTask(Model):
    """Runs code on machines with accelerators."""

    experiment: str | None
    deployments: list[DeploymentSpec] | None
    code_source_path: str | None = None
    docker_image_url: str | None = None
    """As `organization/repository:tag`."""
    mlflow_artifact_location: str | None = None
    mlflow_experiment_directory: str | None = None
    """Begins with `/Workspace`; needed for service principals."""
    mlflow_run: str | None = None
    priority_class: AiRuntimeTaskPriorityClass | None = None
    """Only on reserved machines."""
    unity_catalog_image_path: str | None = None
    """As `catalog.schema.image:tag`."""


@attrs.define(kw_only=True, repr=False)
class QualifiedName(Model):
    """The name of a table, in its parts."""

    catalog: str | None = None
    schema: str | None = None
    table: str | None = None


@attrs.define(kw_only=True, repr=False)
class DeltaTableSource(Model):
    """A table whose rows an AI function reads."""

    table_name: str | None
    input_column: str | None
    merge_key_columns: list[str] | None = None


@attrs.define(kw_only=True, repr=False)
class VolumeSource(Model):
    """A volume whose files an AI function reads."""

    volume_path: str | None


@attrs.define(kw_only=True, repr=False)
class AiClassifyFunctionLabel(Model):
    """A class that something may belong to."""

    name: str | None
    description: str | None = None


@attrs.define(kw_only=True, repr=False)
class AiClassifyFunctionInlineLabels(Model):
    """The classes that something may belong to."""

    labels: list[AiClassifyFunctionLabel] | None


@attrs.define(kw_only=True, repr=False)
class AiClassifyFunction(Model):
    """Puts each input into classes."""

    version: str | None
    enable_confidence_scores: bool | None = None
    enable_rationales: bool | None = None
    inline_labels: AiClassifyFunctionInlineLabels | None = None
    instructions: str | None = None
    multilabel: bool | None = None


@attrs.define(kw_only=True, repr=False)
class AiExtractFunction(Model):
    """Extracts fields from each input."""

    version: str | None
    enable_citations: bool | None = None
    enable_confidence_scores: bool | None = None
    instructions: str | None = None
    mode: AiExtractFunctionMode | None = None
    schema: str | None = None


@attrs.define(kw_only=True, repr=False)
class AiParseDocumentFunction(Model):
    """Turns documents into text and elements."""

    version: str | None
    description_element_types: list[AiParseDocumentFunctionDescriptionElementType] | None = None
    image_output_path: str | None = None
    page_range: str | None = None


@attrs.define(kw_only=True, repr=False)
class AiFunctionTask(Model):
    """Applies an AI function to a table or to files."""

    output: QualifiedName | None
    ai_classify: AiClassifyFunction | None = None
    ai_extract: AiExtractFunction | None = None
    ai_parse_document: AiParseDocumentFunction | None = None
    delta_table: DeltaTableSource | None = None
    volume: VolumeSource | None = None
