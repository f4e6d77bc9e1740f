"""What large content costs: a file of 400 MB out and in, against bare aiohttp doing the same.

Defends: at most 64 MiB of extra memory while it is uploaded from a file, from a stream, and saved to a file; and in one
run at least 0.9 times the speed of bare aiohttp for both directions, in time and in CPU time. A quick run takes 40 MB.

    python benchmarks/content.py [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
from harness import Gate, elsewhere, interleaved, ratio

from databricks_async import WorkspaceClient

PIECE = bytes(range(256)) * 1024
OBJECT = "/Users/someone@example.com/big.bin"
WALL, CPU = 0, 1


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pieces: int) -> None:
    """A GET gets the whole content; whatever a POST sends is read and thrown away."""
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while head := await reader.readuntil(b"\r\n\r\n"):
            if head.startswith(b"GET"):
                kind, size = b"application/octet-stream", len(PIECE) * pieces
            else:
                kind, size = b"application/json", 2
                left = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
                while left:
                    left -= len(await reader.read(min(left, len(PIECE))))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n" % (kind, size))
            if size == 2:
                writer.write(b"{}")
                continue
            for _ in range(pieces):
                writer.write(PIECE)
                await writer.drain()
    writer.close()


@contextlib.asynccontextmanager
async def an_object(pieces: int) -> AsyncIterator[str]:
    """The URL of a server with an object of so many pieces."""
    server = await asyncio.start_server(lambda r, w: _serve(r, w, pieces), "127.0.0.1", 0, limit=len(PIECE))
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def memory_mib(word: str) -> float:
    """What Linux says of this process: `VmRSS` is its memory now, `VmHWM` the maximum since `forget_the_peak`."""
    return int(Path("/proc/self/status").read_text().partition(f"{word}:")[2].split()[0]) / 1024


def forget_the_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


async def measure(gate: Gate, url: str, folder: Path, pieces: int, rounds: int) -> None:
    local, copy = folder / "local.bin", folder / "copy.bin"
    with local.open("wb") as file:
        for _ in range(pieces):
            file.write(PIECE)

    async def stream() -> AsyncIterator[bytes]:
        for _ in range(pieces):
            yield PIECE

    async with aiohttp.ClientSession() as http, WorkspaceClient(host=url, token="benchmark") as w:
        headers = {"Authorization": "Bearer benchmark"}

        async def down() -> None:
            assert await w.workspace.download(OBJECT).save(copy, overwrite=True) == len(PIECE) * pieces

        async def up() -> None:
            await w.workspace.upload(OBJECT, local, format="AUTO", overwrite=True)

        async def up_stream() -> None:
            await w.workspace.upload(OBJECT, stream(), format="AUTO", overwrite=True)

        async def bare_down() -> None:
            params = {"path": OBJECT, "direct_download": "true"}
            async with http.get(f"{url}/api/2.0/workspace/export", params=params, headers=headers) as answer:
                part = copy.with_suffix(".part")
                with part.open("wb") as file:
                    async for chunk in answer.content.iter_chunked(len(PIECE)):
                        await asyncio.to_thread(file.write, chunk)
                part.replace(copy)

        async def bare_up() -> None:
            with local.open("rb") as file:
                form = aiohttp.FormData({"path": OBJECT, "format": "AUTO", "overwrite": "true"})
                form.add_field("content", file, filename="content")
                async with http.post(f"{url}/api/2.0/workspace/import", data=form, headers=headers) as answer:
                    assert await answer.json() == {}

        await w.workspace.upload(OBJECT, PIECE, format="AUTO")  # what is imported on first use is no part of this
        for what, transfer in {"saved": down, "sent from a file": up, "sent from a stream": up_stream}.items():
            forget_the_peak()
            before = memory_mib("VmRSS")
            await transfer()
            gate.at_most(f"MiB of extra memory, {what}", memory_mib("VmHWM") - before, 64)
        figures = await interleaved({"down": down, "bare down": bare_down, "up": up, "bare up": bare_up}, rounds)
    for what, ours in {"saved to a file": "down", "sent from a file": "up"}.items():
        bare = figures[f"bare {ours}"]
        gate.at_least(f"speed over bare aiohttp's, {what}", ratio(bare, figures[ours], WALL), 0.9)
        gate.at_least(f"CPU time of bare aiohttp over ours, {what}", ratio(bare, figures[ours], CPU), 0.9)
    best = {name: len(PIECE) * pieces / 1e6 / min(wall for wall, _ in runs) for name, runs in figures.items()}
    print(f"  (MB a second at best: {', '.join(f'{name} {speed:.0f}' for name, speed in best.items())})")


async def main(quick: bool) -> int:
    gate = Gate(quick)
    pieces = (40 if quick else 400) * 10**6 // len(PIECE)
    gate.about(f"an object of {pieces * len(PIECE) / 1e6:.0f} MB")
    with tempfile.TemporaryDirectory() as folder, elsewhere(an_object, pieces) as url:
        await measure(gate, url, Path(folder), pieces, 3 if quick else 9)
    return gate.exit_code()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a smoke run: prints, does not judge")
    sys.exit(asyncio.run(main(parser.parse_args().quick)))
