"""The official SDK's workspace and current_user services, unchanged, against the local workspace."""

from __future__ import annotations

import asyncio
import base64
import io
import os

import pytest
from databricks.sdk.errors import BadRequest, DatabricksError, PermissionDenied, ResourceDoesNotExist
from databricks.sdk.service.workspace import (
    ExportFormat,
    ImportFormat,
    Language,
    ObjectType,
    WorkspaceObjectAccessControlRequest,
    WorkspaceObjectPermissionLevel,
)

HOME = "/Users/admin@example.com"


async def test_a_notebook_is_imported_and_exported(connect):
    """By import_ and export, base64 and all, in every format."""

    def work() -> None:
        w = connect()
        source = b"# Databricks notebook source\nprint('\xc3\xa9')\n"
        content = base64.b64encode(source).decode()
        path = f"{HOME}/a notebook #1"
        w.workspace.import_(path, content=content, format=ImportFormat.SOURCE, language=Language.PYTHON)
        status = w.workspace.get_status(path)
        assert (status.object_type, status.language, status.path) == (ObjectType.NOTEBOOK, Language.PYTHON, path)
        assert status.object_id is not None
        assert status.resource_id == str(status.object_id)
        assert base64.b64decode(w.workspace.export(path).content) == source
        for name in ("HTML", "JUPYTER", "DBC"):
            exported = w.workspace.export(path, format=ExportFormat(name))
            w.workspace.import_(f"{path} {name}", content=exported.content, format=ImportFormat(name))
            again = w.workspace.export(f"{path} {name}", format=ExportFormat.SOURCE)
            assert base64.b64decode(again.content) == source

    await asyncio.to_thread(work)


async def test_files_and_notebooks_are_uploaded_and_downloaded(connect):
    """By upload and download: multipart in, raw bytes out."""

    def work() -> None:
        w = connect()
        script = f"{HOME}/script.py"
        w.workspace.upload(script, io.BytesIO(b"print(1)"), format=ImportFormat.AUTO)
        assert w.workspace.get_status(script).object_type is ObjectType.FILE
        assert w.workspace.get_status(script).size == 8
        with w.workspace.download(script) as body:
            assert body.read() == b"print(1)"
        w.workspace.upload(script, b"print(2)", format=ImportFormat.AUTO, overwrite=True)
        with w.workspace.download(script) as body:
            assert body.read() == b"print(2)"

        notebook = f"{HOME}/notebook.py"
        w.workspace.upload(notebook, io.BytesIO(b"print(1)"))
        assert w.workspace.get_status(notebook).language is Language.PYTHON
        with w.workspace.download(notebook, format=ExportFormat.SOURCE) as body:
            assert body.read() == b"# Databricks notebook source\nprint(1)"

        large = os.urandom(12 * 1024 * 1024)
        w.workspace.upload(f"{HOME}/large ü.bin", io.BytesIO(large), format=ImportFormat.RAW)
        with w.workspace.download(f"{HOME}/large ü.bin", format=ExportFormat.AUTO) as body:
            assert body.read() == large

    await asyncio.to_thread(work)


async def test_a_tree_is_made_listed_and_deleted(connect, workspace):
    """By mkdirs, list, recursive or not and since a time, and delete."""

    def work() -> None:
        w = connect()
        w.workspace.mkdirs(f"{HOME}/a/b")
        w.workspace.mkdirs(f"{HOME}/a/b")
        w.workspace.upload(f"{HOME}/a/one", b"1", format=ImportFormat.RAW)
        w.workspace.upload(f"{HOME}/a/b/two", b"2", language=Language.SQL)
        assert list(w.workspace.list(f"{HOME}/a/b/")) == [w.workspace.get_status(f"{HOME}/a/b/two")]
        kinds = {one.path: one.object_type for one in w.workspace.list(f"{HOME}/a")}
        assert kinds == {f"{HOME}/a/b": ObjectType.DIRECTORY, f"{HOME}/a/one": ObjectType.FILE}
        below = {one.path for one in w.workspace.list(HOME, recursive=True)}
        assert below == {f"{HOME}/a/one", f"{HOME}/a/b/two"}
        assert list(w.workspace.list(f"{HOME}/a/b", notebooks_modified_after=2**50)) == []
        with pytest.raises(BadRequest) as refusal:
            w.workspace.delete(f"{HOME}/a")
        assert refusal.value.error_code == "DIRECTORY_NOT_EMPTY"
        w.workspace.delete(f"{HOME}/a", recursive=True)
        assert list(w.workspace.list(HOME)) == []

    await asyncio.to_thread(work)
    assert not workspace.journal.unknown_routes


