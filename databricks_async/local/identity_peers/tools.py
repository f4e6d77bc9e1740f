"""Stand-ins for `az` and `databricks`, which print tokens that the peers signed, and for a browser."""

from __future__ import annotations

import os
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path

import orjson

from databricks_async.local.identity_peers.state import AUDIENCES, DATABRICKS, IdentityState

_PARTS = """#!/bin/sh
printf '%s\\n' "$*" >> "$0.log"
case "$* " in
{cases}
*) echo "ERROR: this stand-in does not know: $*" >&2; exit 2;;
esac
exit
"""
# The real `databricks` is one big binary. Releases of the official SDK tell it by its size from the script of that
# name that came before: https://github.com/databricks/databricks-sdk-py (credentials_provider.py, up to 0.156).
_BIG = 1 << 20
_BROWSER = """#!{python}
import sys, urllib.request
urllib.request.urlopen(sys.argv[1], timeout=30).read()
"""


def write_az(state: IdentityState, folder: Path, name: str, *, person: bool) -> Path:
    """An `az` in which this person, or service principal, is logged in. It knows `account get-access-token`."""
    claims = {"upn": name, "scp": "user_impersonation"} if person else {"appid": name, "idtyp": "app"}
    end = state.now() + state.token_seconds
    cases = []
    for audience in AUDIENCES:
        printed = {
            "accessToken": state.access_token(audience, name, **claims),
            # Local time, as the real one prints it.
            "expiresOn": datetime.fromtimestamp(end).strftime("%Y-%m-%d %H:%M:%S.%f"),
            "expires_on": int(end),
            "subscription": "00000000-0000-0000-0000-000000000000",
            "tenant": state.tenant_id,
            "tokenType": "Bearer",
        }
        # In any order, as clients differ; with a final slash or as a scope too.
        asked = [f"--resource {audience} ", f"--resource {audience}/ ", f"--scope {audience}/.default "]
        patterns = "|".join(f"*{shlex.quote(one)}*" for one in asked)
        cases.append(f"{patterns}) {_print(printed)}")
    return _write(folder / "az", cases)


def write_databricks(state: IdentityState, folder: Path, name: str) -> Path:
    """A `databricks` in which this person is logged in. It knows `auth token` and `version`."""
    end = datetime.fromtimestamp(state.now() + state.token_seconds, UTC)
    printed = {
        "access_token": state.access_token(DATABRICKS, name, upn=name, scp="user_impersonation"),
        "token_type": "Bearer",
        "expiry": end.strftime("%Y-%m-%dT%H:%M:%S.%f") + "123Z",
    }
    version = {"Version": "0.296.0", "Major": 0, "Minor": 296, "Patch": 0}
    cases = [f"'auth token '*) {_print(printed)}", f"'version '*) {_print(version)}"]
    path = _write(folder / "databricks", cases)
    # No space on the disk, and nothing reads beyond `exit`.
    os.truncate(path, _BIG)
    return path


def write_browser(folder: Path) -> Path:
    """A browser without a window: it opens the page, and goes where it is sent."""
    path = folder / "browser"
    path.write_text(_BROWSER.format(python=sys.executable), encoding="utf-8")
    path.chmod(0o755)
    return path


def _print(value: object) -> str:
    return f"printf '%s\\n' {shlex.quote(orjson.dumps(value).decode())};;"


def _write(path: Path, cases: list[str]) -> Path:
    path.write_text(_PARTS.format(cases="\n".join(cases)), encoding="utf-8")
    path.chmod(0o755)
    return path
