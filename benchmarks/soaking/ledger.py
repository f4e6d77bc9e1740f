"""The ledger of both sides: what the client asked and was told, what the service did, and whether the two agree."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import TypeVar

import attrs

from databricks_async.errors import (
    ConnectError,
    DatabricksError,
    InvalidResponse,
    OutcomeUnknown,
)

T = TypeVar("T")

DONE, NOT_DONE, UNKNOWN = "done", "not done", "unknown"
"""What the client was told of a write."""
GONE, PERHAPS_GONE = "gone", "perhaps gone"
"""Notes of their own: what the write made was deleted, as far as that was told."""

HUNG_SECONDS = 200.0
"""A call that takes longer hangs: each of its tries ends after 5 s, and its budget after 100."""

ONCE_KINDS = frozenset(
    {
        "clusters/create",
        "clusters/restart",
        "clusters/edit",
        "clusters/update",
        "jobs/create",
        "jobs/run-now",
        "jobs/runs/submit",
        "jobs/runs/repair",
    }
)
"""Writes that do something more each time that they are carried out: one for each that was asked for, and no more."""

MAKING_KINDS = frozenset({"clusters/create", "jobs/create", "workspace/mkdirs", "workspace/import"})
"""Writes that make something that is listed at the end, unless the client has seen to its end."""


class Stopped(Exception):
    """What became of a write is not known, so that its task goes no further with what it may have made."""


@attrs.define
class Row:
    """All the operations of one kind."""

    asked: int = 0
    done: int = 0
    not_done: int = 0
    unknown: int = 0
    effects: int = 0
    """What the service did, as far as the client asked for it."""


def is_unreadable(error: DatabricksError) -> bool:
    """Whether an answer was garbage, as some faults make it; that of a failed call may be one, too."""
    return isinstance(error, InvalidResponse) or "the answer is not valid JSON" in str(error)


class Books:
    """The client's side. Writes go to a file, since a million of them would make the memory grow."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w")
        self.reads = Counter[str]()
        self.unreadable = Counter[str]()
        """Reads whose answer was garbage, which the client said: nothing is to be made of such an answer."""
        self.longest = (0.0, "")
        """The seconds of the call that took longest, and its kind."""
        self.complaints: list[str] = []
        self.wrong = 0
        self.hung = 0
        self.unexplained = 0

    async def write(self, kind: str, marker: str, call: Awaitable[T], *, give_up_after: float | None = None) -> T:
        """Make a write, and note what was told of it. Raises `Stopped` when that is not that it was done.

        `give_up_after` cancels it after so many seconds, as a caller may.
        """
        told, began = UNKNOWN, time.monotonic()
        try:
            async with asyncio.timeout(give_up_after), asyncio.timeout(HUNG_SECONDS):
                result = await call
            told = DONE
        except TimeoutError:
            if give_up_after is None:
                self._complain("hung", f"{kind} {marker} for {HUNG_SECONDS:g} s")
        except OutcomeUnknown:
            pass
        except ConnectError as error:
            # What may be sent twice may have been lost before.
            told = NOT_DONE if kind in ONCE_KINDS else UNKNOWN
            self._complain("unexplained", f"{kind} {marker}: {error!r}")
        except InvalidResponse as error:
            # It was carried out, most probably, and its answer was garbage.
            told = UNKNOWN if error.status is not None and error.status < 300 else NOT_DONE
        except DatabricksError as error:
            told = NOT_DONE if error.status is not None and 400 <= error.status < 500 else UNKNOWN
            if not is_unreadable(error):
                self._complain("unexplained", f"{kind} {marker}: {error!r}")
        finally:
            self.note(kind, marker, told)
            self._took(kind, began)
        if told != DONE:
            raise Stopped(kind)
        return result

    async def read(self, kind: str, call: Awaitable[T], is_right: Callable[[T], bool]) -> T:
        """Make a call that changes nothing, and see whether its answer is what it has to be."""
        self.reads[kind] += 1
        began = time.monotonic()
        try:
            async with asyncio.timeout(HUNG_SECONDS):
                result = await call
        except TimeoutError:
            self._complain("hung", f"{kind} for {HUNG_SECONDS:g} s")
            raise Stopped(kind) from None
        except DatabricksError as error:
            if is_unreadable(error):
                self.unreadable[kind] += 1
            else:
                self._complain("unexplained", f"{kind}: {error!r}")
            raise Stopped(kind) from None
        finally:
            self._took(kind, began)
        if not is_right(result):
            self._complain("wrong", f"{kind}: {result!r:.300}")
        return result

    def note(self, kind: str, marker: str, told: str) -> None:
        self._file.write(f"{kind}\t{marker}\t{told}\n")

    def wrong_unless(self, right: bool, what: str) -> None:
        """Note that something is not as it has to be."""
        if not right:
            self._complain("wrong", what)

    def explained_if(self, known: bool, what: str) -> None:
        """Note an error that should not have come."""
        if not known:
            self._complain("unexplained", what)

    def close(self) -> None:
        self._file.close()

    def _took(self, kind: str, began: float) -> None:
        self.longest = max(self.longest, (time.monotonic() - began, kind))

    def _complain(self, which: str, what: str) -> None:
        setattr(self, which, getattr(self, which) + 1)
        if len(self.complaints) < 20:
            self.complaints.append(f"{which}: {what}")