async def test_errors_have_their_own_classes(connect, workspace):
    """What does not exist, what exists already, what is forbidden, what needs a language."""
    workspace.add_user("ann@example.com", "dapi-ann")

    def work() -> None:
        w = connect()
        with pytest.raises(ResourceDoesNotExist, match=r"Path \(/Shared/x\) doesn't exist\."):
            w.workspace.get_status("/Shared/x")
        with pytest.raises(ResourceDoesNotExist, match=r"The parent folder \(/Shared/x\) does not exist\."):
            w.workspace.upload("/Shared/x/y", b"", format=ImportFormat.RAW)
        w.workspace.upload("/Shared/x", b"", format=ImportFormat.RAW)
        with pytest.raises(DatabricksError) as refusal:
            w.workspace.upload("/Shared/x", b"", format=ImportFormat.RAW)
        assert refusal.value.error_code == "RESOURCE_ALREADY_EXISTS"
        with pytest.raises(DatabricksError, match="Perhaps you forgot"):
            w.workspace.upload("/Shared/y", b"")
        with pytest.raises(PermissionDenied):
            list(connect("dapi-ann").workspace.list(HOME))

    await asyncio.to_thread(work)


async def test_permissions_are_given_and_taken(connect, workspace):
    """Levels, get, set and update, for a directory, a notebook and a file."""
    workspace.add_user("ann@example.com", "dapi-ann")
    workspace.add_object("/Team/nb", b"1", language="SQL")
    workspace.add_object("/Team/file", b"1")

    def work() -> None:
        w, ann = connect(), connect("dapi-ann")
        for path, kind in (("/Team", "directories"), ("/Team/nb", "notebooks"), ("/Team/file", "files")):
            object_id = str(w.workspace.get_status(path).object_id)
            levels = w.workspace.get_permission_levels(kind, object_id).permission_levels
            assert [one.permission_level for one in levels] == [
                WorkspaceObjectPermissionLevel.CAN_READ,
                WorkspaceObjectPermissionLevel.CAN_RUN,
                WorkspaceObjectPermissionLevel.CAN_EDIT,
                WorkspaceObjectPermissionLevel.CAN_MANAGE,
            ]
            with pytest.raises(PermissionDenied):
                ann.workspace.get_status(path)
            rights = [
                WorkspaceObjectAccessControlRequest(
                    user_name="ann@example.com", permission_level=WorkspaceObjectPermissionLevel.CAN_READ
                )
            ]
            updated = w.workspace.update_permissions(kind, object_id, access_control_list=rights)
            assert w.workspace.get_permissions(kind, object_id) == updated
            assert updated.object_id == f"/{kind}/{object_id}"
            assert ann.workspace.get_status(path).path == path
            w.workspace.set_permissions(kind, object_id, access_control_list=[])
            with pytest.raises(PermissionDenied):
                ann.workspace.get_status(path)

    await asyncio.to_thread(work)


async def test_current_user_tells_who_one_is(connect, workspace):
    """Name, id, e-mail address and groups."""
    workspace.add_user("ann@example.com", "dapi-ann")

    def work() -> None:
        admin, ann = connect().current_user.me(), connect("dapi-ann").current_user.me()
        assert (admin.user_name, ann.user_name) == ("admin@example.com", "ann@example.com")
        assert admin.id != ann.id
        assert ann.active
        assert [one.value for one in ann.emails] == ["ann@example.com"]
        assert [one.display for one in admin.groups] == ["admins", "users"]
        assert [one.display for one in ann.groups] == ["users"]
        assert admin.groups[1].value == ann.groups[0].value
        assert ann.groups[0].ref == f"Groups/{ann.groups[0].value}"

    await asyncio.to_thread(work)
