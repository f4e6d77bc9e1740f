"""Files that hold one token, which their owner renews."""

from __future__ import annotations

import asyncio
from pathlib import Path

from databricks_async.auth.token import header_value
from databricks_async.errors import AuthError
from databricks_async.secret import HiddenStr

_MAX_BYTES = 2**20


def _read(path: str) -> HiddenStr:
    with Path(path).open("rb") as file:
        return HiddenStr(file.read(_MAX_BYTES).decode("utf-8-sig").strip())


async def read_token_file(path: str, what: str) -> HiddenStr:
    """The token in a file, read off the loop and anew each time. Raises `AuthError` that names the file."""
    try:
        return header_value(await asyncio.to_thread(_read, path))
    except OSError as error:
        reason = error.strerror or type(error).__name__
    except ValueError:
        reason = "it holds no token"
    raise AuthError(f"{what} {path} cannot be used: {reason}")
