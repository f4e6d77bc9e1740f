"""Requests built from models whose fields may have been set to anything.

Here are the tests of `codec/shape.py`.
"""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from databricks_async import codec
from databricks_async.clusters.models import ClusterSpec
from databricks_async.codec import Model, WrongShape


@attrs.define(kw_only=True, repr=False)
class Leaf(Model):
    size: int | None = None
    names: list[str] | None = None


@attrs.define(kw_only=True, repr=False)
class Everything(Model):
    id: str
    leaf: Leaf | None = None
    leaves: list[Leaf] | None = None


def test_build_checks_the_models_inside_a_mapping() -> None:
    """What they hold may have been changed to anything."""
    leaf = Leaf(names=["a"])
    assert leaf.names is not None
    leaf.names.append([])  # type: ignore[arg-type]
    with pytest.raises(WrongShape) as caught:
        codec.build(Everything, id="x", leaves=[Leaf(size=1), leaf])
    assert str(caught.value) == "$.leaves[1].names[1]: expected text, got a list"


def test_build_mends_the_models_inside_a_mapping() -> None:
    """Mappings in place of models, tuples, and numbers as text become what their fields say; what was given stays."""
    leaf, inner = Leaf(size="7"), {"size": 1}  # type: ignore[arg-type]
    given = Everything(id="x", leaf=leaf, leaves=(inner, Leaf(size=2)))  # type: ignore[arg-type]
    model = codec.build(Everything, given)
    assert model == Everything(id="x", leaf=Leaf(size=7), leaves=[Leaf(size=1), Leaf(size=2)])
    assert (given.leaf, given.leaves, inner) == (leaf, (inner, Leaf(size=2)), {"size": 1})
    assert leaf.size == "7"


def test_build_takes_a_model_of_a_class_that_it_extends() -> None:
    """All of its fields are there, so that nothing is a misspelling."""

    @attrs.define(kw_only=True, repr=False)
    class BigLeaf(Leaf):
        weight: int | None = None

    model = codec.build(BigLeaf, Leaf(size=1, unknown_fields={"sizes": 2}))
    assert (type(model), model) == (BigLeaf, BigLeaf(size=1, unknown_fields={"sizes": 2}))
    with pytest.raises(WrongShape, match=r"expected Leaf, got Everything"):
        codec.build(Leaf, Everything(id="x"))


def test_build_trusts_what_a_model_received() -> None:
    """An unknown field that the service sent is not a misspelling, however much it looks like one."""
    leaf = codec.decode(b'{"sizes": 1}', Leaf)
    assert codec.build(Everything, {"id": "x", "leaf": leaf}).leaf == leaf
    assert codec.build(Leaf, leaf) == leaf


def test_a_misspelt_keyword_names_the_right_one() -> None:
    """The constructors of all models name the nearest field."""
    with pytest.raises(TypeError, match="ClusterSpec has no field 'spark_versoin': did you mean 'spark_version'"):
        ClusterSpec(spark_versoin="15.4.x-scala2.12")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"Leaf has no field 'zzz'$"):
        Leaf(zzz=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"missing 1 required keyword-only argument: 'id'"):
        Everything()  # type: ignore[call-arg]


# --- Checks of their own.


@attrs.define(kw_only=True, repr=False)
class Range(Model):
    """Checks two fields against each other."""

    least: int | None = None
    most: int | None = None

    def check(self) -> None:
        if self.least is not None and self.most is not None and self.least > self.most:
            raise WrongShape("least is more than most")


@attrs.define(kw_only=True, repr=False)
class Ranges(Model):
    ranges: list[Range] | None = None
    by_name: dict[str, Range] | None = None


@pytest.mark.parametrize("make", [dict, Range])
def test_a_model_checks_itself_wherever_it_stands(make: Any) -> None:
    """When the request is built: it can be filled step by step before."""
    wrong = make(least=2, most=1)
    for given, place in (({"ranges": [make(), wrong]}, "$.ranges[1]"), ({"by_name": {"a": wrong}}, "$.by_name.a")):
        for build in (lambda given: codec.build(Ranges, given), lambda given: codec.build(Ranges, Ranges(**given))):
            with pytest.raises(WrongShape) as caught:
                build(given)
            assert str(caught.value) == f"{place}: least is more than most"
