"""What runs within the process of a task: its script, notebook or wheel, with the `dbutils` that tasks need.

Started as a program with a folder, in which `task.json` says what to do and `result.json` will say what came of it. It
imports nothing but the standard library, and nothing of this package.
"""

from __future__ import annotations

import ast
import asyncio
import importlib
import inspect
import json
import linecache
import os
import runpy
import signal
import sys
import threading
import traceback
from importlib import metadata
from types import ModuleType
from typing import Any, NoReturn

_MAX_VALUE_BYTES = 48 * 1024
"""learn.microsoft.com/azure/databricks/jobs/task-values: the maximum of a task value as JSON."""


class NotebookExit(BaseException):
    """`dbutils.notebook.exit` was called."""


class InputWidgetNotDefined(Exception):
    """There is no widget and no parameter of this name."""


class _Part:
    """A part of `dbutils`: what is not there says so."""

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(
            f"dbutils has no {name!r} here: a local workspace has dbutils.widgets, dbutils.notebook.exit and "
            "dbutils.jobs.taskValues"
        )


class Widgets(_Part):
    """`dbutils.widgets`: parameters win over the defaults that a notebook declares."""

    def __init__(self, parameters: dict[str, str]) -> None:
        self._parameters = parameters
        self._defaults: dict[str, str] = {}

    def get(self, name: str) -> str:
        """The value of a parameter, or the default of the widget."""
        for values in (self._parameters, self._defaults):
            if name in values:
                return values[name]
        # The words: those of com.databricks.dbutils_v1.InputWidgetNotDefined.
        raise InputWidgetNotDefined(f"No input widget named {name} is defined")

    def getAll(self) -> dict[str, str]:  # noqa: N802 (as dbutils calls it)
        """All parameters and widgets."""
        return {**self._defaults, **self._parameters}

    def text(self, name: str, defaultValue: str, label: str = "") -> None:  # noqa: N803
        """Declare a widget with a default."""
        self._defaults[name] = str(defaultValue)

    def dropdown(self, name: str, defaultValue: str, choices: list[str], label: str = "") -> None:  # noqa: N803
        """Declare a widget with a default."""
        self._defaults[name] = str(defaultValue)

    combobox = multiselect = dropdown

    def remove(self, name: str) -> None:
        """Forget a widget."""
        self._defaults.pop(name, None)

    def removeAll(self) -> None:  # noqa: N802
        """Forget all widgets."""
        self._defaults.clear()


class TaskValues(_Part):
    """`dbutils.jobs.taskValues`: what tasks of a run tell the tasks after them."""

    def __init__(self, values: dict[str, dict[str, Any]]) -> None:
        self._values = values
        self.new: dict[str, Any] = {}

    def set(self, key: str, value: Any) -> None:
        """Leave a value for later tasks: anything that is JSON, of at most 48 KiB."""
        written = json.dumps(value)
        if len(written.encode()) > _MAX_VALUE_BYTES:
            raise ValueError(f"The task value {key} has more than {_MAX_VALUE_BYTES} bytes as JSON")
        self.new[key] = json.loads(written)

    def get(self, taskKey: str, key: str, default: Any = None, debugValue: Any = None) -> Any:  # noqa: N803
        """The value that a task before this one left; `default` where it left none."""
        values = self._values.get(taskKey, {})
        if key in values:
            return values[key]
        if default is None:
            raise ValueError(f"The task {taskKey} has set no task value {key}, and no default was given")
        return default


class Notebook(_Part):
    """`dbutils.notebook`."""

    def exit(self, value: Any) -> NoReturn:
        """End the notebook with this value."""
        raise NotebookExit(str(value))


class Jobs(_Part):
    """`dbutils.jobs`."""

    def __init__(self, values: dict[str, dict[str, Any]]) -> None:
        self.taskValues = TaskValues(values)


class DBUtils(_Part):
    """What a notebook finds as `dbutils`, and a script by `from databricks.sdk.runtime import dbutils`."""

    def __init__(self, task: dict[str, Any]) -> None:
        self.widgets = Widgets(task["parameters"])
        self.notebook = Notebook()
        self.jobs = Jobs(task["values"])


