"""What every test gets: an environment without anybody's Databricks settings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def nobodys_settings(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """No DATABRICKS_* or ARM_* variables, no proxies or authorities, and an empty home directory."""
    for name in list(os.environ):
        if name.startswith(("DATABRICKS_", "ARM_", "SSL_CERT_")) or name.lower().endswith(("_proxy", "_ca_bundle")):
            monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    return home
