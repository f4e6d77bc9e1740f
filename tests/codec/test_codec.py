"""JSON <-> models: nothing is lost, nothing is guessed, and errors name the place without showing a value."""

from __future__ import annotations

import copy
import pickle
from enum import StrEnum
from typing import Any, get_args, get_origin, get_type_hints

import attrs
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from databricks_async import codec
from databricks_async.clusters.models import (
    AutoScale,
    AwsAttributes,
    AzureAttributes,
    ClusterDetails,
    ClusterEvent,
    ClusterSpec,
    DbfsStorageInfo,
    DockerBasicAuth,
    DockerImage,
    EventDetails,
    GetEventsResponse,
    InitScriptEventDetails,
    InitScriptInfo,
    ListClustersFilterBy,
    ListClustersResponse,
    LogAnalyticsInfo,
    NodeType,
    State,
    WorkspaceStorageInfo,
)
from databricks_async.codec import Model, OpenEnum, WrongShape
from databricks_async.libraries.models import Library, LibraryFullStatus, LibraryInstallStatus


class Colour(OpenEnum):
    RED = "RED"
    DARK_BLUE = "DarkBlue"


@attrs.define(kw_only=True, repr=False)
class Leaf(Model):
    size: int | None = None


@attrs.define(kw_only=True, repr=False)
class Everything(Model):
    """One field of each kind."""

    id: str
    count: int | None = None
    share: float | None = None
    done: bool | None = None
    colour: Colour | None = None
    anything: Any = None
    leaf: Leaf | None = None
    names: list[str] | None = None
    colours: list[Colour] | None = None
    leaves: list[Leaf] | None = None
    tags: dict[str, str] | None = None
    by_name: dict[str, Leaf] | None = None
    colour_by_name: dict[str, Colour] | None = None
    table: list[list[int]] | None = None
    again: Everything | None = None
    lambda_: str | None = attrs.field(default=None, metadata={"wire": "lambda"})


def decoded(value: Any) -> Everything:
    return codec.decode(orjson.dumps({"id": "x", **value}), Everything)


SOME_MORE = {"anything": 1, "lambda": "x", "names": [], "table": [], "tags": {}, "leaves": [], "colours": []}
"""With them an object is read field by field, without them key by key."""


def written(model: Model) -> Any:
    return orjson.loads(codec.encode(model))


# --- Nothing is lost.

WORDS = st.text(st.characters(codec="utf-8"), max_size=6)
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | WORDS
)
ANYTHING = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2), max_leaves=4
)


def json_for(kind: Any) -> st.SearchStrategy[Any]:
    """JSON that a type allows, with words, keys and nulls that it does not know."""
    container, inner = get_origin(kind), get_args(kind)
    if container is list:
        return st.lists(json_for(inner[0]), max_size=2)
    if container is dict:
        return st.dictionaries(WORDS, json_for(inner[1]), max_size=2)
    if container is not None:
        return json_for(inner[0])
    if kind is Any:
        return ANYTHING
    if issubclass(kind, Model):
        return st.deferred(lambda: objects_for(kind))
    if issubclass(kind, StrEnum):
        return st.sampled_from([word.value for word in kind]) | WORDS
    scalars: dict[type, st.SearchStrategy[Any]] = {
        str: WORDS,
        int: st.integers(-(2**63), 2**64 - 1),
        float: st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53),
        bool: st.booleans(),
    }
    return scalars[kind]


@st.composite
def objects_for(draw: st.DrawFn, cls: type[Model]) -> dict[str, Any]:
    hints = get_type_hints(cls)
    fields = [field for field in attrs.fields(cls) if field.name != "unknown_fields"]
    required = [field for field in fields if field.default is attrs.NOTHING]
    optional = [field for field in fields if field.default is not attrs.NOTHING]
    chosen = draw(st.lists(st.sampled_from(optional), max_size=9, unique=True)) if optional else []
    names = {field.name: field.metadata.get("wire", field.name) for field in fields}
    made = {names[field.name]: draw(json_for(hints[field.name])) for field in required}
    made |= {names[field.name]: draw(st.none() | json_for(hints[field.name])) for field in chosen}
    unknown = draw(st.dictionaries(WORDS.map("x-".__add__), ANYTHING, max_size=2))
    return {**unknown, **made} if draw(st.booleans()) else {**made, **unknown}


