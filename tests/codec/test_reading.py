"""Objects that come again and again are read as the first of them; the source of generated functions.

Here are the tests of `codec/read_field.py`, `codec/generated.py` and `codec/writing.py`.
"""

from __future__ import annotations

import copy
import linecache
import re
import threading
import traceback
from collections.abc import Callable
from typing import Any

import attrs
import orjson
import pytest

from databricks_async.codec import Model, OpenEnum, WrongShape, converter, decode, read_field, reading, writing
from databricks_async.jobs.models import TaskDependency


class Colour(OpenEnum):
    RED = "RED"


@attrs.define(kw_only=True, repr=False)
class Leaf(Model):
    size: int | None = None
    label: str | None = None
    colour: Colour | None = None
    names: list[str] | None = None
    tags: dict[str, str] | None = None


@attrs.define(kw_only=True, repr=False)
class Branch(Model):
    label: str | None = None
    leaf: Leaf | None = None
    other: Leaf | None = None


@attrs.define(kw_only=True, repr=False)
class Node(Model):
    """One field of each kind that has lines of its own."""

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
    branch: Branch | None = None
    branches: list[Branch] | None = None
    things: list[Any] | None = None
    tags: dict[str, str] | None = None
    again: Node | None = None
    lambda_: str | None = attrs.field(default=None, metadata={"wire": "lambda"})


LEAF: dict[str, Any] = {"size": 1, "colour": "RED", "names": ["a"], "tags": {"a": "b"}}
BRANCH: dict[str, Any] = {"label": "a", "leaf": LEAF}
WHOLE: dict[str, Any] = {
    "id": "x",
    "count": 1,
    "share": 0.5,
    "done": True,
    "colour": "RED",
    "anything": {"a": [1]},
    "leaf": LEAF,
    "names": ["a"],
    "colours": ["RED"],
    "leaves": [{"size": 1}, {"label": "a"}],
    "branch": {"leaf": LEAF},
    "branches": [BRANCH, BRANCH],
    "things": [1, {}],
    "tags": {"a": "b"},
    "again": {"id": "y"},
    "lambda": "l",
    "new": {"a": 1},
}
TIMES = 20
"""So often that readers for the keys are made."""


PADDING = {"padding": "x" * 20_000}
"""Makes an answer a large one."""


def outcome(cls: type[Model], received: Any, read: Callable[[type[Model], Any], Model] | None = None) -> Any:
    """All that reading has shown."""
    try:
        model = read(cls, received) if read else cls.from_dict(received)
    except WrongShape as error:
        return str(error)
    assert type(model) is cls
    return model.as_dict(), model.unknown_fields, str(model)


def fresh() -> type[Model]:
    """The same class, of which nothing was read yet."""
    made: type[Model] = attrs.make_class(
        "Node",
        {field.name: attrs.field(default=field.default, metadata=field.metadata) for field in attrs.fields(Node)[1:]},
        bases=(Model,),
        kw_only=True,
        repr=False,
        slots=True,
    )
    made.__annotations__, made.__qualname__ = Node.__annotations__, "fresh.Node"
    return made


