"""Answers that are nested deeper than anything needs: refused when they are read, and not when they are used.

Tests `nesting.py`.
"""

from __future__ import annotations

import copy
import pickle

import orjson
import pytest

from databricks_async import codec
from databricks_async.clusters.models import ClusterDetails
from databricks_async.errors import DatabricksError, error_from
from databricks_async.jobs.models import Job
from databricks_async.message import Request, Response
from databricks_async.nesting import MAX_DEPTH

LISTS = (b"[", b"1", b"]")
OBJECTS = (b'{"a":', b"1", b"}")
# What brackets are in text does not count.
SLY = (b'["]",', b"1", b',"["]')


def nested(levels, shape):
    opening, inner, closing = shape
    return opening * levels + inner + closing * levels


@pytest.mark.parametrize("shape", [LISTS, OBJECTS, SLY], ids=["lists", "objects", "brackets in text"])
@pytest.mark.parametrize("field", [b"tomorrow", b"spark_conf_of_tomorrow"])
def test_an_answer_of_200_levels_can_be_used(shape, field):
    """Read, copied, pickled, shown and sent."""
    body = b'{"cluster_id": "c", "%b": %b}' % (field, nested(MAX_DEPTH - 1, shape))
    details = codec.decode(body, ClusterDetails)
    assert details.as_dict() == orjson.loads(body)
    assert copy.deepcopy(details) == pickle.loads(pickle.dumps(details)) == details
    assert repr(details)
    assert codec.decode(codec.encode(details), ClusterDetails) == details


@pytest.mark.parametrize("levels", [MAX_DEPTH, 500, 1000, 5000])
@pytest.mark.parametrize("shape", [LISTS, OBJECTS, SLY], ids=["lists", "objects", "brackets in text"])
def test_one_of_more_levels_is_refused(levels, shape):
    """With an error that says so, or that of the JSON reader."""
    body = b'{"cluster_id": "c", "tomorrow": %b}' % nested(levels, shape)
    with pytest.raises(codec.WrongShape, match=r"at most 200 levels of nesting|depth (limit )?exceeded"):
        codec.decode(body, ClusterDetails)


def test_a_task_within_a_task_within_a_task_is_refused():
    """The one shape of the API that can hold itself."""
    task = b'{"task_key": "t", "for_each_task": {"inputs": "[]", "task": '
    body = b'{"job_id": 1, "settings": {"tasks": [%b{"task_key": "t"}%b]}}' % (task * 150, b"}}" * 150)
    with pytest.raises(codec.WrongShape, match="levels of nesting"):
        codec.decode(body, Job)


def test_a_wide_answer_is_no_deep_one():
    """However many brackets it has."""
    body = orjson.dumps({"cluster_id": "c", "tomorrow": [[{}] for _ in range(10_000)]})
    assert len(codec.decode(body, ClusterDetails).as_dict()["tomorrow"]) == 10_000


@pytest.mark.parametrize("levels", [300, 1000])
@pytest.mark.parametrize("status", [200, 400])
def test_a_deep_error_is_an_error(levels, status):
    """Of its status, without what is nested in it."""
    body = b'{"error_code": "X", "details": [%b]}' % nested(levels, (b'{"error":', b"{}", b"}"))
    error = error_from(Request("GET /x", "/x"), Response(status, {}, body))
    assert error is None if status == 200 else isinstance(error, DatabricksError)
    if error is not None:
        assert pickle.loads(pickle.dumps(error)).details == []
    inner = error_from(Request("GET /x", "/x"), Response(400, {}, nested(levels, (b'{"error":', b"{}", b"}"))))
    assert inner is not None
    assert inner.message