@pytest.mark.parametrize(
    "cls",
    [Everything, ClusterDetails, ClusterSpec, GetEventsResponse, NodeType, LibraryFullStatus],
    ids=lambda cls: cls.__name__,
)
@settings(max_examples=60, deadline=None, database=None)
@given(data=st.data())
def test_what_was_received_is_written_back_unchanged(cls: type[Model], data: st.DataObject) -> None:
    """Any object, with unknown keys, unknown words and nulls, comes back as it was."""
    received = data.draw(objects_for(cls))
    model = codec.decode(orjson.dumps(received), cls)
    assert written(model) == received
    assert cls.from_dict(model.as_dict()) == model


def test_absent_null_and_empty_are_three_things() -> None:
    """None is absent; a null is remembered; an empty list or map is a value."""
    absent, null, empty = decoded({}), decoded({"names": None, "tags": None}), decoded({"names": [], "tags": {}})
    assert (absent.names, null.names, empty.names) == (None, None, [])
    assert null.unknown_fields == {"names": None, "tags": None}
    assert absent.unknown_fields is None
    assert written(absent) == {"id": "x"}
    assert written(null) == {"id": "x", "names": None, "tags": None}
    assert written(empty) == {"id": "x", "names": [], "tags": {}}
    assert absent != null


def test_a_field_set_later_wins_over_what_was_received_as_null() -> None:
    """A null is written back only as long as the field is not set."""
    for others in ({}, SOME_MORE):
        model = decoded({**others, "count": None})
        model.count = 3
        assert written(model) == {"id": "x", "count": 3, **others}


def test_unknown_keys_survive_evolve_and_copies() -> None:
    """A changed copy sends what the original received, at every level."""
    received = {"new": {"a": [1]}, "leaf": {"size": 1, "colour": "RED"}}
    model = attrs.evolve(decoded(received), count=2)
    assert written(model) == {"id": "x", "count": 2, **received}
    assert copy.deepcopy(model) == model
    assert pickle.loads(pickle.dumps(model)) == model
    assert model != decoded({**received, "new": {"a": [2]}, "count": 2})


def test_unknown_keys_of_one_object_do_not_appear_in_another() -> None:
    """Each object of a list keeps its own unknown keys, whatever the others have."""
    leaves = [{"a": 1}, {"b": 2, "size": None}, {}, {"a": 3, "b": None}, {"c": 4, "a": 1}, {"size": None}]
    model = decoded({"leaves": leaves})
    assert written(model)["leaves"] == leaves
    assert model.leaves is not None
    assert [leaf.unknown_fields for leaf in model.leaves] == [
        {"a": 1},
        {"b": 2, "size": None},
        None,
        {"a": 3, "b": None},
        {"c": 4, "a": 1},
        {"size": None},
    ]


def test_many_different_unknown_keys_are_all_kept() -> None:
    """However many unknown names there were before, the next one is kept too."""
    for number in range(100):
        assert decoded({f"new{number}": number}).unknown_fields == {f"new{number}": number}


def test_names_that_are_words_of_python_have_an_underscore() -> None:
    """`global` is `global_` in Python and `global` in JSON."""
    details = codec.decode(b'{"global": [{"status": "SUCCEEDED"}]}', InitScriptEventDetails)
    assert details.global_ is not None
    assert details.unknown_fields is None
    assert details.as_dict() == {"global": [{"status": "SUCCEEDED"}]}
    assert decoded({"lambda": "x"}).lambda_ == "x"


def test_numbers_of_64_bits_are_exact() -> None:
    """Whole numbers up to the limits of 64 bits keep every digit, also as text, also where they are unknown."""
    model = decoded({"count": 2**63 - 1, "new": 2**64 - 1})
    assert (model.count, model.unknown_fields) == (2**63 - 1, {"new": 2**64 - 1})
    assert decoded({"count": str(-(2**63))}).count == -(2**63)
    assert codec.encode({"count": 2**70}) == b'{"count":%d}' % 2**70


# --- Words of the service.


def test_unknown_words_become_values_everywhere() -> None:
    """In a field, a list and a map; equal to their text, and distinguished by `is_known`."""
    model = decoded({"colour": "PINK", "colours": ["RED", "PINK"], "colour_by_name": {"a": "PINK"}})
    assert model.colour == "PINK"
    assert isinstance(model.colour, Colour)
    assert not model.colour.is_known
    assert model.colours == [Colour.RED, Colour("PINK")]
    assert [colour.is_known for colour in model.colours] == [True, False]
    assert model.colour_by_name == {"a": Colour("PINK")}


