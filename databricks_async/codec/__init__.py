"""JSON <-> models: what a model is, and the one cattrs converter that reads and writes it."""

from __future__ import annotations

import inspect
import logging
import operator
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from functools import cache, lru_cache, partial
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, cast

import attrs
import orjson

from databricks_async.codec import hooks, reading, show, writing
from databricks_async.codec.given import Given
from databricks_async.codec.hooks import given_as, one_level
from databricks_async.codec.open_enum import OpenEnum
from databricks_async.codec.setting import refuse_name, setters_of
from databricks_async.codec.shape import SCALARS, WrongShape
from databricks_async.documentation import Documented
from databricks_async.nesting import MAX_DEPTH, is_too_deep, was_suspicious
from databricks_async.suggest import did_you_mean

if TYPE_CHECKING:
    import cattrs

__all__ = [
    "SECRET",
    "SECRET_VALUES",
    "Model",
    "OpenEnum",
    "WrongShape",
    "build",
    "check_word",
    "converter",
    "decode",
    "encode",
    "given_as",
    "one_level",
    "to_dict",
]

log = logging.getLogger("databricks_async")

T = TypeVar("T")
M = TypeVar("M", bound="Model")

SECRET: Final = {"hidden": "all"}
"""Metadata of a field whose value is never shown."""
SECRET_VALUES: Final = {"hidden": "values"}
"""Metadata of a map whose keys may be shown, and whose values never are."""


class _ModelType(Documented, type):
    # Names the right one of a misspelt keyword.

    if not TYPE_CHECKING:
        __doc__ = Documented.__dict__["__doc__"]  # of each model, and not of this class

        @property
        def __signature__(cls):
            signature = inspect.signature(cls.__init__)
            return signature.replace(parameters=[*signature.parameters.values()][1:], return_annotation=cls)

        # To type checkers a metaclass with a __call__ would hide the constructors.
        def __call__(cls, *args, **kwargs):
            try:
                return super().__call__(*args, **kwargs)
            except TypeError:
                if problem := _unknown_keyword(cls, kwargs):
                    raise TypeError(problem) from None
                raise


@attrs.define(kw_only=True, repr=False, eq=False)
class Model(metaclass=_ModelType):
    """Base of everything that is sent and received. A field that is None is absent; empty lists and maps are values.

    A field that is set to a wrong type raises `WrongShape` (a ValueError) at once; fields of epoch milliseconds take
    aware datetimes.

    `repr` is a short line, `print` shows all; secrets are hidden in both. `json.dumps` and `orjson.dumps` take
    `default=Model.as_dict`. A FastAPI endpoint can return it, and takes it as its body where the parameter is
    `Annotated[ClusterSpec, Body()]`.
    """

    unknown_fields: dict[str, Any] | None = None
    """What was received and the class does not represent: keys it does not know, and known keys that were null.
    Written back when the object is sent."""

    @classmethod
    def from_dict(cls, d: Mapping[str, Any]) -> Self:
        """Read a JSON object, as `as_dict` writes it. Raises `WrongShape` (a ValueError) that names the place."""
        return cast(Self, _reader(cls)(d, cls))

    def as_dict(self) -> dict[str, Any]:
        """The JSON object that the service reads: plain dicts, lists and words, without what is None."""
        plain: dict[str, Any] = to_dict(self)
        return plain

    def check(self) -> None:
        """Raise `WrongShape` (a ValueError) for what the service would refuse of a request with these fields.

        Called on each model of a request before the request is sent, when all fields have their types: a model can be
        filled step by step.
        """

    if not TYPE_CHECKING:  # to type checkers the fields are all that can be set

        def __setattr__(self, name, value):
            setter = None if value is None else setters_of(self.__class__, _reader).get(name)
            try:
                object.__setattr__(self, name, value if setter is None else setter(value))
            except WrongShape as error:
                raise error.inside(name) from None
            except AttributeError:
                if hasattr(type(self), name):
                    raise  # a property
                refuse_name(self, name)

    def __eq__(self, other: object) -> bool:
        # One for all models: attrs would compile one for each, which is a third of the time that its class takes.
        if other.__class__ is not self.__class__:
            return NotImplemented
        values = hooks.values_of(self.__class__)
        return all(map(operator.eq, values(self), values(other)))

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Its items: `dict(model)` is `model.as_dict()`."""
        return iter(self.as_dict().items())

    def __repr__(self) -> str:
        return show.short(self)

    def __str__(self) -> str:
        return show.pretty(self)

    def __rich_repr__(self) -> Iterator[tuple[str, Any]]:
        return show.rich_parts(self)

    def _repr_html_(self) -> str:
        return show.table(self)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from databricks_async.codec.pydantic import core_schema_of

        return core_schema_of(cls, _given_by_a_person)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        from databricks_async.codec.pydantic import json_schema_of

        return json_schema_of(cls, handler)


def decode(body: bytes, cls: type[T]) -> T:
    """Read a JSON body as `cls`. Raises `WrongShape` when it is not JSON or has another shape."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        # Not chained: the original carries the whole body, which may hold secrets.
        raise WrongShape(f"expected JSON, got {len(body)} bytes that are not ({error.msg})") from None
    made: Any = None
    try:
        made = (_reader(cls) if len(body) < _LARGE else _large_answer_reader(cast(Any, cls)))(value, cls)
        if isinstance(made, Model):
            too_deep = was_suspicious() and is_too_deep(body, orjson.loads(body))  # lists in `value` may be empty now
        else:
            too_deep = is_too_deep(body, value)
    except RecursionError:
        too_deep = True
    if too_deep:
        raise WrongShape(f"expected at most {MAX_DEPTH} levels of nesting, got more")
    return cast(T, made)


