"""From a task to what its process needs: the files, the arguments, the variables of its environment."""

from __future__ import annotations

import os
import posixpath
from pathlib import Path, PurePosixPath
from typing import Any

from databricks_async.local.errors import ApiError
from databricks_async.local.jobs.processes.pool import Work
from databricks_async.local.jobs.state import TaskRun
from databricks_async.local.jobs.task_rules import kind_of
from databricks_async.local.objects.jupyter import from_jupyter
from databricks_async.local.objects.notebooks import Notebook
from databricks_async.local.objects.tree import Node
from databricks_async.local.state import Json, State

_OTHER_CREDENTIALS = ("ARM_", "AZURE_", "DATABRICKS_", "IDENTITY_", "MSI_", "ACTIONS_ID_TOKEN_")
_MAX_DEPTH = 10
_NOT_RUN = ("md", "md-sandbox", "pip", "conda", "restart_python", "config", "load_ext")
"""Magic commands that are left out: what a notebook needs is installed already, or is not there."""


class Missing(Exception):
    """Something that the task needs is not there. The text is the service's message."""


def work_of(state: State, task: TaskRun) -> Work | None:
    """What the process of a task does; None for a task that does not run here. Raises Missing."""
    kind = kind_of(task.settings)
    make = {"spark_python_task": _script, "python_wheel_task": _wheel, "notebook_task": _notebook}.get(kind)
    made = None if make is None else make(state, task)
    if made is None:
        return None
    own, files = made
    common: Json = {
        "argv": [],
        "directory": "workspace",
        "wheels": [],
        "parameters": task.parameters,
        "values": {key: step.values for key, step in task.run.steps.items()},
    }
    return Work({**common, **own}, files, _variables(state, task))


def _script(state: State, task: TaskRun) -> tuple[Json, dict[str, bytes]]:
    python_file: str = task.resolved["python_file"]
    arguments = task.resolved.get("parameters") or []
    wheels, files = _wheels(state, task)
    node = None if _is_git(task, task.resolved) else state.tree.find(python_file)
    if node is not None and node.kind in ("FILE", "NOTEBOOK"):
        content = node.content if node.kind == "FILE" else node.notebook.exported()
        directory, beside = _beside(node)
        path = f"{directory}/{node.name}"
        return {
            "kind": "script",
            "path": node.name,
            "argv": [node.name, *arguments],
            "directory": directory,
            "wheels": wheels,
        }, {**beside, path: content, **files}
    local = _local(python_file)
    if local is None:
        # The words: databrickslabs/cicd-templates issue 69.
        message = f"Cannot read the python file {python_file}. Please check driver logs for more details."
        raise Missing(message)
    return {
        "kind": "script",
        "path": str(local),
        "argv": [str(local), *arguments],
        "directory": str(local.parent),
        "wheels": wheels,
    }, files


def _wheel(state: State, task: TaskRun) -> tuple[Json, dict[str, bytes]]:
    named = task.resolved.get("named_parameters") or {}
    arguments = [*(task.resolved.get("parameters") or []), *(f"--{name}={value}" for name, value in named.items())]
    package = task.resolved["package_name"]
    wheels, files = _wheels(state, task)
    return {
        "kind": "wheel",
        "package": package,
        "entry_point": task.resolved["entry_point"],
        "argv": [package, *arguments],
        "wheels": wheels,
    }, files


def _notebook(state: State, task: TaskRun) -> tuple[Json, dict[str, bytes]] | None:
    path: str = task.resolved["notebook_path"]
    found = _find_notebook(state, path, git=_is_git(task, task.resolved))
    if found is None:
        raise Missing(
            f'Unable to access the notebook "{path}". Either it does not exist, or the identity used to run this job, '
            f"{task.run.creator}, lacks the required permissions."
        )
    notebook, node, local = found
    if notebook.language != "PYTHON":
        return None
    wheels, files = _wheels(state, task)
    cells = list[dict[str, str]]()
    _add_cells(state, notebook, path, cells, local is not None, 0)
    directory, beside = (str(local.parent), {}) if node is None and local is not None else _beside(node)
    return {
        "kind": "notebook",
        "cells": cells,
        "argv": [posixpath.basename(path)],
        "directory": directory,
        "wheels": wheels,
    }, {**beside, **files}