def test_any_number_of_unknown_words_is_kept() -> None:
    """Remembering words is bounded, keeping them is not."""
    words = [f"WORD_{number}" for number in range(3_000)]
    model = decoded({"colours": words})
    assert written(model)["colours"] == words


# --- Nothing is guessed.


@pytest.mark.parametrize(
    ("received", "problem"),
    [
        ({"count": "soon"}, "$.count: expected a whole number, got text"),
        ({"count": 7.9}, "$.count: expected a whole number, got a number"),
        ({"count": 7.0}, "$.count: expected a whole number, got a number"),
        ({"count": "7.0"}, "$.count: expected a whole number, got text"),
        ({"count": "\u0661"}, "$.count: expected a whole number, got text"),
        ({"count": True}, "$.count: expected a whole number, got true"),
        ({"share": "half"}, "$.share: expected a number, got text"),
        ({"share": "nan"}, "$.share: expected a number, got text"),
        ({"share": False}, "$.share: expected a number, got false"),
        ({"done": "false"}, "$.done: expected true or false, got text"),
        ({"done": 0}, "$.done: expected true or false, got the number 0"),
        ({"id": 500123}, "$.id: expected text, got a number"),
        ({"id": 7}, "$.id: expected text, got the number 7"),
        ({"id": None}, "$.id: expected text, got null"),
        ({"colour": 3}, "$.colour: expected text, got the number 3"),
        ({"colour": ["RED"]}, "$.colour: expected text, got a list"),
        ({"leaf": "text"}, "$.leaf: expected an object, got text"),
        ({"leaf": []}, "$.leaf: expected an object, got a list"),
        ({"leaf": {"size": {}}}, "$.leaf.size: expected a whole number, got an object"),
        ({"names": "text"}, "$.names: expected a list, got text"),
        ({"names": ["a", None]}, "$.names[1]: expected text, got null"),
        ({"colours": ["RED", 1]}, "$.colours[1]: expected text, got the number 1"),
        ({"leaves": {}}, "$.leaves: expected a list, got an object"),
        ({"leaves": [{}, {"size": "x"}]}, "$.leaves[1].size: expected a whole number, got text"),
        ({"tags": "text"}, "$.tags: expected an object, got text"),
        ({"tags": {"a": "b", "c d": []}}, "$.tags['c d']: expected text, got a list"),
        ({"by_name": {"a": {}, "b": {"size": "x"}}}, "$.by_name.b.size: expected a whole number, got text"),
        ({"colour_by_name": {"a": {}}}, "$.colour_by_name.a: expected text, got an object"),
        ({"table": [[1], [2, "x"]]}, "$.table[1][1]: expected a whole number, got text"),
        (
            {"again": {"id": "y", "again": {"id": "z", "leaf": 1}}},
            "$.again.again.leaf: expected an object, got the number 1",
        ),
        ({"again": {}}, "$.again.id: expected text, got nothing"),
    ],
)
def test_a_wrong_type_is_an_error_that_names_the_place(received: dict[str, Any], problem: str) -> None:
    """The error says where, what was expected and what kind of thing was there."""
    for others in ({}, SOME_MORE):
        with pytest.raises(WrongShape) as caught:
            decoded({**others, **received})
        assert str(caught.value) == problem


def test_the_error_survives_pickle_and_shows_no_value() -> None:
    """It crosses processes, and a secret in the wrong place is not in it."""
    with pytest.raises(WrongShape) as caught:
        decoded({"leaves": [{"size": "hunter2"}]})
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)
    assert again.path == ("leaves", 0, "size")
    assert "hunter2" not in str(again)


@pytest.mark.parametrize(
    "body", [b"", b" ", b"{", b'{"id": "x"', b"<html>login</html>", b'{"id": "\xff"}', b'{"id": NaN}', b"[" * 3_000]
)
def test_a_body_that_is_not_json_is_the_same_error(body: bytes) -> None:
    """Truncated, empty, a web page, broken text: `WrongShape`, without the body in it or in its chain."""
    with pytest.raises(WrongShape, match=r"^\$: expected JSON, got \d+ bytes") as caught:
        codec.decode(body, Everything)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("body", [b"[]", b"null", b"3", b'"text"', b"true"])
def test_json_that_is_no_object_is_the_same_error(body: bytes) -> None:
    """A model is made from an object only."""
    with pytest.raises(WrongShape, match=r"^\$: expected an object, got"):
        codec.decode(body, Everything)


