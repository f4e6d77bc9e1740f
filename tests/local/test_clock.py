"""The three kinds of clocks."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

import pytest

from databricks_async.local import Clock, LocalWorkspace


def test_a_clock_by_hand_moves_only_when_told():
    """From where it was set, by the millisecond."""
    clock = Clock.by_hand(datetime(2026, 1, 1, tzinfo=UTC))
    assert clock.now() == 1767225600000
    clock.advance(0.001)
    clock.advance(299.999)
    assert clock.now() == 1767225600000 + 300_000


def test_a_clock_never_moves_back():
    """Advancing by less than nothing is a mistake."""
    with pytest.raises(ValueError, match="forward"):
        Clock.by_hand().advance(-1)


def test_a_real_clock_tells_the_time_of_day():
    """And can still jump ahead."""
    clock = Clock.real()
    assert abs(clock.now() - time.time() * 1000) < 1000
    clock.advance(3600)
    assert abs(clock.now() - time.time() * 1000 - 3_600_000) < 1000


def test_a_sped_up_clock_runs_faster_but_not_for_its_clients():
    """Token lifetimes and rate limits go by the client's own watch."""
    clock = Clock.sped_up(1_000_000)
    began, client_began = clock.now(), clock.client_time()
    while clock.now() - began < 3_600_000:
        pass
    assert clock.client_time() - client_began < 60


async def test_a_workspace_makes_clusters_run_by_itself_unless_told_otherwise():
    """The default clock moves by itself."""
    workspace = LocalWorkspace()
    began = workspace.clock.now()
    while workspace.clock.now() == began:
        pass
    assert workspace.clock.now() > began


@pytest.mark.parametrize(
    ("clock", "write"),
    [
        (Clock.by_hand, "Clock.by_hand()"),
        (Clock.real, "Clock.real()"),
        (Clock.sped_up, "Clock.sped_up(1000)"),
    ],
)
def test_a_clock_has_to_be_made(clock, write):
    with pytest.raises(TypeError, match=re.escape(f"clock must be a Clock, not a method: write clock={write}")):
        LocalWorkspace(clock=clock)
