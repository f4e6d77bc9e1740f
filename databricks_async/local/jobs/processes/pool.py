"""The processes of tasks: started in groups of their own, watched by a thread each, killed when nobody wants them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import attrs

RUNNER = Path(__file__).with_name("runner.py")
MAX_LOG_BYTES = 5 * 1024 * 1024
"""The service keeps the last 5 MB of what a task writes (API reference of `logs`)."""
_TICK = 0.2


@attrs.frozen
class Work:
    """What a process is to do."""

    task: dict[str, Any]
    """What the runner reads, see there."""
    files: dict[str, bytes] = attrs.field(factory=dict, repr=False)
    """The files of its folder, by relative path."""
    variables: dict[str, str] = attrs.field(factory=dict, repr=False)
    """All of its environment."""


@attrs.frozen
class Ended:
    """What became of a process."""

    exit_code: int
    """As shells count it: 128 and the number of the signal for one that was killed."""
    logs: str
    """The last of what it wrote to its standard output and error."""
    result: dict[str, Any] = attrs.field(factory=dict)
    """What the runner reported; empty where it came to no end."""


@attrs.define(eq=False)
class _Process:
    """One process, from before its start to after its end."""

    thread: threading.Thread | None = None
    popen: subprocess.Popen[bytes] | None = None
    stopped: bool = False
    lock: threading.Lock = attrs.field(factory=threading.Lock)

    def stop(self) -> None:
        with self.lock:
            self.stopped = True
            if self.popen is not None and self.popen.returncode is None:
                _kill(self.popen)


@attrs.define(eq=False)
class Processes:
    """All processes of a workspace, by the run ids of their tasks. At once run as many as there are processors."""

    on: bool = False
    """Whether tasks run for real."""
    _all: dict[int, _Process] = attrs.field(factory=dict)
    _turns: threading.Semaphore = attrs.field(factory=lambda: threading.Semaphore(max(2, os.cpu_count() or 1)))

    def start(self, run_id: int, work: Work, ended: Callable[[Ended], None], tick: Callable[[], None]) -> None:
        """Run it. `ended` is called at its end unless it was stopped, `tick` now and then until then.

        Both are called in a thread of their own.
        """
        process = self._all[run_id] = _Process()

        def watch() -> None:
            try:
                try:
                    outcome = self._run(process, work, tick)
                except OSError as error:  # no space on the disk, no more processes
                    outcome = Ended(1, "", {"error": f"{type(error).__name__}: {error}"})
                if outcome is not None:
                    ended(outcome)
            finally:
                if self._all.get(run_id) is process:
                    del self._all[run_id]

        process.thread = threading.Thread(target=watch, name=f"task run {run_id}", daemon=True)
        process.thread.start()

    def __contains__(self, run_id: int) -> bool:
        """Whether the process of a task is there, or waits for its turn."""
        return run_id in self._all

    def __deepcopy__(self, _: object) -> Self:
        """Itself: a copy of the workspace's state is to be looked at, and starts and ends nothing."""
        return self

    def stop(self, run_id: int) -> None:
        """Kill a process and all that it has started; without effect where there is none."""
        process = self._all.pop(run_id, None)
        if process is not None:
            process.stop()

    def stop_all(self) -> list[_Process]:
        """Kill all of them."""
        processes = [*self._all.values()]
        for process in processes:
            process.stop()
        return processes

    def close(self) -> None:
        """Kill all of them, and wait until they are gone."""
        for process in self.stop_all():
            if process.thread is not None and process.thread is not threading.current_thread():
                process.thread.join(10)

    def _run(self, process: _Process, work: Work, tick: Callable[[], None]) -> Ended | None:
        while not self._turns.acquire(timeout=_TICK):
            if process.stopped:
                return None
            tick()
        try:
            with tempfile.TemporaryDirectory(prefix="databricks-async-task-", ignore_cleanup_errors=True) as folder:
                _write(Path(folder), work)
                return _run(process, Path(folder), work, tick)
        finally:
            self._turns.release()


def _write(folder: Path, work: Work) -> None:
    (folder / "workspace").mkdir()
    for name, content in work.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / "task.json").write_text(json.dumps(work.task), encoding="utf-8")


def _run(process: _Process, folder: Path, work: Work, tick: Callable[[], None]) -> Ended | None:
    with contextlib.ExitStack() as stack:
        output = stack.enter_context((folder / "output").open("wb"))
        # A pipe that breaks when this process dies, however it does: the runner then ends its own group.
        own_end, lifeline = _lifeline(stack)
        arguments = [sys.executable, "-u", "-P", str(RUNNER), str(folder), str(lifeline)]
        with process.lock:
            if process.stopped:
                return None
            process.popen = popen = subprocess.Popen(  # noqa: S603 (what `run_tasks` is there for)
                arguments,
                cwd=folder,
                env=work.variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[] if lifeline < 0 else [lifeline],
                start_new_session=True,
            )
        if own_end:
            own_end.close()
        while True:
            try:
                code = popen.wait(_TICK)
                break
            except subprocess.TimeoutExpired:
                tick()
        _kill(popen)  # what it has left behind
    if process.stopped:
        return None
    result: dict[str, Any] = {}
    with contextlib.suppress(FileNotFoundError, ValueError):  # it was killed, or wrote half of it
        result = json.loads((folder / "result.json").read_bytes())
    return Ended(code if code >= 0 else 128 - code, _last(folder / "output"), result)


def _lifeline(stack: contextlib.ExitStack) -> tuple[Any, int]:
    """The end of a pipe that the process gets, as a file and as its number. Without pipes to pass on, none and -1."""
    if os.name != "posix":
        return None, -1
    reader, writer = os.pipe()
    stack.callback(os.close, writer)
    given = stack.enter_context(os.fdopen(reader, "rb"))
    return given, reader


def _kill(popen: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # it is gone; on macOS the latter says so, too
        if os.name == "posix":
            os.killpg(popen.pid, signal.SIGKILL)
        else:
            popen.kill()


def _last(path: Path) -> str:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        # One more than is shown says that it was cut.
        file.seek(max(0, size - MAX_LOG_BYTES - 1))
        return file.read().decode("utf-8", "replace")
