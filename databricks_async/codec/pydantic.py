"""What pydantic, and with it FastAPI, has to know of a model. Imported by pydantic's own calls only."""

from __future__ import annotations

from typing import Any, get_args, get_origin

from databricks_async.codec.hooks import fields_of, hints_of, is_enum, required, wire_name
from databricks_async.documentation import field_docs

_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}


def core_schema_of(cls: Any) -> Any:
    """A model is read as by `from_dict`, or taken as it is, and written as by `as_dict`."""
    from pydantic_core import core_schema

    def read(value: Any) -> Any:
        return value if isinstance(value, cls) else cls.from_dict(value)

    written = core_schema.plain_serializer_function_ser_schema(lambda model: model.as_dict())
    return core_schema.no_info_plain_validator_function(read, serialization=written)


def json_schema_of(cls: Any) -> dict[str, Any]:
    """The JSON schema of a model; those within it are described by their names."""
    hints, docs = hints_of(cls), field_docs(cls)
    properties = {
        wire_name(field): {**_schema_of(required(hints[field.name])), "description": docs.get(field.name, "")}
        for field in fields_of(cls)
    }
    text = vars(cls).get("__doc__") or ""
    return {"type": "object", "title": cls.__name__, "description": text, "properties": properties}


def _schema_of(kind: Any) -> dict[str, Any]:
    if kind in _TYPES:
        return {"type": _TYPES[kind]}
    if is_enum(kind):
        return {"type": "string", "examples": [word.value for word in kind]}  # the service may have others
    container = get_origin(kind)
    if container is list:
        return {"type": "array", "items": _schema_of(get_args(kind)[0])}
    if container is dict:
        return {"type": "object", "additionalProperties": _schema_of(get_args(kind)[1])}
    return {"type": "object", "title": kind.__name__} if isinstance(kind, type) else {}
