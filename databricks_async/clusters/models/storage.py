"""Where clusters read init scripts from and deliver their logs to."""

from __future__ import annotations

import attrs

from databricks_async.codec import Model


@attrs.define(kw_only=True, repr=False)
class Adlsgen2Info(Model):
    """A path in Azure Data Lake Storage."""

    destination: str | None


@attrs.define(kw_only=True, repr=False)
class DbfsStorageInfo(Model):
    """A path in DBFS."""

    destination: str | None


@attrs.define(kw_only=True, repr=False)
class GcsStorageInfo(Model):
    """A path in Google Cloud Storage."""

    destination: str | None


@attrs.define(kw_only=True, repr=False)
class LocalFileInfo(Model):
    """A path on the disk of the machine itself."""

    destination: str | None


@attrs.define(kw_only=True, repr=False)
class S3StorageInfo(Model):
    """A path in S3."""

    destination: str | None
    canned_acl: str | None = None
    enable_encryption: bool | None = None
    encryption_type: str | None = None
    endpoint: str | None = None
    kms_key: str | None = None
    region: str | None = None


@attrs.define(kw_only=True, repr=False)
class VolumesStorageInfo(Model):
    """A path in a Unity Catalog volume."""

    destination: str | None


@attrs.define(kw_only=True, repr=False)
class WorkspaceStorageInfo(Model):
    """A path in the workspace."""

    destination: str | None


@attrs.define(kw_only=True, repr=False)
class ClusterLogConf(Model):
    """Where a cluster delivers its logs. Give exactly one."""

    dbfs: DbfsStorageInfo | None = None
    s3: S3StorageInfo | None = None
    volumes: VolumesStorageInfo | None = None


@attrs.define(kw_only=True, repr=False)
class InitScriptInfo(Model):
    """Where one init script is. Give exactly one."""

    abfss: Adlsgen2Info | None = None
    dbfs: DbfsStorageInfo | None = None
    """Deprecated."""
    file: LocalFileInfo | None = None
    gcs: GcsStorageInfo | None = None
    s3: S3StorageInfo | None = None
    volumes: VolumesStorageInfo | None = None
    workspace: WorkspaceStorageInfo | None = None


@attrs.define(kw_only=True, repr=False)
class LogSyncStatus(Model):
    """How the delivery of logs is going."""

    last_attempted: int | None = None
    """Epoch milliseconds."""
    last_exception: str | None = None
