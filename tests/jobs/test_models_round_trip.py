"""Get, change, reset: what is read of a job is written back whole, known or not."""

from __future__ import annotations

from typing import Any, get_args, get_origin, get_type_hints

import attrs
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from databricks_async import codec
from databricks_async.codec import Model, OpenEnum
from databricks_async.jobs.models import JobSettings, PauseStatus, Run, RunIf

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
UNKNOWN_FIELDS = st.dictionaries(st.text(min_size=1, max_size=8).map(lambda name: f"x_{name}"), ANYTHING, max_size=2)
DEEPEST = 5


def values_of(kind: Any, depth: int) -> st.SearchStrategy[Any]:
    """JSON that fits a type."""
    if kind is Any:
        return ANYTHING
    if get_origin(kind) is list:
        return st.lists(values_of(get_args(kind)[0], depth), max_size=2)
    if get_origin(kind) is dict:
        return st.dictionaries(st.text(max_size=5), values_of(get_args(kind)[1], depth), max_size=2)
    if issubclass(kind, Model):
        return objects_of(kind, depth)
    if issubclass(kind, OpenEnum):
        return st.sampled_from([word.value for word in kind]) | st.text(max_size=5)
    plain = {str: st.text(max_size=5), int: st.integers(-(2**53), 2**53), bool: st.booleans()}
    return plain.get(kind, st.floats(allow_nan=False, allow_infinity=False))


@st.composite
def objects_of(draw: st.DrawFn, cls: type[Model], depth: int = 0) -> dict[str, Any]:
    """JSON of a model: a few of its fields, some of them null, and keys it does not know."""
    hints = get_type_hints(cls)
    names = [field.name for field in attrs.fields(cls) if field.name != "unknown_fields"]
    made = draw(UNKNOWN_FIELDS)
    few = st.lists(st.sampled_from(names), max_size=4, unique=True) if names and depth < DEEPEST else st.just([])
    for name in draw(few):
        kinds = [one for one in get_args(hints[name]) if one is not type(None)]
        kind = kinds[0] if len(kinds) == 1 else Any
        null = draw(st.integers(0, 9)) == 0
        made[name] = None if null else draw(values_of(kind, depth + 1))
    return made


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(objects_of(JobSettings))
def test_settings_come_back_whole(body: dict[str, Any]) -> None:
    """Known and unknown keys, nulls, empty lists and words from tomorrow, at any depth."""
    read = codec.decode(orjson.dumps(body), JobSettings)
    assert read.as_dict() == body
    assert orjson.loads(codec.encode(read)) == body


@settings(max_examples=75, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(objects_of(Run))
def test_runs_come_back_whole(body: dict[str, Any]) -> None:
    """The same for what the service says of runs, whatever odd run it is; their answers never fail."""
    read = codec.decode(orjson.dumps(body), Run)
    assert read.as_dict() == body
    assert read.succeeded <= read.ended


def test_a_change_leaves_all_else_as_it_was() -> None:
    """One field is set, and what this version does not know is still there, next to it and below it."""
    body: dict[str, Any] = {
        "name": "nightly",
        "from_tomorrow": {"a": [1, None]},
        "schedule": {"quartz_cron_expression": "0 0 2 * * ?", "timezone_id": "UTC", "pause_status": "NAPPING", "x": 1},
        "job_clusters": [
            {"job_cluster_key": "a", "y": [], "new_cluster": {"spark_version": "1", "z": {}, "autoscale": {"q": 1}}}
        ],
        "tasks": [
            {
                "task_key": "a",
                "quantum_task": {"bits": 3},
                "run_if": "ON_A_WHIM",
                "depends_on": [],
                "libraries": [{"pypi": {"package": "a", "hash": "b"}, "cargo": {"crate": "c"}}],
                "email_notifications": {},
                "health": {"rules": [{"metric": "MOOD", "op": "LESS_THAN", "value": 1, "unit": "x"}]},
            }
        ],
        "tags": {},
    }
    read = JobSettings.from_dict(body)
    assert read.schedule is not None
    assert read.tasks is not None
    assert not PauseStatus("NAPPING").is_known
    assert read.tasks[0].run_if == "ON_A_WHIM"
    assert read.tasks[0].run_if is RunIf("ON_A_WHIM")
    read.schedule.pause_status = PauseStatus.PAUSED
    body["schedule"]["pause_status"] = "PAUSED"
    assert codec.build(JobSettings, read).as_dict() == body


@pytest.mark.parametrize("name", ["tasks", "job_clusters", "parameters", "environments"])
def test_an_empty_list_is_not_an_absent_one(name: str) -> None:
    """`reset` with no tasks takes all tasks away."""
    assert JobSettings.from_dict({name: []}).as_dict() == {name: []}
    assert JobSettings(**{name: []}).as_dict() == {name: []}
    assert JobSettings().as_dict() == {}
