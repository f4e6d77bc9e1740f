"""Where clusters read init scripts from and deliver their logs to."""

from __future__ import annotations

from datetime import datetime

import attrs

from databricks_async.codec import Model
from databricks_async.epoch import from_epoch_ms

__all__ = [
    "Adlsgen2Info",
    "ClusterLogConf",
    "DbfsStorageInfo",
    "GcsStorageInfo",
    "InitScriptInfo",
    "LocalFileInfo",
    "LogSyncStatus",
    "S3StorageInfo",
    "VolumesStorageInfo",
    "WorkspaceStorageInfo",
]


@attrs.define(kw_only=True, repr=False, eq=False)
class Adlsgen2Info(Model):
    """A path in Azure Data Lake Storage."""

    destination: str | None
    """For example `abfss://container@account.dfs.core.windows.net/directory`."""


@attrs.define(kw_only=True, repr=False, eq=False)
class DbfsStorageInfo(Model):
    """A path in DBFS."""

    destination: str | None
    """For example `dbfs:/my/path`."""


@attrs.define(kw_only=True, repr=False, eq=False)
class GcsStorageInfo(Model):
    """A path in Google Cloud Storage."""

    destination: str | None
    """For example `gs://bucket/path`."""


@attrs.define(kw_only=True, repr=False, eq=False)
class LocalFileInfo(Model):
    """A path on the disk of the machine itself."""

    destination: str | None
    """For example `file:/my/local/file.sh`."""


@attrs.define(kw_only=True, repr=False, eq=False)
class S3StorageInfo(Model):
    """A path in S3."""

    destination: str | None
    """For example `s3://bucket/path`."""
    canned_acl: str | None = None
    """The access control list of what is written, for example `bucket-owner-full-control`."""
    enable_encryption: bool | None = None
    """Whether what is written is encrypted; not by default."""
    encryption_type: str | None = None
    """`sse-s3` or `sse-kms`."""
    endpoint: str | None = None
    """The endpoint of S3; this or `region` is needed."""
    kms_key: str | None = None
    """The key, if the encryption is `sse-kms`."""
    region: str | None = None
    """The region of S3; this or `endpoint` is needed."""


@attrs.define(kw_only=True, repr=False, eq=False)
class VolumesStorageInfo(Model):
    """A path in a Unity Catalog volume."""

    destination: str | None
    """For example `/Volumes/catalog/schema/volume/path`."""


@attrs.define(kw_only=True, repr=False, eq=False)
class WorkspaceStorageInfo(Model):
    """A path in the workspace."""

    destination: str | None
    """The path in the workspace, for example `/Users/me@example.com/init.sh`."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ClusterLogConf(Model):
    """Where a cluster delivers its logs. Give exactly one."""

    dbfs: DbfsStorageInfo | None = None
    """A place in DBFS."""
    s3: S3StorageInfo | None = None
    """A place in Amazon S3."""
    volumes: VolumesStorageInfo | None = None
    """A place in a Unity Catalog volume."""


@attrs.define(kw_only=True, repr=False, eq=False)
class InitScriptInfo(Model):
    """Where one init script is. Give exactly one."""

    abfss: Adlsgen2Info | None = None
    """A place in Azure Data Lake Storage."""
    dbfs: DbfsStorageInfo | None = None
    """Deprecated."""
    file: LocalFileInfo | None = None
    """A file on the machine itself."""
    gcs: GcsStorageInfo | None = None
    """A place in Google Cloud Storage."""
    s3: S3StorageInfo | None = None
    """A place in Amazon S3."""
    volumes: VolumesStorageInfo | None = None
    """A place in a Unity Catalog volume."""
    workspace: WorkspaceStorageInfo | None = None
    """A file of the workspace."""


@attrs.define(kw_only=True, repr=False, eq=False)
class LogSyncStatus(Model):
    """How the delivery of logs is going."""

    last_attempted: int | None = None
    """Epoch milliseconds."""
    last_exception: str | None = None
    """The error of the last delivery; absent if it went well."""

    @property
    def last_attempt(self) -> datetime | None:
        """`last_attempted` with a time zone (UTC)."""
        return from_epoch_ms(self.last_attempted)
