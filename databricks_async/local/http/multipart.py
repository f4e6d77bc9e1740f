"""Multipart bodies: a form's text fields, and the one file in it, which may be far larger than any other body."""

from __future__ import annotations

import io

import attrs
from aiohttp import BodyPartReader, web

from databricks_async.local.errors import ApiError
from databricks_async.local.objects.sizes import MAX_UPLOAD_BYTES, too_large

_CHUNK_BYTES = 256 * 1024
_OVERHEAD_BYTES = 1024 * 1024
"""For the fields beside the file, and what is between them."""


@attrs.define
class Form:
    """A complete form."""

    fields: dict[str, str]
    content: bytes | None = attrs.field(default=None, repr=False)
    """The part of this name, whether it came as a file or as a field."""

    def summary(self) -> dict[str, str]:
        """The fields, and of the content its length alone."""
        content = {} if self.content is None else {"content": f"<{len(self.content)} bytes>"}
        return {**self.fields, **content}


def is_multipart(request: web.BaseRequest) -> bool:
    return request.content_type == "multipart/form-data"


async def read_form(request: web.BaseRequest) -> Form:
    """Read a multipart body. Raises ApiError when it is none, or as soon as it is known to be too large."""
    if (request.content_length or 0) > MAX_UPLOAD_BYTES + _OVERHEAD_BYTES:
        raise too_large(MAX_UPLOAD_BYTES)
    form = Form({})
    try:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if not isinstance(part, BodyPartReader) or part.name is None:
                raise ValueError("a part has no name")
            if part.name == "content":
                form.content = await _read(part)
            else:
                form.fields[part.name] = await part.text()
    except RuntimeError:
        if request.transport is not None:
            raise
        raise ConnectionResetError("the connection was closed before the form was read") from None
    except ValueError as error:
        raise ApiError(400, "MALFORMED_REQUEST", f"Could not parse multipart body: {error}") from None
    return form


async def _read(part: BodyPartReader) -> bytes:
    content = io.BytesIO()
    while not part.at_eof():
        content.write(await part.read_chunk(_CHUNK_BYTES))
        if content.tell() > MAX_UPLOAD_BYTES:
            raise too_large(MAX_UPLOAD_BYTES)
    return content.getvalue()
