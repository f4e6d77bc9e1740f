"""Profiles of the configuration file, as rows."""

from __future__ import annotations

import os
from typing import NamedTuple

from databricks_async.cli.output.columns import Column
from databricks_async.config.file import read_sections

_SETTINGS = "__settings__"


class ProfileRow(NamedTuple):
    """A profile, without its secrets."""

    name: str
    host: str
    auth_type: str

    def as_dict(self) -> dict[str, str]:
        return self._asdict()


def config_path() -> str:
    """The configuration file that commands read."""
    return os.path.expanduser(os.environ.get("DATABRICKS_CONFIG_FILE") or "~/.databrickscfg")


def read_profiles(path: str) -> list[ProfileRow]:
    """The profiles of a file; none if there is no such file."""
    sections = read_sections(path) or {}
    return [
        ProfileRow(name, values.get("host", ""), values.get("auth_type", ""))
        for name, values in sections.items()
        if values and name != _SETTINGS
    ]


PROFILE_COLUMNS = (
    Column("NAME", lambda row: row.name, keep=True),
    Column("HOST", lambda row: row.host),
    Column("AUTH TYPE", lambda row: row.auth_type),
)
