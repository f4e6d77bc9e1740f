"""The Workspace API: `w.workspace`."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from databricks_async.epoch import to_epoch_ms
from databricks_async.errors import InvalidResponse
from databricks_async.pager import Pager
from databricks_async.permissions import Permissions
from databricks_async.service import Service, answer_as
from databricks_async.suggest import has_no
from databricks_async.workspace.content import Download, download_request, upload_request
from databricks_async.workspace.models import (
    ExportFormat,
    ExportResponse,
    GetWorkspaceObjectPermissionLevelsResponse,
    ImportFormat,
    Language,
    ListResponse,
    ObjectInfo,
    WorkspaceObjectAccessControlRequest,
    WorkspaceObjectPermissions,
)
from databricks_async.workspace.paths import absolute, boolean, import_settings, optional_text
from databricks_async.workspace.sources import Content, UploadSource, bytes_of, opened, refuse_base64
from databricks_async.workspace.trees.export import export_tree
from databricks_async.workspace.trees.import_ import import_tree
from databricks_async.workspace.trees.pool import CONCURRENCY, LISTINGS, TreeProgress, TreeReport
from databricks_async.workspace.trees.walk import Walk

if TYPE_CHECKING:
    from databricks_async.session.session import Session

AccessControl: TypeAlias = Iterable[WorkspaceObjectAccessControlRequest | Mapping[str, Any]]

_MAX_BYTES = 10_485_760
"""What the service takes and gives in one JSON body, before base64."""
_MAX_UPLOADED_BYTES = 500 * 2**20
_LARGE_BYTES = 2**20

_IMPORT = "POST /api/{v}/workspace/import"
_EXPORT = "GET /api/{v}/workspace/export"


class Workspace(Service):
    """Notebooks, files and folders.

    Paths are absolute. An unknown one raises `ResourceDoesNotExist`, as does an import into a folder that does not
    exist; one that is taken raises `ResourceAlreadyExists`.
    """

    def __init__(self, session: Session, version: str) -> None:
        super().__init__(session, version)
        self._permissions = Permissions(
            session,
            "/api/2.0/permissions/{workspace_object_type}/{workspace_object_id}",
            WorkspaceObjectAccessControlRequest,
            WorkspaceObjectPermissions,
            GetWorkspaceObjectPermissionLevelsResponse,
        )

    # --- looking -----------------------------------------------------------------------------------------------------

    @has_no(recursive="write `async for info in w.workspace.walk(path)` for all below a directory")
    def list(self, path: str, *, notebooks_modified_after: int | datetime | None = None) -> Pager[ObjectInfo]:
        """What is in a directory, not in those below it. Of anything else, the object itself.

        `notebooks_modified_after` (epoch milliseconds, or an aware datetime) leaves out older notebooks.

        `GET /api/2.0/workspace/list`: https://docs.databricks.com/api/azure/workspace/workspace/list
        """
        after = to_epoch_ms("notebooks_modified_after", notebooks_modified_after)
        absolute(path)

        return self._list(
            "GET /api/{v}/workspace/list",
            ListResponse,
            lambda answer: answer.objects,
            query={"path": path, "notebooks_modified_after": after},
        )

    async def get_status(self, path: str) -> ObjectInfo:
        """Describe one object.

        `GET /api/2.0/workspace/get-status`: https://docs.databricks.com/api/azure/workspace/workspace/getstatus
        """
        return await self._call("GET /api/{v}/workspace/get-status", ObjectInfo, path=absolute(path))

    # --- changing ----------------------------------------------------------------------------------------------------

    async def mkdirs(self, path: str) -> None:
        """Make a directory and those above it. One that exists is fine; anything else in the way is refused.

        `POST /api/2.0/workspace/mkdirs`: https://docs.databricks.com/api/azure/workspace/workspace/mkdirs
        """
        await self._change("POST /api/{v}/workspace/mkdirs", path, {})

    async def delete(self, path: str, *, recursive: bool = False) -> None:
        """Delete an object, for good. A directory that is not empty needs `recursive`.

        `POST /api/2.0/workspace/delete`: https://docs.databricks.com/api/azure/workspace/workspace/delete
        """
        settings = {"recursive": True} if boolean("recursive", recursive) else {}
        await self._change("POST /api/{v}/workspace/delete", path, settings)

    # --- content in one piece ----------------------------------------------------------------------------------------

    async def import_(
        self,
        path: str,
        content: Content,
        *,
        format: ImportFormat | str | None = None,  # noqa: A002 (the field's own name)
        language: Language | str | None = None,
        overwrite: bool = False,
    ) -> None:
        """Import a notebook, a file or an archive: bytes, text, or the local file of a `Path`; 10 MiB at most.

        It is the content itself, not base64 of it as in the official SDK. Without a format it is the source of a
        notebook. A source's language is guessed from the extension of `path`, or of the local file, unless it is given.
        More raises `MaxNotebookSizeExceeded` before anything is sent: `upload` takes more.

        `POST /api/2.0/workspace/import`: https://docs.databricks.com/api/azure/workspace/workspace/import
        """
        settings = import_settings(path, content, format, language, overwrite)
        refuse_base64(content, is_file=settings.get("format") in (ImportFormat.RAW, ImportFormat.AUTO))
        data = await bytes_of(content, _MAX_BYTES, self._endpoint(_IMPORT))
        large = len(data) > _LARGE_BYTES
        encoded = await asyncio.to_thread(base64.b64encode, data) if large else base64.b64encode(data)
        await self._change(_IMPORT, path, {**settings, "content": encoded.decode()})

    async def export(
        self,
        path: str,
        *,
        format: ExportFormat | str | None = None,  # noqa: A002 (the field's own name)
    ) -> bytes:
        """The content of an object, decoded; 10 MiB at most.

        Without a format a notebook is its source. A directory is an archive. More raises `MaxNotebookSizeExceeded`:
        `download` gives more.

        `GET /api/2.0/workspace/export`: https://docs.databricks.com/api/azure/workspace/workspace/export
        """
        answer = await self._call(
            _EXPORT, ExportResponse, path=absolute(path), format=optional_text("format", format, ExportFormat)
        )
        content = answer.content
        if content is None:
            if answer.file_type is None:
                raise InvalidResponse("the answer has no content", endpoint=self._endpoint(_EXPORT))
            return b""  # the service leaves out what is empty
        try:
            if len(content) > _LARGE_BYTES:
                return await asyncio.to_thread(base64.b64decode, content, validate=True)
            return base64.b64decode(content, validate=True)
        except ValueError:
            what = "the content in the answer is not base64"
            raise InvalidResponse(what, endpoint=self._endpoint(_EXPORT)) from None

    # --- content as a stream -----------------------------------------------------------------------------------------

    def download(
        self,
        path: str,
        *,
        format: ExportFormat | str | None = None,  # noqa: A002 (the field's own name)
    ) -> Download:
        """The content of an object of any size, in constant memory. Sends nothing before it is read.

        ```python
        await w.workspace.download("/Users/me/big.csv").save("big.csv")
        ```

        `GET /api/2.0/workspace/export`: https://docs.databricks.com/api/azure/workspace/workspace/export
        """
        query = {
            "path": absolute(path),
            "format": optional_text("format", format, ExportFormat),
            "direct_download": True,
        }
        return Download(self._session, download_request(self._endpoint(_EXPORT), query))

    @has_no(
        content="it is the second argument, or source=; bytes, an open file or a `Path` as they are, without base64"
    )
    async def upload(
        self,
        path: str,
        source: UploadSource,
        *,
        format: ImportFormat | str | None = None,  # noqa: A002 (the field's own name)
        language: Language | str | None = None,
        overwrite: bool = False,
    ) -> None:
        """Import content of up to 500 MiB in constant memory: as `import_`, but sent as a form and not as JSON.

        `source` is bytes, the local file of a `Path`, a file opened for binary reading, or an async iterable of bytes
        or anything with an asynchronous `read`, such as the `UploadFile` of FastAPI, which are first written to a
        temporary file: all of it may have to be sent again. `format="AUTO"` keeps
        what is no notebook a file. More raises `MaxNotebookSizeExceeded` before anything is sent.

        `POST /api/2.0/workspace/import`: https://docs.databricks.com/api/azure/workspace/workspace/import
        """
        settings = import_settings(path, source, format, language, overwrite)
        endpoint = self._endpoint(_IMPORT)
        # A stream holds no place while it is read: it may wait for a transfer of its own.
        place = self._session.transfers if isinstance(source, os.PathLike) else nullcontext()
        async with place, opened(source, _MAX_UPLOADED_BYTES, endpoint) as content:
            request = upload_request(endpoint, settings, content, _lookup(path))
            answer_as(type(None), request, await self._session.send(request))

    # --- whole trees -------------------------------------------------------------------------------------------------

    def walk(self, path: str, *, concurrency: int = LISTINGS) -> Walk:
        """Everything below a directory: `async for info in walk`, streamed as it is found, directories included.

        Lists at most `concurrency` directories at a time. One that cannot be listed is noted in `walk.failures`.
        """
        return Walk(self.list, self._session.start, path, concurrency=concurrency)

    async def export_tree(
        self,
        path: str,
        local_dir: str | os.PathLike[str],
        *,
        notebooks: ExportFormat | str = ExportFormat.SOURCE,
        overwrite: bool = False,
        skip_unchanged: bool = False,
        include: Iterable[str] = (),
        exclude: Iterable[str] = (),
        on_progress: Callable[[TreeProgress], None] | None = None,
        concurrency: int = CONCURRENCY,
    ) -> TreeReport:
        """Export a directory and all below it into a local folder, which is made if need be.

        Notebooks become source files (`x` is `x.py`, `x.sql`, `x.scala` or `x.r`), or `x.ipynb` with
        `notebooks="JUPYTER"`; files keep their bytes. Each gets the object's time of modification, by which
        `skip_unchanged` leaves out what has not changed since. A local file is replaced only with `overwrite`; no file
        is ever half written, and nothing is written outside the folder.

        `exclude` has patterns such as `"tmp"`, `"*.csv"` or `"data/*"`: objects whose names in the workspace, or paths
        below `path`, fit one of them are left out, directories with all below them. With `include` only those notebooks
        and files are exported that fit one of its patterns.

        What fails does not stop the rest: it is in the report. Raised is what all the rest would fail of too (no
        connection, a full disk), and what is wrong with `path` or `local_dir` themselves.
        """
        return await export_tree(
            self,
            path,
            local_dir,
            notebooks=notebooks,
            overwrite=overwrite,
            skip_unchanged=skip_unchanged,
            include=include,
            exclude=exclude,
            on_progress=on_progress,
            concurrency=concurrency,
        )

    async def import_tree(
        self,
        local_dir: str | os.PathLike[str],
        path: str,
        *,
        overwrite: bool = False,
        skip_unchanged: bool = False,
        include: Iterable[str] = (),
        exclude: Iterable[str] = (),
        on_progress: Callable[[TreeProgress], None] | None = None,
        concurrency: int = CONCURRENCY,
    ) -> TreeReport:
        """Import a local folder and all below it into a directory, which is made if need be.

        A `.py`, `.sql`, `.scala` or `.r` file whose first line says `Databricks notebook source`, as a comment, and a
        `.ipynb` file become notebooks without that extension, a `.lvdash.json` file a dashboard; anything else a file.
        An object that exists is replaced only with `overwrite`; `skip_unchanged` leaves out what is there with the same
        content, a `.ipynb` file only if it still has the time of its export. Symbolic links are followed to files of
        the same tree only.

        `exclude` has patterns such as `".git"`, `"*.pyc"` or `"data/*"`: names, and paths below `local_dir`, that fit
        one of them are left out. With `include` only those files are imported that fit one of its patterns. Hidden
        files and folders (`.env`, `.git`) are imported like any other, and the
        report has them in `hidden`. A file that another one has taken the place of while the tree is read is a failure.

        What fails does not stop the rest, and is reported, as in `export_tree`.
        """
        return await import_tree(
            self,
            local_dir,
            path,
            overwrite=overwrite,
            skip_unchanged=skip_unchanged,
            include=include,
            exclude=exclude,
            on_progress=on_progress,
            concurrency=concurrency,
        )

    # --- permissions -------------------------------------------------------------------------------------------------

    async def get_permission_levels(
        self, workspace_object_type: str, workspace_object_id: str | int
    ) -> GetWorkspaceObjectPermissionLevelsResponse:
        """The permission levels that can be given on an object, with what they allow.

        The type is the plural of the service's own word: `notebooks`, `directories`, `files`, `repos`.

        `GET /api/2.0/permissions/{workspace_object_type}/{workspace_object_id}/permissionLevels`: https://docs.databricks.com/api/azure/workspace/workspace/getpermissionlevels
        """
        return await self._permissions.levels(
            workspace_object_type=workspace_object_type, workspace_object_id=_object_id(workspace_object_id)
        )

    async def get_permissions(
        self, workspace_object_type: str, workspace_object_id: str | int
    ) -> WorkspaceObjectPermissions:
        """Who may do what with an object, inherited permissions included.

        `GET /api/2.0/permissions/{workspace_object_type}/{workspace_object_id}`: https://docs.databricks.com/api/azure/workspace/workspace/getpermissions
        """
        return await self._permissions.get(
            workspace_object_type=workspace_object_type, workspace_object_id=_object_id(workspace_object_id)
        )

    async def set_permissions(
        self, workspace_object_type: str, workspace_object_id: str | int, access_control_list: AccessControl
    ) -> WorkspaceObjectPermissions:
        """Replace the direct permissions of an object by these.

        `PUT /api/2.0/permissions/{workspace_object_type}/{workspace_object_id}`: https://docs.databricks.com/api/azure/workspace/workspace/setpermissions
        """
        return await self._permissions.set(
            access_control_list,
            workspace_object_type=workspace_object_type,
            workspace_object_id=_object_id(workspace_object_id),
        )

    async def update_permissions(
        self, workspace_object_type: str, workspace_object_id: str | int, access_control_list: AccessControl
    ) -> WorkspaceObjectPermissions:
        """Add these permissions to an object's, or change them for the users and groups named.

        `PATCH /api/2.0/permissions/{workspace_object_type}/{workspace_object_id}`: https://docs.databricks.com/api/azure/workspace/workspace/updatepermissions
        """
        return await self._permissions.update(
            access_control_list,
            workspace_object_type=workspace_object_type,
            workspace_object_id=_object_id(workspace_object_id),
        )

    # --- inside ------------------------------------------------------------------------------------------------------

    def _endpoint(self, template: str) -> str:
        return template.replace("{v}", self._version)

    async def _change(self, endpoint: str, path: str, settings: Mapping[str, Any]) -> None:
        """A write that may be repeated: twice is once, or the second is refused because the first was carried out."""
        await self._call(
            endpoint,
            type(None),
            replay="idempotent",
            lookup=_lookup(path),
            body={"path": absolute(path), **settings},
        )


def _lookup(path: str) -> str:
    return f"workspace.get_status({path!r}) shows what is there"


def _object_id(value: str | int) -> str:
    """Of an `ObjectInfo` it is a number, in the permissions' own answers text. What is neither is refused later."""
    return str(value) if type(value) is int else cast(str, value)