def test_plain_types_are_decoded_as_strictly() -> None:
    """Lists, maps and None can be asked for without a model around them."""
    assert codec.decode(b'[{"size": 1}]', list[Leaf]) == [Leaf(size=1)]
    assert codec.decode(b'{"a": [1, null]}', dict[str, Any]) == {"a": [1, None]}
    with pytest.raises(WrongShape, match=r"^\$\[1\]\.size: "):
        codec.decode(b'[{}, {"size": true}]', list[Leaf])


# --- Building requests.


def test_build_takes_a_mapping_with_models_inside() -> None:
    """Mappings become models, models are copied and left as they are, tuples are lists, words may be text."""
    leaf = Leaf(size=2)
    model = codec.build(
        Everything, {"id": "x", "leaf": leaf, "leaves": (leaf, {"size": 3}), "colour": Colour.RED, "colours": ["PINK"]}
    )
    assert model.leaf == leaf
    assert model.leaves == [leaf, Leaf(size=3)]
    assert (model.colour, model.colours) == (Colour.RED, [Colour("PINK")])
    assert codec.build(Everything, model) == model


def test_build_takes_keywords_by_their_name_in_python() -> None:
    """Keywords that are None are absent; the others may be mappings."""
    model = codec.build(Everything, id="x", leaf={"size": 1}, count=None, lambda_="l", unknown_fields={"new": 1})
    assert model == Everything(id="x", leaf=Leaf(size=1), lambda_="l", unknown_fields={"new": 1})
    with pytest.raises(TypeError, match="Everything has no field 'colur': did you mean 'colour'"):
        codec.build(Everything, id="x", colur="RED")
    with pytest.raises(TypeError, match="not two of them"):
        codec.build(Everything, {"id": "x"}, count=1)


def test_build_refuses_misspelt_names_and_keeps_other_unknown_ones() -> None:
    """A name like that of a field not given is a mistake; any other is the service's business."""
    with pytest.raises(WrongShape, match=r"^\$: Everything has no field 'coluor': did you mean 'colour'\?$"):
        codec.build(Everything, {"id": "x", "coluor": "RED"})
    with pytest.raises(WrongShape, match=r"^\$\.leaves\[1\]: Leaf has no field 'sizes': did you mean 'size'\?$"):
        codec.build(Everything, {"id": "x", "leaves": [{}, {"sizes": 1}]})
    with pytest.raises(WrongShape, match=r"^\$\.by_name\.a: Leaf has no field 'sizes'"):
        codec.build(Everything, {"id": "x", "by_name": {"a": {"sizes": 1}}})
    model = codec.build(
        Everything, {"id": "x", "colour": "RED", "colour_of_the_year": 1, "new_feature": True, "count": None}
    )
    assert model.unknown_fields == {"colour_of_the_year": 1, "new_feature": True, "count": None}


@pytest.mark.parametrize(
    ("mapping", "problem"),
    [
        ({}, "$.id: expected text, got nothing"),
        (SOME_MORE, "$.id: expected text, got nothing"),
        ({"id": "x", "leaf": DbfsStorageInfo(destination="a")}, "$.leaf: expected Leaf, got DbfsStorageInfo"),
        ({"id": "x", "leaves": [{"size": "x"}]}, "$.leaves[0].size: expected a whole number, got text"),
        ({"id": b"x"}, "$.id: expected text, got a bytes"),
        ({"id": "x", "names": {"a"}}, "$.names: expected a list, got a set"),
    ],
)
def test_build_checks_types(mapping: dict[str, Any], problem: str) -> None:
    """What would be refused in an answer is refused in a request, with its place."""
    with pytest.raises(WrongShape) as caught:
        codec.build(Everything, mapping)
    assert str(caught.value) == problem


# --- Writing.


def test_models_are_written_inside_anything() -> None:
    """In mappings, lists and tuples, and in place of other types; words become their text."""
    body = {"cluster": ClusterSpec(spark_version="1"), "rest": [Leaf(size=1), (State.RUNNING, State("NEW"))]}
    assert orjson.loads(codec.encode(body)) == {
        "cluster": {"spark_version": "1"},
        "rest": [{"size": 1}, ["RUNNING", "NEW"]],
    }
    assert all(type(word) is str for word in codec.to_dict([State.RUNNING, State("NEW")]))
    mapping: Any = {"min_workers": 1}
    assert ClusterSpec(spark_version="1", autoscale=mapping).as_dict() == {
        "spark_version": "1",
        "autoscale": {"min_workers": 1},
    }
    assert codec.encode(None) == b"null"


