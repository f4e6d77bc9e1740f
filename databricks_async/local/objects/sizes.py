"""Sizes: the limits on content that is imported and exported."""

from __future__ import annotations

from databricks_async.local.errors import ApiError

MAX_JSON_BYTES = 10 * 1024 * 1024
"""The maximum of content in a JSON body, before base64, and of a notebook in any body."""
MAX_UPLOAD_BYTES = 500 * 1024 * 1024
"""The maximum of a file in a multipart body."""


def too_large(limit: int) -> ApiError:
    return ApiError(400, "MAX_NOTEBOOK_SIZE_EXCEEDED", f"Size exceeds {limit} bytes.")


def check_size(content: bytes, limit: int = MAX_JSON_BYTES) -> bytes:
    """Return the content. Raises ApiError if it is larger than this."""
    if len(content) > limit:
        raise too_large(limit)
    return content
