"""What every test gets: an environment without anybody's Databricks settings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_OURS = (
    "DATABRICKS_",
    "ARM_",
    "AZURE_",
    "ACTIONS_ID_TOKEN_",
    "SYSTEM_",
    "IDENTITY_",
    "MSI_",
    "IMDS_",
    "BROWSER",
    "GOOGLE_",
)


@pytest.fixture(autouse=True)
def nobodys_settings(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """No variables of any way to authorize, no proxies, no browser, and an empty home directory."""
    for name in list(os.environ):
        if name.startswith(_OURS) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    return home
