"""What editors, `help()` and IPython show to those who write with the package.

Tries `documentation.py`, `config/arguments.py`, `codec/given.py`, `clusters/keywords.py`, `jobs/keywords.py` and
`jobs/submit_keywords.py`.
"""

from __future__ import annotations

import ast
import inspect
import pydoc
from importlib import import_module

import attrs
import pytest

from databricks_async import Config, WorkspaceClient
from databricks_async.clusters import ClusterDetails, ClusterSpec
from databricks_async.config import Arguments
from databricks_async.documentation import field_docs
from support.keywords import FILES, HOME, text_of
from support.models import public_models


def test_every_field_of_every_public_model_has_a_line_of_meaning() -> None:
    models = {*public_models()}
    fields = [(kind.__name__, field.name) for kind in models for field in attrs.fields(kind)]
    missing = [
        (kind.__name__, name) for kind in models for name in attrs.fields_dict(kind) if not field_docs(kind).get(name)
    ]
    assert len(fields) > 1500
    assert missing == []


def test_every_setting_has_a_line_of_meaning() -> None:
    docs = field_docs(Config)
    settings = [field.name for field in attrs.fields(Config) if not field.name.startswith("_")]
    assert [name for name in settings if not docs.get(name)] == []
    assert field_docs(Arguments) == {name: docs[name] for name in Arguments.__annotations__}
    assert "retry_timeout_seconds: float\n        How long one call may go on trying" in inspect.getdoc(Config)  # type: ignore[operator]
    assert [*inspect.signature(WorkspaceClient).parameters][-len(Arguments.__annotations__) :] == [
        *Arguments.__annotations__
    ]


def test_help_shows_the_fields() -> None:
    text = pydoc.plain(pydoc.render_doc(ClusterDetails))
    assert "autotermination_minutes: int | None" in text
    assert "Minutes without work after which the cluster ends; 0 is never." in text
    assert inspect.getdoc(ClusterSpec).startswith("A cluster to be created")  # type: ignore[union-attr]


def test_models_have_their_own_signatures() -> None:
    for kind in {*public_models()}:
        parameters = inspect.signature(kind).parameters
        assert [*parameters] == [field.name for field in attrs.fields(kind)]
    assert inspect.signature(ClusterSpec).parameters["num_workers"].default is None
    assert inspect.signature(ClusterSpec).parameters["num_workers"].annotation == "int | None"


def classes_in(source: str) -> list[str]:
    return [ast.dump(node) for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]


@pytest.mark.parametrize("file", FILES)
def test_keywords_are_the_fields_of_the_models(file: str) -> None:
    """If not: `python -m support.keywords` in the folder of the tests."""
    assert classes_in((HOME / file).read_text()) == classes_in(text_of(file))
    module = import_module("databricks_async." + file.removesuffix(".py").replace("/", "."))
    for name in FILES[file][1]:
        assert issubclass(getattr(module, name), dict)