_LARGE: Final = 16 * 1024
"""Bytes of an answer whose parsed form is freed while it is read."""


def encode(value: Any) -> bytes:
    """Write a model, a mapping or anything plain as JSON. Raises `WrongShape` for what JSON cannot express."""
    plain = to_dict(value)
    try:
        return orjson.dumps(plain)
    except orjson.JSONEncodeError:
        # Whole numbers over 64 bits, and text that is not valid Unicode, are all that is left.
        import json

        return json.dumps(plain, allow_nan=False, separators=(",", ":")).encode()


def to_dict(value: Any) -> Any:
    """The plain form of a value: models become dicts without what is None, also inside mappings and lists."""
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if kind is dict:
        made: dict[str, Any] = {}
        for name, item in value.items():
            key = name if type(name) is str else _key(name)
            try:
                made[key] = item if type(item) is str else to_dict(item)
            except WrongShape as error:
                raise error.inside(key) from None
        return made
    if kind is list:
        return [item if type(item) is str else _inside(index, item) for index, item in enumerate(value)]
    if isinstance(value, Model):
        return _writer(kind)(value)
    if kind is float:
        if isfinite(value):
            return value
        raise WrongShape(f"expected a number that JSON knows, got {value}")
    if isinstance(value, Enum):
        return to_dict(value.value)
    if isinstance(value, Mapping):
        return {_key(name): _inside(name, item) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray | memoryview):
        return [_inside(index, item) for index, item in enumerate(value)]
    for plain in (str, int, float):
        if isinstance(value, plain):
            return to_dict(plain(value))
    if (given := given_as(value)) is not value:
        return to_dict(given)
    raise WrongShape(f"expected something that JSON knows, got a {kind.__name__}")


def build(cls: type[M], given: Given[M] | None = None, /, **keywords: Any) -> M:
    """The model of a request, from a model, a plain mapping (which may hold models) or its fields as keywords; checked.

    Models of the official SDK count as mappings.

    What is given is read once, into new models, and left as it is. A model may be of a class that `cls` extends.
    Wrong types and misspelt names are a `WrongShape` (a ValueError) that names the place, misspelt keywords a
    TypeError. Other names that the class does not know are kept and sent, with a line in the log if they were typed
    into a mapping: the service may be newer than this library. A keyword that is None is absent; a null in a mapping
    is sent.
    """
    if given is None:
        given = _from_keywords(cls, keywords)
    elif keywords:
        raise TypeError(f"give a {cls.__name__}, a mapping or keywords, not two of them")
    elif isinstance(given, Model) and issubclass(cls, type(given)):
        return _built(cls, one_level(given), None)
    return _built(cls, given_as(given), given)


def _given_by_a_person(cls: type[M], given: object) -> M:
    """A model from JSON that need not be complete yet; misspelt names and words are refused."""
    model = cast(M, _reader(cls)(given, cls))
    _check(model, given, complete=False)
    return model


def _built(cls: type[M], given: object, typed: object) -> M:
    model = cast(M, _reader(cls)(given, cls))
    _check(model, typed)
    return model


@cache
def converter() -> cattrs.Converter:
    """The one converter. Its hooks for a class are made when the class is first read or written."""
    import cattrs  # here, because most programs import models before they need it

    made = cattrs.Converter(detailed_validation=False)
    for kind, hook in SCALARS.items():
        made.register_structure_hook(kind, hook)  # the one of text is asked for words too: they are subclasses
    made.register_structure_hook_factory(hooks.is_optional, partial(hooks.optional_reader, hook_of=_reader))
    made.register_structure_hook_factory(
        partial(hooks.is_made_of, container=list), partial(hooks.list_reader, hook_of=_reader)
    )
    made.register_structure_hook_factory(
        partial(hooks.is_made_of, container=dict), partial(hooks.map_reader, hook_of=_reader)
    )
    made.register_structure_hook_factory(_is_model, partial(reading.model_reader, hook_of=_reader))
    made.register_unstructure_hook_factory(_is_model, partial(writing.model_writer, hook_of=_writer, to_dict=to_dict))
    return made


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Model)


def _reader(kind: Any) -> hooks.Reader:
    return converter().get_structure_hook(kind)


@cache
def _large_answer_reader(kind: Any) -> hooks.Reader:
    return reading.large_answer_reader(kind, _reader) if _is_model(kind) else _reader(kind)