CHANGES: list[dict[str, Any]] = [
    {},
    *({name: None} for name in WHOLE),
    *({name: 7} for name in WHOLE),
    *({name: "7"} for name in WHOLE),
    *({name: {}} for name in WHOLE),
    *({name: []} for name in WHOLE),
    {"colour": "PINK"},
    {"colour": "PINK", "leaf": {"size": "x"}},
    {"share": 1, "count": "12"},
    {"leaf": {"size": "x"}},
    *({"leaf": {**LEAF, name: value}} for name in LEAF for value in (None, 7, "7", {}, [], ["a", 7], {"a": []})),
    *({"leaf": {**{key: LEAF[key] for key in LEAF if key != "size"}, name: 1}} for name in ("label", "new")),
    {"leaf": {**LEAF, "new": 1}},
    {"leaf": {"size": None, "new": [[]]}},
    *({"branch": {name: {**LEAF, "size": value}}} for name in ("leaf", "other", "new") for value in (1, None, "7", [])),
    *({"branches": [BRANCH, other, BRANCH]} for other in ({}, [], None, "ab", LEAF, {**BRANCH, "new": 1})),
    *({"branches": [BRANCH, {**BRANCH, name: value}]} for name in BRANCH for value in (None, 7, "7", {}, [], ["a", 7])),
    *(
        {"branches": [{"label": "a", "leaf": {**LEAF, name: value}}]}
        for name in LEAF
        for value in (None, 7, "7", {}, [])
    ),
    {
        "branches": [
            {"label": "a", "leaf": {**LEAF, "names": ["a", 7]}},
            {"label": "a", "leaf": {**LEAF, "tags": {"a": []}}},
        ]
    },
    {"leaves": [{"size": 1}, {"size": []}]},
    {"leaves": [{"size": 1}, None]},
    {"colours": ["PINK", 1]},
    {"names": ["a", True]},
    {"tags": {"a": True}},
    {"tags": {"a": []}},
    {"again": {"id": "y", "again": {"leaf": {}}}},
    {"new": [{"a": {}}]},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_what_comes_often_is_read_as_what_comes_first(change: dict[str, Any]) -> None:
    """With each kind of value in each field, with a key less, with another in its place, and in another order."""
    for _ in range(TIMES):
        Node.from_dict(WHOLE)
    changed = {**WHOLE, **change}
    others = [changed, dict(reversed(changed.items()))]
    for name in change:
        less = {key: value for key, value in changed.items() if key != name}
        others += [less, {**less, "newer": 1}, {**less, "newer": None}]
    others += [{f"{key} "[:-1]: value for key, value in changed.items()}]  # equal keys that are other objects
    first = fresh()
    for received in others:
        assert outcome(Node, received) == outcome(first, received)


@pytest.mark.parametrize(
    "branches", [[], [None], [BRANCH, None], [BRANCH, {"label": "a"}], [BRANCH, 7], [BRANCH, BRANCH]]
)
def test_readers_are_made_of_whatever_comes(branches: list[Any]) -> None:
    """Also of items that have nothing in common: each time is as the first."""
    received, cls = {"id": "x", "branches": branches}, fresh()
    first = outcome(cls, received)
    assert all(outcome(cls, received) == first for _ in range(TIMES))


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_large_answers_are_read_as_small_ones(change: dict[str, Any]) -> None:
    """Though they are emptied meanwhile: nothing is lost, and errors name the same places."""
    received = {**WHOLE, "leaves": WHOLE["leaves"] * 30, **change}

    def read(cls: type[Model], value: Any) -> Model:
        model = decode(orjson.dumps(value | PADDING), cls)
        (model.unknown_fields or {}).pop("padding")
        model.unknown_fields = model.unknown_fields or None
        return model

    for _ in range(2):
        assert outcome(Node, received, read) == outcome(Node, received)


def test_items_of_a_large_answer_are_let_go() -> None:
    """And not those of what a caller gave."""
    received = {**WHOLE, **PADDING}
    given = copy.deepcopy(received)
    assert Node.from_dict(given).as_dict() == received == given
    reader = reading.large_answer_reader(Node, converter().get_structure_hook)
    assert reader(given, Node).as_dict() == received
    assert given == {**received, "leaves": [], "colours": [], "branches": []}


@pytest.mark.parametrize("depth", [120, 250])
def test_a_large_answer_may_be_as_deep_as_a_small_one(depth: int) -> None:
    """Also where it was emptied before its depth is looked at."""
    deep: Any = {}
    for _ in range(depth):
        deep = [deep]
    received = {"id": "x", "leaves": [{"new": deep}]}
    if depth < 200:
        assert decode(orjson.dumps(received | PADDING), Node).as_dict() == received | PADDING
    else:
        for padding in ({}, PADDING):
            with pytest.raises(WrongShape, match=r"^\$: expected at most 200 levels of nesting"):
                decode(orjson.dumps(received | padding), Node)


@pytest.mark.parametrize(("body", "kind"), [(["x" * 20_000], "a list"), ("x" * 20_000, "text")])
def test_a_large_answer_of_another_shape_is_refused(body: Any, kind: str) -> None:
    with pytest.raises(WrongShape, match=rf"^\$: expected an object, got {kind}$"):
        decode(orjson.dumps(body), Node)
    assert decode(orjson.dumps([body]), list[Any]) == [body]


def test_objects_of_as_many_keys_are_told_apart() -> None:
    """However many sets of keys there are, and more than readers are made for."""
    for number in range(40):
        for _ in range(TIMES):
            received = {"id": "x", f"new{number}": number}
            assert outcome(Node, received)[0] == received
            assert outcome(Node, {"id": "x", "count": number})[0] == {"id": "x", "count": number}
    assert len(read_field.readers_by_length(Node)) <= 16


def test_keys_are_never_code() -> None:
    """Whatever they are named; those that are no text are left to the general reader."""
    odd: dict[Any, Any] = {"'": 1, '"\n': 2, "{": 3, "\ud800": 4, "d": 5, "__import__('os')": 6, Colour.RED: 7}
    for received in ({**odd, "size": 1}, {key: odd[key] for key in list(odd)[:-1]}, {1: "a"}):
        for _ in range(TIMES):
            assert Leaf.from_dict(received).unknown_fields == {k: v for k, v in received.items() if k != "size"}


def test_what_is_wrong_far_within_is_looked_for_once() -> None:
    """An object is left to the general reader before anything within it is read, else this would never end."""
    received: dict[str, Any] = {"id": "x", "leaf": {"size": []}}
    for _ in range(60):
        received = {"id": "x", "colour": "NEW", "leaf": {"size": 1}, "again": received}
    for _ in range(TIMES):
        Node.from_dict({**received, "colour": "RED", "again": {"id": "y"}})
    with pytest.raises(WrongShape) as caught:
        Node.from_dict(received)
    assert caught.value.path == ("again",) * 60 + ("leaf", "size")


def test_two_threads_can_read_the_first_objects() -> None:
    """Both make the readers, and one of them is kept."""
    cls = fresh()
    found = []
    threads = [
        threading.Thread(target=lambda: found.extend(outcome(cls, WHOLE) for _ in range(5 * TIMES))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 10 * TIMES
    assert all(one == outcome(Node, WHOLE) for one in found)


def test_lists_and_maps_that_are_written_can_be_changed() -> None:
    """They are no longer those of the model."""
    node = Node.from_dict(WHOLE)
    plain = node.as_dict()
    for name in ("names", "colours", "leaves", "things"):
        plain[name].append("more")
    plain["tags"]["more"] = plain["leaf"]["more"] = "more"
    assert node.as_dict() == WHOLE


def test_what_was_put_into_a_list_is_written_or_named() -> None:
    """Models and mappings are written; what JSON does not know is named with its place."""
    node = Node.from_dict(WHOLE)
    node.leaves = [Leaf(size=1), {"size": 2}]  # type: ignore[list-item]
    node.names = ["a", Colour.RED]
    node.share = 2
    assert {**node.as_dict(), "leaves": 0} == {**WHOLE, "leaves": 0, "names": ["a", "RED"], "share": 2}
    assert node.as_dict()["leaves"] == [{"size": 1}, {"size": 2}]
    assert type(node.as_dict()["names"][1]) is str
    node.leaves.append(Leaf(unknown_fields={"a": {1}}))
    with pytest.raises(WrongShape, match=r"^\$\.leaves\[2\]\.unknown_fields\.a: expected something that JSON knows"):
        node.as_dict()


# --- The source of generated functions.


def test_the_docstrings_show_generated_functions() -> None:
    """As they are: what a debugger shows."""
    for _ in range(TIMES):
        TaskDependency.from_dict({"task_key": "a"}).as_dict()
    found = [
        re.sub(r"_of_keys_\d+\(", "_of_keys_1(", "".join(linecache.getlines(name))).strip()
        for name in [*linecache.cache]
        if name.startswith("<generated ") and name.endswith(f".{TaskDependency.__name__}>")
    ]
    for module, count in ((reading, 2), (writing, 1)):
        shown = [part.replace("\n    ", "\n").strip() for part in (module.__doc__ or "").split("    def ")[1:]]
        assert len(shown) == count
        for one in shown:
            assert f"def {one.partition(chr(10) * 2)[0].strip()}" in found


def test_tracebacks_show_the_lines_of_generated_functions() -> None:
    """linecache has their source, and keeps it when it looks for files that have changed."""
    with pytest.raises(WrongShape) as caught:
        Node.from_dict({"id": "x", "leaf": {"size": "x"}})
    linecache.checkcache()
    assert "in read_Node" in (trace := "".join(traceback.format_exception(caught.value)))
    assert "raise error.inside(at) from None" in trace
