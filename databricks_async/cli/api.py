"""`databricks-async api`: call any endpoint of the REST API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from databricks_async.cli.commands import Group, argument
from databricks_async.cli.options import JSON

if TYPE_CHECKING:
    from databricks_async.cli.running import Run

command = Group(
    "api",
    help="Call any endpoint of the REST API: the same session, limits, retries and errors.",
    no_args_is_help=True,
)


def _method(name: str) -> None:
    async def call(run: Run, path: str, body: Any) -> None:
        path, query = _split(path)
        answer = await run.w.request(name.upper(), path, query=query, body=body)
        if answer is not None:
            run.out.json(answer)

    call.__doc__ = f"Send {'an empty' if name == 'head' else 'a'} {name.upper()} request, and print the answer."
    if name in ("post", "patch"):
        call.__doc__ += "\n\nIt is sent once: when its answer is lost, the exit code is 10."
    example = {
        "get": "databricks-async api get '/api/2.1/clusters/list?page_size=10' | jq .clusters",
        "post": 'databricks-async api post /api/2.0/workspace/mkdirs --json \'{"path": "/Shared/new"}\'',
    }
    command.command(name, examples=example.get(name, ""), output="The answer as JSON; nothing if it is empty.")(
        argument("path", "the path, which begins with /api/; it may have a query", metavar="PATH")(
            click.option("--json", "body", type=JSON, metavar="JSON", help="the body: JSON, or @file")(call)
        )
    )


def _split(path: str) -> tuple[str, dict[str, Any] | None]:
    from urllib.parse import parse_qs

    path, _, query = path.partition("?")
    if not path.startswith("/"):
        raise click.UsageError(f"PATH begins with '/', such as /api/2.1/clusters/list, not {path!r}")
    if not query:
        return path, None
    return path, {name: values if len(values) > 1 else values[0] for name, values in parse_qs(query, True).items()}


for _name in ("get", "head", "post", "put", "patch", "delete"):
    _method(_name)