def test_as_dict_shares_nothing_with_the_model() -> None:
    """Changing the dict does not change the model."""
    model = decoded({"names": ["a"], "tags": {"a": "b"}, "new": {"a": []}})
    plain = model.as_dict()
    plain["names"].append("b")
    plain["tags"]["c"] = "d"
    plain["new"]["a"].append(1)
    assert written(model) == {"id": "x", "names": ["a"], "tags": {"a": "b"}, "new": {"a": []}}


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"a": [1.0, float("nan")]}, "$.a[1]: expected a number that JSON knows, got nan"),
        (Everything(id="x", share=float("inf")), "$.share: expected a number that JSON knows, got inf"),
        (Leaf(unknown_fields={"a": float("nan")}), "$.unknown_fields.a: expected a number that JSON knows, got nan"),
        ({"a": {1}}, "$.a: expected something that JSON knows, got a set"),
        ({"a": b"x"}, "$.a: expected something that JSON knows, got a bytes"),
        ({1: "a"}, "$: expected names that are text, got a int"),
        (Everything(id="x", tags={1: "a"}), "$.tags: expected names that are text, got a int"),  # type: ignore[dict-item]
        (
            Everything(id="x", unknown_fields={"new": [object()]}),
            "$.unknown_fields.new[0]: expected something that JSON knows, got a object",
        ),
    ],
)
def test_what_json_does_not_know_is_refused(value: Any, problem: str) -> None:
    """NaN does not become null, and nothing becomes its repr."""
    with pytest.raises(WrongShape) as caught:
        codec.encode(value)
    assert str(caught.value) == problem


def test_text_that_is_not_unicode_is_written_escaped() -> None:
    """A lone surrogate, as in the name of a file, is no reason to fail."""
    assert codec.encode({"a": "\ud800"}) == b'{"a":"\\ud800"}'


# --- What people see.


def test_repr_shows_what_is_set_and_no_secret() -> None:
    """Passwords, keys, values of configuration and of unknown fields are hidden; their names are not."""
    spec = ClusterSpec(
        spark_version="15.4.x-scala2.12",
        spark_conf={"fs.key": "hunter1"},
        spark_env_vars={"TOKEN": "hunter2"},
        docker_image=DockerImage(basic_auth=DockerBasicAuth(username="me", password="hunter3")),
        azure_attributes=AzureAttributes(log_analytics_info=LogAnalyticsInfo(log_analytics_primary_key="hunter4")),
        unknown_fields={"new": "hunter5"},
    )
    event = ClusterEvent(
        cluster_id="a", details=EventDetails.from_dict({"attributes": {"spark_conf": {"k": "hunter6"}}})
    )
    shown = f"{spec} {event}"
    assert "hunter" not in shown
    for part in (
        "spark_version='15.4.x-scala2.12'",
        "{'fs.key': '***'}",
        "{'TOKEN': '***'}",
        "username='me'",
        "password='***'",
    ):
        assert part in shown
    assert "unknown_fields={'new': '***'}" in shown
    assert "None" not in shown
    assert repr(AutoScale(min_workers=1)) == "AutoScale(min_workers=1)"


def test_the_converter_is_cattrs_and_can_be_used_as_such() -> None:
    """Other attrs classes can hold models, through the same converter."""

    @attrs.define
    class Report:
        clusters: list[ClusterDetails]

    converter = codec.converter()
    report = converter.structure({"clusters": [{"cluster_id": "a", "state": "NEW"}]}, Report)
    assert report.clusters[0].state == "NEW"
    assert converter.unstructure(report) == {"clusters": [{"cluster_id": "a", "state": "NEW"}]}


def test_unused_fields_of_other_classes_do_not_matter() -> None:
    """A page decodes whatever else its classes could hold."""
    page = codec.decode(
        b'{"clusters": [{"cluster_id": "a", "aws_attributes": {"zone_id": "z"}}]}', ListClustersResponse
    )
    assert page.clusters is not None
    assert page.clusters[0].aws_attributes == AwsAttributes(zone_id="z")
    assert ListClustersFilterBy(cluster_states=[State.RUNNING]).as_dict() == {"cluster_states": ["RUNNING"]}
    assert Library(whl="a").as_dict() == {"whl": "a"}
    assert InitScriptInfo(workspace=WorkspaceStorageInfo(destination="/a")).as_dict() == {
        "workspace": {"destination": "/a"}
    }
    assert LibraryFullStatus(status=LibraryInstallStatus.FAILED).as_dict() == {"status": "FAILED"}
