"""Hooks for the kinds of fields that few models have: required ones of every kind, and nulls inside lists."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import attrs
import orjson
import pytest

from databricks_async import codec
from databricks_async.codec import Model, OpenEnum, WrongShape


class Colour(OpenEnum):
    RED = "RED"


@attrs.define(kw_only=True, repr=False)
class Leaf(Model):
    size: int | None = None


@attrs.define(kw_only=True, repr=False)
class Needed(Model):
    count: int
    share: float
    done: bool
    colour: Colour
    names: list[str]
    leaf: Leaf
    leaves: list[Leaf]
    gaps: list[int | None] | None = None


WHOLE: dict[str, Any] = {
    "count": 0,
    "share": 0.5,
    "done": False,
    "colour": "RED",
    "names": [],
    "leaf": {},
    "leaves": [{"size": 1}],
}


def test_required_fields_of_every_kind_are_read_and_written() -> None:
    """Zero, false and empty are there; they are not missing."""
    model = codec.decode(orjson.dumps(WHOLE), Needed)
    assert model == Needed(
        count=0, share=0.5, done=False, colour=Colour.RED, names=[], leaf=Leaf(), leaves=[Leaf(size=1)]
    )
    assert model.as_dict() == WHOLE
    assert codec.build(Needed, MappingProxyType(WHOLE)) == model


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("count", "a whole number"),
        ("share", "a number"),
        ("done", "true or false"),
        ("colour", "text"),
        ("names", "a list"),
        ("leaf", "an object"),
        ("leaves", "a list"),
    ],
)
def test_a_required_field_that_is_missing_or_null_is_an_error(name: str, expected: str) -> None:
    """It names the field and what should be there."""
    rest = {key: value for key, value in WHOLE.items() if key != name}
    with pytest.raises(WrongShape) as caught:
        Needed.from_dict(rest)
    assert str(caught.value) == f"$.{name}: expected {expected}, got nothing"
    with pytest.raises(WrongShape) as caught:
        Needed.from_dict({**rest, name: None})
    assert str(caught.value) == f"$.{name}: expected {expected}, got null"


def test_nulls_in_a_list_that_may_have_them_are_kept() -> None:
    """Where the type says so, and only there."""
    model = Needed.from_dict({**WHOLE, "gaps": [1, None]})
    assert model.gaps == [1, None]
    assert model.as_dict()["gaps"] == [1, None]
    with pytest.raises(WrongShape, match=r"^\$\.gaps\[1\]: expected a whole number, got true$"):
        Needed.from_dict({**WHOLE, "gaps": [None, True]})
    with pytest.raises(WrongShape, match=r"^\$\.leaves\[0\]: expected an object, got null$"):
        Needed.from_dict({**WHOLE, "leaves": [None]})


def test_plain_values_of_other_classes_are_written_as_what_they_are() -> None:
    """A str, int or float of a subclass is text or a number."""
    text, whole = type("Id", (str,), {})("a"), type("Count", (int,), {})(3)
    assert codec.encode({text: [text, whole]}) == b'{"a":["a",3]}'


@attrs.define(kw_only=True, repr=False)
class Quoting(Model):
    leaves: list["Leaf"] | None = None  # noqa: UP037 (a model of a user's own may be written so)


def test_annotations_of_a_users_model_may_quote_names() -> None:
    assert Quoting.from_dict({"leaves": [{"size": 1}]}).leaves == [Leaf(size=1)]


def test_a_model_that_a_user_defines_anew_is_the_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a notebook: its annotations are the same text."""

    def outer(**fields: str) -> Any:
        inner = attrs.make_class(
            "Inner", {name: attrs.field(default=None) for name in fields}, bases=(Model,), kw_only=True
        )
        inner.__annotations__ = fields
        monkeypatch.setitem(globals(), "Inner", inner)
        made = attrs.make_class("Outer", {"inner": attrs.field(default=None)}, bases=(Model,), kw_only=True)
        made.__annotations__ = {"inner": "Inner | None"}
        for one in (inner, made):
            one.__module__ = __name__
        return made

    assert outer(first="int | None").from_dict({"inner": {"first": 1}}).inner.first == 1
    assert outer(second="int | None").from_dict({"inner": {"second": 2}}).inner.second == 2
