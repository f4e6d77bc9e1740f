"""The options that all commands share, before and behind the command's name, and the types of arguments."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import click
from click.core import ParameterSource

from databricks_async.cli.output import times

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Format: TypeAlias = Literal["text", "json", "csv"]

_FORMATS = ("text", "json", "csv")
_FORMAT_VARIABLE = "DATABRICKS_OUTPUT_FORMAT"


class Options:
    """What the shared options say, wherever on the command line they stand.

    Plain, because help and Tab are waited for: a dataclass takes as long to make as a tenth of click takes to import.
    """

    profile: str | None = None
    host: str | None = None
    auth_type: str | None = None
    format: Format | None = None
    quiet: bool = False
    columns: list[str] | None = None
    sort: str | None = None
    header: bool = True
    color: str = "auto"
    ascii: bool = False
    utc: bool = False
    debug: bool = False
    timeout: float | None = None
    """Seconds."""
    command: str = ""
    """The command's whole name, for messages."""

    @property
    def where(self) -> tuple[str | None, str | None]:
        """The profile and the host that were given."""
        return self.profile, self.host

    @property
    def output(self) -> Format:
        """The form of the output: the option, else the variable, else text."""
        if self.format is not None:
            return self.format
        named = os.environ.get(_FORMAT_VARIABLE, "").lower()
        if named and named not in _FORMATS:
            raise click.UsageError(f"{_FORMAT_VARIABLE} is {named!r}: it takes {', '.join(_FORMATS)}")
        return named or "text"  # type: ignore[return-value]


if TYPE_CHECKING:
    ParamType = click.ParamType
else:

    class ParamType(click.ParamType):
        """click's own, which is generic in its newer versions only."""

        def __class_getitem__(cls, _):
            return cls


class Duration(ParamType[float]):
    """`30m`, as seconds."""

    name = "DURATION"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        try:
            return times.parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Moment(ParamType[Any]):
    """`1h` ago, or a date or time."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return times.parse_moment(value) if isinstance(value, str) else value
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Named(ParamType[str]):
    """An id or an exact name, which Tab completes from what earlier commands saw."""

    def __init__(self, kind: str) -> None:
        self.name = kind.upper()
        self._kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not value.strip():
            self.fail(f"{self.name} is empty", param, ctx)
        text: str = value
        return text

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from databricks_async.cli.named import names

        options = ctx.find_root().obj
        return names.completions(
            self._kind, incomplete, options.where if isinstance(options, Options) else (None, None)
        )


class Json(ParamType[Any]):
    """A JSON object: inline, `@file`, or `@-` for standard input."""

    name = "JSON"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        import json

        text = value
        if value.startswith("@"):
            try:
                with click.open_file(value[1:], encoding="utf-8") as file:
                    text = file.read()
            except (OSError, UnicodeDecodeError) as error:
                self.fail(f"{value}: {getattr(error, 'strerror', None) or error}", param, ctx)
        try:
            return json.loads(text)
        except ValueError as error:
            hint = "" if value.startswith("@") else " (the JSON itself, or @file)"
            self.fail(f"no JSON: {error}{hint}", param, ctx)


class KeyValue(ParamType[tuple[str, str]]):
    """`k=v`."""

    name = "KEY=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        key, sign, rest = value.partition("=")
        if not sign or not key:
            self.fail(f"{value!r} is not KEY=VALUE", param, ctx)
        return key, rest


class Words(ParamType[list[str]]):
    """Words between commas."""

    name = "A,B"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:
        return [word for one in value.split(",") if (word := one.strip())] if isinstance(value, str) else value


class Profile(ParamType[str]):
    """A profile of the configuration file."""

    name = "PROFILE"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from databricks_async.cli.named import names

        return names.profile_completions(incomplete)


FILE, FOLDER = click.Path(), click.Path(file_okay=False)
"""Of this machine; the shell completes them. What is wrong with one is said by what opens it."""
DURATION, MOMENT, JSON, KEY_VALUE, WORDS = Duration(), Moment(), Json(), KeyValue(), Words()
CLUSTER, JOB, RUN, PATH = Named("cluster"), Named("job"), Named("run"), Named("path")


class _Shared(NamedTuple):
    names: tuple[str, ...]
    field: str
    help: str
    type: Any = None
    """A switch where there is none."""
    to: Any = True
    metavar: str | None = None


_SHARED = (
    _Shared(("-p", "--profile"), "profile", "the profile of ~/.databrickscfg to use", Profile(), metavar="NAME"),
    _Shared(("--host",), "host", "the workspace's address, before that of the environment", str, metavar="URL"),
    _Shared(("--auth-type",), "auth_type", "the one way to authorize", str, metavar="WAY"),
    _Shared(("-o", "--output"), "format", f"the form of the output (or {_FORMAT_VARIABLE})", click.Choice(_FORMATS)),
    _Shared(("-q", "--quiet"), "quiet", "ids only"),
    _Shared(("--columns",), "columns", "these columns of a listing, in this order", WORDS),
    _Shared(("--sort",), "sort", "sort a listing by a column; -COLUMN is descending", str, metavar="COLUMN"),
    _Shared(("--no-header",), "header", "no line of headings", to=False),
    _Shared(("--color",), "color", "colours", click.Choice(("auto", "always", "never"))),
    _Shared(("--ascii",), "ascii", "signs in plain ASCII"),
    _Shared(("--utc",), "utc", "times in UTC, not local ones"),
    _Shared(("--debug",), "debug", "log each request on standard error"),
    _Shared(("--timeout",), "timeout", "end the command after this long, such as 30m; no limit by default", DURATION),
)


def _keep(field: str, to: Any) -> Callable[[click.Context, click.Parameter, Any], Any]:
    def keep(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
        given = ctx.get_parameter_source(param.name or "") is ParameterSource.COMMANDLINE
        options = ctx.find_root().obj
        if given and isinstance(options, Options):
            setattr(options, field, to if isinstance(value, bool) else value)
        return value

    return keep


@cache
def shared_options() -> tuple[click.Option, ...]:
    """The shared options, for the parser of each command."""
    return tuple(
        click.Option(
            one.names,
            help=one.help,
            type=one.type,
            is_flag=True if one.type is None else None,
            metavar=one.metavar,
            expose_value=False,
            callback=_keep(one.field, one.to),
        )
        for one in _SHARED
    )
