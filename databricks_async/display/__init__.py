"""How things show themselves where no rule of their own is needed: a small HTML table, and text that is cut short."""

from __future__ import annotations

from collections.abc import Iterable

_MAX_CELL = 200


def table(title: str, rows: Iterable[tuple[str, object]]) -> str:
    """The HTML of a title and named values, everything escaped and cut short. What is None is left out."""
    import html  # here, because only notebooks need it

    left = "style='text-align: left'"
    lines = [
        f"<tr><th {left}>{html.escape(name)}</th><td {left}>{html.escape(_text(value))}</td></tr>"
        for name, value in rows
        if value is not None
    ]
    return f"<table><caption>{html.escape(title)}</caption>{''.join(lines)}</table>"


def cut(text: str, limit: int) -> str:
    """The text, or its beginning and an ellipsis: at most so many characters."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _text(value: object) -> str:
    return cut(value if type(value) is str else repr(value), _MAX_CELL)
