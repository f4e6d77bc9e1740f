"""The examples of README and manual: found by the tests that run them, and written out for the type checker.

`python -m databricks_async.manual.tools.examples DIRECTORY` writes each as a module, which mypy then reads.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent
from typing import Any

import attrs

from databricks_async.manual.tools import CHAPTERS, HOME, ROOT

FILES = [ROOT / "README.md", *(HOME / f"{name}.md" for name in CHAPTERS)]
_GIVEN = 'cluster_id: str = ""\n"""What examples take as given: the id of a running cluster."""\n'


@attrs.frozen
class Example:
    """A block of Python in a Markdown file."""

    file: Path
    line: int
    code: str

    @property
    def name(self) -> str:
        """Where it stands: `manual/jobs.md:12`."""
        return f"{self.file.relative_to(ROOT).as_posix().removeprefix('databricks_async/')}:{self.line}"

    @property
    def kind(self) -> str:
        """How it is run: as a `test`, `app`, `script`, as code of the `official` SDK, or as a `snippet`."""
        marks = {"test": "def test_", "app": "FastAPI(", "script": "asyncio.run(", "official": "# databricks-sdk\n"}
        return next((kind for kind, mark in marks.items() if mark in self.code), "snippet")

    def as_module(self) -> str:
        """The same for a type checker, to which `await` has to stand in a function."""
        if self.kind == "official":
            return f"# mypy: ignore-errors\n{self.code}"  # another library's types
        if self.kind != "snippet":
            return self.code
        return f"{_GIVEN}\n\nasync def example() -> None:\n{indent(self.code, '    ')}"


def examples() -> Iterator[Example]:
    """All examples, in the order of the manual."""
    for file in FILES:
        text = file.read_text(encoding="utf-8")
        for match in re.finditer(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            yield Example(file, text.count("\n", 0, match.start()) + 2, match.group(1))


def write(directory: Path) -> int:
    """Write each example as a module of its own. Returns how many there are."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    (directory / "__init__.py").write_text('"""The examples of the manual."""\n', encoding="utf-8")
    found = [*examples()]
    for example in found:
        name = re.sub(r"\W", "_", example.name)
        text = f'"""{example.name}"""\n\n{example.as_module()}'
        (directory / f"{name}.py").write_text(text, encoding="utf-8")
    return len(found)


def main(arguments: list[str]) -> Any:
    if len(arguments) != 1:
        return __doc__
    print(f"{write(Path(arguments[0]))} examples in {arguments[0]}")
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
