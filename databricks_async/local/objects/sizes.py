"""Sizes: how much content the service takes and gives."""

from __future__ import annotations

from databricks_async.local.errors import ApiError

MOST_IN_JSON = 10 * 1024 * 1024
"""Bytes of content in a JSON body, before base64; also of a notebook however it comes."""
MOST_UPLOADED = 500 * 1024 * 1024
"""Bytes of a file in a multipart body."""


def too_large(limit: int) -> ApiError:
    return ApiError(400, "MAX_NOTEBOOK_SIZE_EXCEEDED", f"Size exceeds {limit} bytes.")


def check_size(content: bytes, limit: int = MOST_IN_JSON) -> bytes:
    """The content, if it is no larger than this."""
    if len(content) > limit:
        raise too_large(limit)
    return content
