"""The functions that write the objects of a model, generated from its fields.

Of a `TaskDependency`:

    def write_TaskDependency(o):
        at = 'unknown_fields'
        try:
            d = {} if o.unknown_fields is None else to_dict(o.unknown_fields)
            v = o.task_key
            if v is not None:
                if v.__class__ is str: d['task_key'] = v
                else: at = 'task_key'; d['task_key'] = to_dict(v)
            v = o.outcome
            if v is not None:
                if v.__class__ is str: d['outcome'] = v
                else: at = 'outcome'; d['outcome'] = to_dict(v)
        except WrongShape as error: raise error.inside(at) from None
        return d
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any, TypeAlias, get_args, get_origin

import attrs

from databricks_async.codec.generated import Names, function, later
from databricks_async.codec.hooks import Field, fields_of, hints_of, is_enum, required, wire_name
from databricks_async.codec.shape import WrongShape

Writer: TypeAlias = Callable[[Any], Any]


def model_writer(cls: Any, hook_of: Callable[[Any], Writer], to_dict: Writer) -> Writer:
    """From a model to a JSON object: what is None is left out, what was received and is unknown is put back."""
    hints = hints_of(cls)
    names: Names = {"cls": cls, "to_dict": to_dict, "WrongShape": WrongShape, "isfinite": isfinite}
    lines = [" at = 'unknown_fields'", " try:"]
    lines += ["  d = {} if o.unknown_fields is None else to_dict(o.unknown_fields)"]
    for index, field in enumerate(fields_of(cls)):
        lines += _write_field(names, index, field, required(hints[field.name]), hook_of)
    lines += [" except WrongShape as error: raise error.inside(at) from None", " return d"]
    hook: Writer = function(f"write_{cls.__name__}", "o", lines, names)
    return hook


def _write_field(names: Names, index: int, field: Field, kind: Any, hook_of: Callable[[Any], Writer]) -> list[str]:
    wire = repr(wire_name(field))
    put = f"d[{wire}] ="
    at_put = f"at = {wire}; {put}"
    container: Any = get_origin(kind)
    item: Any = get_args(kind)[-1] if container in (list, dict) else None
    names[f"kind{index}"] = item if container is list else kind
    if _is_model(kind) or (container is list and _is_model(item)):
        later(names, f"write{index}", lambda: hook_of(names[f"kind{index}"]))
    lines = [f"  v = o.{field.name}", "  if v is not None:"]
    if kind in (str, int, bool):
        lines += [f"   if v.__class__ is {kind.__name__}: {put} v"]
    elif kind is float:
        lines += [f"   if v.__class__ is float and isfinite(v): {put} v"]
    elif is_enum(kind):
        lines += [f"   if v.__class__ is kind{index}: {put} v._value_"]
    elif _is_model(kind):
        lines += [f"   if v.__class__ is kind{index}: {at_put} write{index}(v)"]
    elif container is list and _is_model(item):
        lines += [
            "   if v.__class__ is list:",
            f"    {at_put} items = []",
            "    try:",
            f"     for x in v: items.append(write{index}(x) if x.__class__ is kind{index} else to_dict(x))",
            "    except WrongShape as error: raise error.inside(len(items)) from None",
        ]
    elif kind in (list[str], dict[str, str]):
        names_of, is_text = ("", "") if container is list else (".items()", " and name.__class__ is str")
        lines += [
            f"   if v.__class__ is {container.__name__}:",
            f"    for {'x' if container is list else 'name, x'} in v{names_of}:",
            f"     if not (x.__class__ is str{is_text}): {at_put} to_dict(v); break",
            f"    else: {put} v.copy()",
        ]
    else:
        return [*lines, f"   {at_put} to_dict(v)"]
    return [*lines, f"   else: {at_put} to_dict(v)"]


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and attrs.has(kind)