def _writer(kind: Any) -> writing.Writer:
    return converter().get_unstructure_hook(kind)


def _inside(step: str | int, value: Any) -> Any:
    try:
        return to_dict(value)
    except WrongShape as error:
        raise error.inside(step) from None


def _key(name: Any) -> str:
    if isinstance(name, str):
        return name if type(name) is str else str(name)
    raise WrongShape(f"expected names that are text, got a {type(name).__name__}")


# --- What people type.


def _unknown_keyword(cls: type[Any], keywords: Mapping[str, Any]) -> str | None:
    names = [field.name for field in attrs.fields(cls)]
    for name in keywords:
        if name not in names:
            hint = did_you_mean(name, names)
            return f"{cls.__name__} has no field {name!r}" + (f": {hint}" if hint else "")
    return None


def _from_keywords(cls: type[Model], keywords: Mapping[str, Any]) -> dict[str, Any]:
    if problem := _unknown_keyword(cls, keywords):
        raise TypeError(problem)
    given: dict[str, Any] = dict(keywords.get("unknown_fields") or {})
    for field in hooks.fields_of(cls):
        if (value := keywords.get(field.name)) is not None:
            given[hooks.wire_name(field)] = value
    return given


def _check(made: object, typed: Any, *, complete: bool = True) -> None:
    """Refuse misspelt names, and let the models that were made check themselves.

    `typed` is what they were made from, if that was a mapping or list that a person typed; a model is trusted with its
    unknown fields: the service may have sent them.
    """
    typed = _typed(typed)
    if isinstance(made, Model):
        cls = type(made)
        for name, wire in hooks.holders_of(cls):
            if (value := getattr(made, name)) is not None and isinstance(value, _HOLDERS):
                _check_inside(wire, value, typed and typed[wire], complete)
        if typed is not None:
            if made.unknown_fields:
                _check_names(made)
            for name, wire in hooks.enums_of(cls):
                if (word := getattr(made, name)) is not None and not word.is_known:
                    check_word(type(word), word, wire)
            for name, wire, expected in hooks.mandatory_of(cls):
                if complete and getattr(made, name) is None:
                    got = "null" if wire in typed else "nothing"
                    raise WrongShape(f"expected {expected}, got {got}", (wire,))
        if complete:
            made.check()
    elif isinstance(made, list):
        for index, one in enumerate(made):
            if isinstance(one, _HOLDERS):
                _check_inside(index, one, typed and typed[index], complete)
    elif isinstance(made, dict):
        for name, one in made.items():
            if isinstance(one, _HOLDERS):
                _check_inside(name, one, typed and typed[name], complete)


_HOLDERS: Final = (Model, list, dict)


def _typed(given: Any) -> Any:
    return given if isinstance(given, Mapping | Sequence) else None


def _check_names(made: Model) -> None:
    cls = type(made)
    missing = [hooks.wire_name(field) for field in hooks.fields_of(cls) if getattr(made, field.name) is None]
    for name in made.unknown_fields or ():
        if name in missing:  # a name that is right was given as null
            continue
        if meant := next((field for field in missing if _is_slip(name, field)), None):
            raise WrongShape(f"{cls.__name__} has no field {name!r}: did you mean {meant!r}?")
        _log_unknown(cls, name)


def check_word(cls: type[OpenEnum], word: str | None, *path: str | int) -> None:
    """Refuse a word that is one slip away from a word of `cls`. Others pass: the service may be newer."""
    if isinstance(word, Enum):
        word = word.value
    if not isinstance(word, str) or cls(word).is_known:
        return
    if meant := next((known.value for known in cls if _is_slip(word, known.value)), None):
        raise WrongShape(f"{cls.__name__} has no {word!r}: did you mean {meant!r}?", path)


@lru_cache(256)
def _log_unknown(cls: type[Model], name: str) -> None:
    """Once for each name: the caller knows better, or made a mistake that looks like nothing else."""
    hint = did_you_mean(name, map(hooks.wire_name, hooks.fields_of(cls)))
    log.warning("%s has no field %r%s: it is sent as it is", cls.__name__, name, f" ({hint})" if hint else "")


def _is_slip(typed: str, name: str) -> bool:
    """Whether they differ by one letter, by two letters swapped, or only in how words are joined.

    Looser rules would refuse names of the service itself: min_workers for max_workers, driver_... for worker_...
    """
    typed, name = (re.sub(r"[\W_]", "", one).lower() for one in (typed, name))
    while typed and name and typed[0] == name[0]:
        typed, name = typed[1:], name[1:]
    while typed and name and typed[-1] == name[-1]:
        typed, name = typed[:-1], name[:-1]
    return max(len(typed), len(name)) < 2 or (len(typed) == 2 and typed == name[::-1])


def _check_inside(step: str | int, made: object, typed: object, complete: bool) -> None:
    try:
        _check(made, typed, complete=complete)
    except WrongShape as error:
        raise error.inside(step) from None


show.use_in_pprint(Model.__repr__)
