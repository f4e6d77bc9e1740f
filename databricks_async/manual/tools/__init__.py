"""What builds and checks the manual: its pages, links, examples, and the tables that are made from the code."""

import re
from collections.abc import Iterable
from pathlib import Path

HOME = Path(__file__).parent.parent
"""The folder of the manual."""
ROOT = HOME.parent.parent
"""The folder of the repository."""
_LISTED = re.findall(r"^- \[.*?\]\((.+?)\.md\)", (HOME / "index.md").read_text(encoding="utf-8"), re.MULTILINE)
CHAPTERS = ["index", *_LISTED]
"""The chapters in their order, which is that of the list on the first page: paths without suffix."""
RECIPES = sorted(path for path in (HOME / "recipes").glob("*.py") if path.stem not in ("__init__", "index"))
"""The programs that the manual shows as pages."""


PICTURES = HOME / "pictures"
"""What the chapters show."""


def title_of(markdown: str) -> str:
    """The text of the first heading."""
    return re.search(r"^# (.+)$", markdown, re.MULTILINE).group(1).replace("`", "")  # type: ignore[union-attr]


def with_part(text: str, name: str, lines: Iterable[str]) -> str:
    """A text with other lines between the marks of this name. Raises `ValueError` if it has none."""
    begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
    if begin not in text or end not in text.partition(begin)[2]:
        raise ValueError(f"nothing stands between {begin.strip()} and {end}")
    before, _, rest = text.partition(begin)
    return before + begin + "\n" + "\n".join(lines) + "\n\n" + end + rest.partition(end)[2]
