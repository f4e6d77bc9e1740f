"""The notation of faults in a line of text: `GET */clusters/get=503/html,retry-after=2:3@0.2`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

import attrs

SCHEDULE = ("skip", "every", "from", "until")
"""The options that say when a fault strikes."""

_ENDPOINT = re.compile(r"\*.*|[A-Z]+ .+|CONNECT")
_END = re.compile(r"(?::(?P<times>\d+))?(?:@(?P<probability>\d+(?:\.\d*)?|\.\d+)(?P<percent>%)?)?$")


@attrs.frozen
class Written:
    """One fault as it was written down; what its words mean is not decided here."""

    endpoint: str
    name: str
    body: str | None
    value: str | None
    options: dict[str, str]
    """Those behind commas; one that is only a word has no text."""
    times: int | None
    probability: float | None


def read(line: str) -> Written:
    """Take a line apart: `PATTERN=NAME[/BODY][=VALUE][,OPTION[=VALUE]]...[:COUNT][@PROBABILITY]`.

    Raises ValueError, which says what is missing.
    """
    endpoint, found, rest = line.partition("=")
    end = _END.search(rest)
    if ";" in rest:
        raise ValueError(f"{line!r} is several faults: a list of texts, each with one fault")
    if not found or not endpoint.strip() or end is None or not rest[: end.start()].strip():
        raise ValueError(
            f"{line!r} is no PATTERN=WHAT[:COUNT][@PROBABILITY], such as 'GET */clusters/get=503:2' or '*=drop@0.1'"
        )
    what, *options = (part.strip() for part in rest[: end.start()].split(","))
    name, _, value = what.partition("=")
    name, _, body = name.partition("/")
    probability = None
    if end["probability"] is not None:
        probability = float(end["probability"]) / (100 if end["percent"] else 1)
    given = {name: text for name, _, text in (option.partition("=") for option in options)}
    times = None if end["times"] is None else int(end["times"])
    return Written(endpoint.strip(), name.strip(), body or None, value or None, given, times, probability)


def check_endpoint(pattern: str) -> None:
    """Raise ValueError for what no endpoint can fit."""
    if not _ENDPOINT.fullmatch(pattern):
        raise ValueError(f"{pattern!r} is no pattern of endpoints, such as 'GET */clusters/get', 'POST *' or '*'")


def one_of(word: str, known: Iterable[str], what: str) -> str:
    """The word, if it is known. Raises ValueError, which suggests one."""
    words = list(known)
    if word in words:
        return word
    similar = difflib.get_close_matches(word, words, 1)
    meant = f": did you mean {similar[0]!r}?" if similar else f": it is one of {', '.join(words)}"
    raise ValueError(f"unknown {what} {word!r}{meant}")


def number(text: str | None, what: str) -> float:
    """A finite number. Raises ValueError, which names what it is for."""
    try:
        value = float(text or "")
    except ValueError:
        raise ValueError(f"{what} needs a number, not {text!r}") from None
    if value != value or abs(value) == float("inf"):
        raise ValueError(f"{what} needs a finite number, not {text!r}")
    return value
