"""What pydantic, and with it FastAPI, has to know of a model. Imported by pydantic's own calls only."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, get_args, get_origin

import attrs

from databricks_async.codec.hooks import fields_of, hints_of, is_enum, required, wire_name
from databricks_async.documentation import field_docs

_SCALARS = {str: "str", int: "int", float: "float", bool: "bool"}
_under_way = ContextVar[tuple[Any, ...]]("_under_way", default=())
"""The models whose JSON schemas are being made, from the outermost in: a model may hold itself."""


def core_schema_of(cls: Any, read_mapping: Callable[[Any, Any], Any]) -> Any:
    """A model is made from a mapping by `read_mapping`, or taken as it is, and written as by `as_dict`."""
    from pydantic_core import core_schema

    def read(value: Any) -> Any:
        return value if isinstance(value, cls) else read_mapping(cls, value)

    return core_schema.no_info_plain_validator_function(
        read,
        ref=_ref_of(cls),
        serialization=core_schema.plain_serializer_function_ser_schema(lambda model: model.as_dict()),
    )


def json_schema_of(cls: Any, handler: Any) -> dict[str, Any]:
    """The JSON schema of a model, made by `handler` as that of a mapping; the models within are definitions."""
    from pydantic_core import core_schema

    hints, docs = hints_of(cls), field_docs(cls)
    above = _under_way.set((*_under_way.get(), cls))
    try:
        fields = {
            wire_name(field): core_schema.typed_dict_field(
                _schema_of(required(hints[field.name])), required=field.default is attrs.NOTHING
            )
            for field in fields_of(cls)
        }
        schema: dict[str, Any] = handler(core_schema.typed_dict_schema(fields))
    finally:
        _under_way.reset(above)
    for field in fields_of(cls):
        shape = schema["properties"][wire_name(field)]
        shape["description"] = docs.get(field.name, "")
        _add_examples(shape, required(hints[field.name]))
    return {**schema, "title": cls.__name__, "description": vars(cls).get("__doc__") or ""}


def _schema_of(kind: Any) -> Any:
    from pydantic import TypeAdapter
    from pydantic_core import core_schema

    if kind in _SCALARS:
        return {"type": _SCALARS[kind]}
    if is_enum(kind):
        return core_schema.str_schema()  # the service may have other words
    container = get_origin(kind)
    if container is list:
        return core_schema.list_schema(_schema_of(get_args(kind)[0]))
    if container is dict:
        return core_schema.dict_schema(core_schema.str_schema(), _schema_of(get_args(kind)[1]))
    if kind is Any or not isinstance(kind, type):
        return core_schema.any_schema()
    if kind in _under_way.get():
        return core_schema.definition_reference_schema(_ref_of(kind))
    return {**TypeAdapter(kind).core_schema, "ref": _ref_of(kind)}


def _add_examples(shape: dict[str, Any], kind: Any) -> None:
    if is_enum(kind):
        shape["examples"] = [word.value for word in kind]
    elif get_origin(kind) is list:
        _add_examples(shape["items"], get_args(kind)[0])


def _ref_of(cls: Any) -> str:
    return f"{cls.__module__}.{cls.__qualname__}:{id(cls)}"