def _add_cells(state: State, notebook: Notebook, path: str, cells: list[dict[str, str]], git: bool, depth: int) -> None:
    """The Python of a notebook, with that of the notebooks that it runs in place of each `%run`."""
    for cell in notebook.cells():
        if not cell.text.startswith("%"):
            cells.append({"notebook": path, "source": cell.text})
            continue
        first, _, rest = cell.text.partition("\n")
        magic, _, argument = first.removeprefix("%").partition(" ")
        if magic == "python":
            cells.append({"notebook": path, "source": f"{argument}\n{rest}"})
        elif magic == "run":
            wanted = argument.split(" $", 1)[0].strip().strip("\"'")
            inner = posixpath.normpath(posixpath.join(posixpath.dirname(path), wanted))
            found = _find_notebook(state, inner, git=git)
            if found is None or found[0].language != "PYTHON" or depth >= _MAX_DEPTH:
                why = "is not there" if found is None else "is nested too deep, or is not in Python"
                cells.append({"notebook": path, "refused": f"%run {wanted}: the notebook {inner} {why}"})
            else:
                _add_cells(state, found[0], inner, cells, git, depth + 1)
        elif magic not in _NOT_RUN:
            cells.append({"notebook": path, "refused": f"%{magic}: a local workspace runs Python cells only"})


def _find_notebook(state: State, path: str, *, git: bool) -> tuple[Notebook, Node | None, Path | None] | None:
    node = None if git else state.tree.find(path)
    if node is not None and node.kind == "NOTEBOOK":
        return node.notebook, node, None
    for suffix in ("", ".py", ".ipynb"):
        local = _local(path + suffix)
        if local is not None:
            content = local.read_bytes()
            try:
                notebook = from_jupyter(content, "PYTHON") if local.suffix == ".ipynb" else Notebook("PYTHON", content)
            except ApiError as error:
                raise Missing(error.message) from None
            return notebook, None, local
    return None


def _is_git(task: TaskRun, settings: Json) -> bool:
    """Whether the source is a Git repository: the directory in which the workspace runs stands for its checkout."""
    source = settings.get("source") or ("GIT" if "git_source" in task.run.settings else "WORKSPACE")
    return bool(source == "GIT")


def _local(path: str) -> Path | None:
    """A file of this machine."""
    found = Path(path.removeprefix("file:")).absolute()
    return found if not path.startswith("dbfs:") and found.is_file() else None


def _beside(node: Node | None) -> tuple[str, dict[str, bytes]]:
    """The files of an object's directory and those below it, which a task may read and import, and where they go."""
    files: dict[str, bytes] = {}
    parent = None if node is None else node.parent
    if parent is not None and parent.path != "/":
        for one in parent.and_descendants():
            inside = PurePosixPath(one.path[len(parent.path) + 1 :])
            # A test may have put objects of impossible names into the workspace.
            plain = inside.parts and ".." not in inside.parts and "\0" not in one.path and "\\" not in one.path
            if one.kind == "FILE" and one.path.startswith(f"{parent.path}/") and plain:
                files[f"workspace/{inside}"] = one.content
    return "workspace", files


def _wheels(state: State, task: TaskRun) -> tuple[list[str], dict[str, bytes]]:
    """The wheels of the task's libraries and of its environment, which Python imports from as they are."""
    wanted = [library["whl"] for library in task.settings.get("libraries") or [] if "whl" in library]
    for environment in task.run.settings.get("environments") or []:
        if environment.get("environment_key") == task.settings.get("environment_key"):
            wanted += (environment.get("spec") or {}).get("dependencies") or []
    places, files = list[str](), dict[str, bytes]()
    for path in wanted:
        node = state.tree.find(path)
        local = _local(path)
        if node is not None and node.kind == "FILE":
            files[f"wheels/{node.name}"] = node.content
            places.append(f"wheels/{node.name}")
        elif local is not None:
            places.append(str(local))
    return places, files


def _variables(state: State, task: TaskRun) -> dict[str, str]:
    """The environment of this process, with the cluster's variables, and with this workspace for whoever calls one.

    Credentials of others stay out: the task could not tell that it is not in the workspace that they are for.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OTHER_CREDENTIALS)}
    cluster = state.clusters.get(task.cluster_id or "")
    own: dict[str, Any] = {} if cluster is None else cluster.spec.get("spark_env_vars") or {}
    tokens = (value for value, token in state.tokens.items() if token.user.name == task.run.creator)
    token = next((value for value in tokens if not state.tokens[value].revoked), None)
    here = (
        {"DATABRICKS_HOST": state.url} if token is None else {"DATABRICKS_HOST": state.url, "DATABRICKS_TOKEN": token}
    )
    return {**kept, **{name: str(value) for name, value in own.items()}, **here}
