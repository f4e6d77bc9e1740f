"""Writes the types of keywords from the models: `python -m support.keywords`, in the folder of the tests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args, get_origin

import attrs

import databricks_async
from databricks_async.clusters import models as clusters
from databricks_async.codec import Model
from databricks_async.codec.hooks import fields_of, hints_of, is_enum, required
from databricks_async.documentation import field_docs
from databricks_async.jobs import models as jobs

HOME = Path(databricks_async.__file__).parent
SCALARS = (str, int, float, bool)

# file -> first line, and its classes: name -> docstring, the models with the fields, and the names that are parameters
FILES: dict[str, tuple[str, dict[str, tuple[str, tuple[type[Model], ...], set[str]]]]] = {
    "clusters/keywords.py": (
        "The keywords of the Clusters API, made from the models by tests/support/keywords.py.",
        {
            "ClusterKeywords": ("The fields of a `ClusterSpec`.", (clusters.ClusterSpec,), set()),
        },
    ),
    "jobs/keywords.py": (
        "The keywords that make and run jobs, made from the models by tests/support/keywords.py.",
        {
            "JobKeywords": (
                "The fields of a `CreateJob`, and those of its task if it has one only.",
                (jobs.CreateJob, jobs.Task),
                {"task_key"},
            ),
            "RunNowKeywords": ("The fields of a `RunNow`.", (jobs.RunNow,), set()),
            "RepairRunKeywords": ("The fields of a `RepairRun`.", (jobs.RepairRun,), set()),
        },
    ),
    "jobs/submit_keywords.py": (
        "The keywords that submit a run, made from the models by tests/support/keywords.py.",
        {
            "SubmitKeywords": (
                "The fields of a `SubmitRun`, and those of its task if it has one only.",
                (jobs.SubmitRun, jobs.SubmitTask),
                {"task_key"},
            ),
        },
    ),
}


def text_of(file: str) -> str:
    """What the file has to hold, but for its formatting."""
    first_line, classes = FILES[file]
    used: set[type] = set()
    lines: list[str] = []
    for name, (docstring, models, left_out) in classes.items():
        lines += ["", "", f"class {name}(TypedDict, total=False):", f'    """{docstring}"""', ""]
        for field, hint, doc in fields(models, left_out):
            lines += [f"    {field}: {annotation(hint, used)} | None", f'    """{doc}"""']
    body = "\n".join(lines)
    head = [f'"""{first_line}"""', "", "from __future__ import annotations", ""]
    head += ["from collections.abc import Mapping, Sequence", "from typing import Any, TypedDict", ""]
    helpers = [name for name in ("Given", "Text", "Texts", "Words") if name in body]
    head += [f"from databricks_async.codec.given import {', '.join(helpers)}"]
    head += [f"from {kind.__module__} import {kind.__name__}" for kind in used]
    return "\n".join([*head, body, ""])


def fields(models: Iterable[type[Model]], left_out: set[str]) -> Iterable[tuple[str, Any, str]]:
    seen = set(left_out)
    for model in models:
        hints, docs = hints_of(model), field_docs(model)
        for field in fields_of(model):
            if field.name not in seen:
                seen.add(field.name)
                yield field.name, required(hints[field.name]), docs[field.name]


def annotation(hint: Any, used: set[type]) -> str:
    """What may be given for a field of this type."""
    if hint in SCALARS:
        return str(hint.__name__)
    if is_enum(hint):
        used.add(hint)
        return f"{hint.__name__} | str"
    if isinstance(hint, type) and attrs.has(hint):
        used.add(hint)
        return f"Given[{hint.__name__}]"
    container, item = get_origin(hint), get_args(hint)[-1]
    if container is dict:
        return f"Mapping[str, {'Text' if item is str else 'Any' if item is Any else annotation(item, used)}]"
    if item is str:
        return "Texts"
    if is_enum(item):
        used.add(item)
        return f"Words[{item.__name__}]"
    if item in SCALARS:
        return f"list[{item.__name__}] | tuple[{item.__name__}, ...]"
    return f"Sequence[{annotation(item, used)}]"


def formatted(text: str, path: Path) -> str:
    for command in (["check", "--fix", "--quiet"], ["format"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--stdin-filename", str(path), "-"]
        text = subprocess.run(ruff, input=text, capture_output=True, text=True, check=True).stdout
    return text


if __name__ == "__main__":
    for file in FILES:
        (HOME / file).write_text(formatted(text_of(file), HOME / file))
