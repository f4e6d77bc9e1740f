"""What a run says of itself: whether it is over, whether it did its work, and when.

Here are the tests of `epoch.py`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from databricks_async.codec import Model
from databricks_async.jobs.models import (
    BaseRun,
    RepairHistoryItem,
    Run,
    RunLifeCycleState,
    RunLifecycleStateV2State,
    RunResultState,
    RunState,
    RunStatus,
    RunTask,
    TerminationCodeCode,
)

ENDS = {"TERMINATED", "SKIPPED", "INTERNAL_ERROR"}
SUCCESSES = {"SUCCESS", "SUCCESS_WITH_FAILURES"}
OLD_WORDS = [None, "FROM_TOMORROW", *(word.value for word in RunLifeCycleState)]
RESULTS = [None, "FROM_TOMORROW", *(word.value for word in RunResultState)]
NEW_WORDS = [None, "FROM_TOMORROW", *(word.value for word in RunLifecycleStateV2State)]
CODES = [None, "FROM_TOMORROW", *(word.value for word in TerminationCodeCode)]
KINDS: list[tuple[type[Any], dict[str, Any]]] = [
    (Run, {"run_id": 1}),
    (BaseRun, {"run_id": 1}),
    (RunTask, {"run_id": 1, "task_key": "a"}),
    (RepairHistoryItem, {}),
]


def state(word: str | None, result: str | None) -> dict[str, Any]:
    given = {"life_cycle_state": word, "result_state": result}
    return {"state": {name: value for name, value in given.items() if value is not None}}


def status(word: str | None, code: str | None) -> dict[str, Any]:
    details = {"termination_details": {"code": code}} if code is not None else {}
    return {"status": {**({"state": word} if word is not None else {}), **details}}


@pytest.mark.parametrize(("cls", "ids"), KINDS)
def test_the_older_words_decide_where_they_are_there(cls: type[Any], ids: dict[str, Any]) -> None:
    """Every known life cycle state with every result, and whatever the newer words say beside them."""
    others: list[dict[str, Any]] = [{}, *(status(*pair) for pair in product(NEW_WORDS, CODES))]
    for word, result in product(OLD_WORDS[2:], RESULTS):
        for other in others if result in (None, "SUCCESS", "FAILED") else others[:1]:
            run = cls.from_dict({**ids, **state(word, result), **other})
            assert run.ended is (word in ENDS), (word, result, other)
            assert run.succeeded is (word == "TERMINATED" and result in SUCCESSES), (word, result, other)


@pytest.mark.parametrize(("cls", "ids"), KINDS)
def test_the_newer_words_decide_where_the_older_say_nothing(cls: type[Any], ids: dict[str, Any]) -> None:
    """Every newer state with every code: alone, beside an empty `state`, and beside a word from tomorrow."""
    silent: list[dict[str, Any]] = [{}, state(None, None), state(None, "SUCCESS"), state("FROM_TOMORROW", "SUCCESS")]
    for word, code, other in product(NEW_WORDS, CODES, silent):
        run = cls.from_dict({**ids, **status(word, code), **other})
        assert run.ended is (word == "TERMINATED"), (word, code, other)
        assert run.succeeded is (word == "TERMINATED" and code in SUCCESSES), (word, code, other)


@pytest.mark.parametrize(("cls", "ids"), KINDS)
@pytest.mark.parametrize(
    "said", [{}, state(None, "SUCCESS"), state("FROM_TOMORROW", "SUCCESS"), {"status": {}}, {"state": {}}]
)
def test_what_says_nothing_never_ended(cls: type[Any], ids: dict[str, Any], said: dict[str, Any]) -> None:
    """Neither words from tomorrow nor a result alone are an end."""
    run = cls.from_dict({**ids, **said})
    assert (run.ended, run.succeeded) == (False, False)


def test_runs_that_people_build_answer_too() -> None:
    """In a test of somebody's own, with words or with plain text."""
    run = Run(
        run_id=1, state=RunState(life_cycle_state=RunLifeCycleState.TERMINATED, result_state=RunResultState.SUCCESS)
    )
    assert run.succeeded
    run.state = RunState(life_cycle_state="TERMINATED", result_state="FAILED")  # type: ignore[arg-type]
    assert (run.ended, run.succeeded) == (True, False)
    run = Run(run_id=1, status=RunStatus(state=RunLifecycleStateV2State.RUNNING))
    assert not run.ended


# --- Times.


@pytest.mark.parametrize(("cls", "ids"), KINDS)
def test_times_are_milliseconds_and_datetimes(cls: type[Any], ids: dict[str, Any]) -> None:
    """The fields are the numbers of the service, the properties the same moments in UTC; 0 is not a moment."""
    run = cls.from_dict({**ids, "start_time": 1_758_645_728_123, "end_time": 0})
    assert run.start == datetime(2025, 9, 23, 16, 42, 8, 123_000, UTC)
    assert run.end is None
    assert cls.from_dict({**ids, "end_time": 1_000}).end == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert cls.from_dict(ids).start is None


@pytest.mark.parametrize(("cls", "ids"), KINDS[:3])
@pytest.mark.parametrize(
    ("given", "duration"),
    [
        ({"setup_duration": 1_000, "execution_duration": 500, "cleanup_duration": 1}, timedelta(milliseconds=1_501)),
        ({"run_duration": 90_000, "setup_duration": 0, "execution_duration": 0}, timedelta(seconds=90)),
        ({"run_duration": 90_000, "queue_duration": 5_000}, timedelta(seconds=90)),
        ({"setup_duration": 1_000, "end_time": 0}, None),
        ({"setup_duration": 0, "execution_duration": 0, "cleanup_duration": 0}, None),
        ({}, None),
    ],
)
def test_how_long_it_took(
    cls: type[Any], ids: dict[str, Any], given: dict[str, int], duration: timedelta | None
) -> None:
    """The whole of a run of several tasks, the sum of the parts of one task, and nothing before the end."""
    assert cls.from_dict({**ids, "start_time": 1, "end_time": 2, **given}).duration == duration


def test_what_is_told_of_a_run_is_all_of_its_fields() -> None:
    """Properties are answers, not fields: nothing of them is sent or compared."""
    body = {"run_id": 1, **state("TERMINATED", "SUCCESS"), "start_time": 1, "end_time": 2}
    run: Model = Run.from_dict(body)
    assert run.as_dict() == body
    assert "ended" not in repr(run)
