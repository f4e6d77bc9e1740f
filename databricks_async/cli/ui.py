"""`databricks-async ui`: clusters, runs and events of a workspace on a page, live and read-only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from databricks_async.cli.commands import Command

if TYPE_CHECKING:
    from databricks_async.cli.running import Run


@click.command(
    "ui",
    cls=Command,
    examples="""
    databricks-async ui -p prod
    databricks-async serve --ui        # the same page of a local workspace
    """,
    output="The address of the page.",
)
@click.option("--port", type=int, default=8766, show_default=True, help="0 picks a free one")
@click.option(
    "--listen", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="beyond this machine if asked"
)
async def command(run: Run, port: int, listen: str) -> int:
    """Show clusters, runs with their timelines, and events on a page, live, until Ctrl-C.

    It shows what you may see to every program of this machine, and changes nothing.
    """
    import asyncio

    from databricks_async.cli.page.live import live_page
    from databricks_async.config import is_loopback

    if not is_loopback(listen):
        run.out.note(f"warning: on {listen} the whole network can see the page, and what it sends is not encrypted")
    me = await run.w.current_user.me()  # what is wrong with the credentials is told before there is a page
    try:
        async with live_page(run.w, listen, port, now=lambda: round(run.out.now.timestamp() * 1000)) as url:
            run.out.line(url)
            run.out.note(f"It shows {run.w.config.host} as {me.user_name} sees it. Ctrl-C ends it.")
            await asyncio.Event().wait()
    except (OSError, OverflowError) as error:
        run.out.note(f"databricks-async ui: cannot listen on {listen}:{port}: {error}")
    return 1