class Effects:
    """The service's side: what it did, a line each."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w")

    def did(self, kind: str, marker: str, made: object) -> None:
        """An operation was carried out; `made` names what it made, if it made anything."""
        self._file.write(f"{kind}\t{marker}\t{made}\n")

    def flush(self) -> None:
        self._file.flush()


@attrs.define
class Verdict:
    """What the two sides make of each other."""

    rows: dict[str, Row]
    lost: list[str]
    """Told done, and the service has not done it."""
    doubled: list[str]
    """Done more often than asked for."""
    wrong: list[str]
    """Told not done, and the service did it."""
    unexplained: list[str]
    """Done by the service, and never asked for; or there at the end, and not left there."""


def compare(told: Iterable[str], did: Iterable[str], left: Iterable[tuple[str, str]] | None = None) -> Verdict:
    """Compare the lines of both sides, and with them what is `left` in the service: kinds and markers."""
    rows = defaultdict[str, Row](Row)
    asked = defaultdict[tuple[str, str], Counter[str]](Counter)
    for line in told:
        kind, marker, word = line.rstrip("\n").split("\t")
        asked[kind, marker][word] += 1
    made = defaultdict[tuple[str, str], Counter[str]](Counter)
    for line in did:
        kind, marker, what = line.rstrip("\n").split("\t")
        made[kind, marker][what] += 1
    verdict = Verdict(rows, [], [], [], [])
    for (kind, marker), words in asked.items():
        # Carried out twice with one token, it answers with what it made the first time: each name counts once.
        names = made.get((kind, marker), Counter())
        effects = sum(names.values()) if "" in names else len(names)
        done, not_done, unknown = words[DONE], words[NOT_DONE], words[UNKNOWN]
        row, what = rows[kind], f"{kind} {marker}: told {dict(words)}, done {dict(names)}"
        row.asked += done + not_done + unknown
        row.done += done
        row.not_done += not_done
        row.unknown += unknown
        row.effects += effects
        if effects < (done if kind in ONCE_KINDS else min(done, 1)):
            verdict.lost.append(what)
        if kind in ONCE_KINDS and effects > done + unknown:
            (verdict.doubled if done + unknown else verdict.wrong).append(what)
        elif effects and not done + unknown:
            verdict.wrong.append(what)
    verdict.unexplained += [
        f"{kind} {marker}: done {dict(names)}, never asked for"
        for (kind, marker), names in made.items()
        if (kind, marker) not in asked
    ]
    if left is not None:
        _compare_left(verdict, asked, Counter(left))
    return verdict


def _compare_left(verdict: Verdict, asked: dict[tuple[str, str], Counter[str]], left: Counter[tuple[str, str]]) -> None:
    """What is there at the end: once what was made and left, perhaps what was told unknown, and nothing else."""
    for (kind, marker), count in left.items():
        words = asked.get((kind, marker), Counter())
        if count > 1 and kind in ONCE_KINDS:
            verdict.doubled.append(f"{kind} {marker} is there {count} times")
        if words[GONE] or not words[DONE] + words[UNKNOWN]:
            verdict.unexplained.append(f"{kind} {marker} is there at the end, told {dict(words)}")
    for (kind, marker), words in asked.items():
        if (
            kind in MAKING_KINDS
            and words[DONE]
            and not words[GONE] + words[PERHAPS_GONE]
            and (kind, marker) not in left
        ):
            verdict.lost.append(f"{kind} {marker} is not there at the end, told {dict(words)}")