def main(folder: str, lifeline: int) -> int:
    """Do what the folder says; returns the exit code of the process."""
    if lifeline >= 0:
        threading.Thread(target=_die_with, args=[lifeline], daemon=True).start()
    with open(os.path.join(folder, "task.json"), encoding="utf-8") as file:
        task = json.load(file)
    os.chdir(os.path.join(folder, task["directory"]))
    sys.argv[:] = task["argv"]
    sys.path[:0] = [*(os.path.join(folder, wheel) for wheel in task["wheels"]), os.getcwd()]
    dbutils = DBUtils(task)
    _offer(dbutils)
    result: dict[str, Any] = {"output": None, "error": None, "error_trace": None}
    try:
        {"script": run_script, "notebook": run_notebook, "wheel": run_wheel}[task["kind"]](task, dbutils)
    except NotebookExit as end:
        result["output"] = str(end)
    except SystemExit as end:
        if end.code not in (None, 0):
            _report(result, end)
    except BaseException as error:  # whatever it is, it is the task's own
        _report(result, error)
    result["values"] = dbutils.jobs.taskValues.new
    with open(os.path.join(folder, "result.json"), "w", encoding="utf-8") as file:
        json.dump(result, file)
    return 0 if result["error"] is None else 1


def run_script(task: dict[str, Any], _: DBUtils) -> None:
    """A file, as the main program."""
    runpy.run_path(task["path"], run_name="__main__")


def run_wheel(task: dict[str, Any], _: DBUtils) -> None:
    """An entry point of an installed package or a wheel; where there is none of the name, a function of the package."""
    package, name = task["package"], task["entry_point"]
    try:
        found = [one for one in metadata.distribution(package).entry_points if one.name == name]
    except metadata.PackageNotFoundError:
        # The words: databrickslabs/ucx issue 3038.
        message = f"Python wheel with name {package} could not be found. Please check the driver logs for more details"
        raise ModuleNotFoundError(message) from None
    function = found[0].load() if found else getattr(importlib.import_module(package.replace("-", "_")), name)
    function()


def run_notebook(task: dict[str, Any], dbutils: DBUtils) -> None:
    """The cells one after the other, in one namespace; `await` may stand outside of functions."""
    module = sys.modules["__main__"] = ModuleType("__main__")
    names = vars(module)
    names |= {"dbutils": dbutils, "display": print, "displayHTML": print, "getArgument": dbutils.widgets.get}
    with asyncio.Runner() as runner:
        for number, cell in enumerate(task["cells"], 1):
            if "refused" in cell:
                raise NotImplementedError(cell["refused"])
            filename = f"{cell['notebook']} (cell {number})"
            source = cell["source"]
            linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
            code = compile(source, filename, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
            made = eval(code, names)  # noqa: S307 (the notebook's own code)
            if code.co_flags & inspect.CO_COROUTINE:
                runner.run(made)


def _report(result: dict[str, Any], error: BaseException) -> None:
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename in (__file__, runpy.__file__, "<frozen runpy>"):
        trace = trace.tb_next
    result["error"] = f"{type(error).__name__}: {error}".removesuffix(": ")
    result["error_trace"] = "".join(traceback.format_exception(type(error), error, trace))
    print(result["error_trace"], file=sys.stderr, end="")


def _offer(dbutils: DBUtils) -> None:
    """Let `from databricks.sdk.runtime import dbutils` find it, which asks the module of Databricks' own runtime."""
    runtime = ModuleType("dbruntime")

    class UserNamespaceInitializer:
        @classmethod
        def getOrCreate(cls) -> UserNamespaceInitializer:  # noqa: N802
            return cls()

        def get_namespace_globals(self) -> dict[str, Any]:
            return {"dbutils": dbutils, "display": print, "displayHTML": print, "getArgument": dbutils.widgets.get}

    runtime.UserNamespaceInitializer = UserNamespaceInitializer  # type: ignore[attr-defined]
    sys.modules["dbruntime"] = runtime


def _die_with(lifeline: int) -> None:
    """End this process and those that it has started when the workspace's process is gone."""
    os.read(lifeline, 1)
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
