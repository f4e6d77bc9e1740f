"""Spark versions: the runtimes that a workspace lists, and which others the service takes or has retired.

The phases are those of learn.microsoft.com/azure/databricks/release-notes/runtime/databricks-runtime-ver: a release
whose support has ended is no longer offered by the web UI but still runs; one at its end of life is removed, and no
cluster starts with it.
"""

from __future__ import annotations

import re

# key, name
_ODDITIES = {
    "custom:snapshot__18.x-scala2.13__head": "Custom image of 18 Beta (includes Apache Spark 4.0.0, Scala 2.13)",
    "apache-spark-3.5.x-scala2.12": "Light 3.5 (includes Apache Spark 3.5.0, Scala 2.12)",
}
_FULL = " photon cpu-ml gpu-ml aarch64"
# release, suffix of its name, Spark, Scala versions, flavours
_LISTED = (
    ("18.0", " Beta", "4.0.0", "2.13", " photon"),
    ("17.3", " LTS", "4.0.0", "2.13", _FULL),
    ("17.2", "", "4.0.0", "2.13", " photon"),
    ("16.4", " LTS", "3.5.2", "2.12 2.13", _FULL),
    ("16.3", "", "3.5.2", "2.12", " photon"),
    ("15.4", " LTS", "3.5.0", "2.12", _FULL),
    ("14.3", " LTS", "3.5.0", "2.12", " photon cpu-ml gpu-ml"),
    ("13.3", " LTS", "3.4.1", "2.12", " photon cpu-ml gpu-ml"),
    ("12.2", " LTS", "3.3.2", "2.12", " cpu-ml"),
    ("11.3", " LTS", "3.3.0", "2.12", ""),
    ("10.4", " LTS", "3.2.1", "2.12", ""),
)
_FLAVOUR_NAMES = {"": "", "photon": " Photon", "cpu-ml": " ML", "gpu-ml": " ML GPU", "aarch64": " aarch64"}

# 15.4.x-scala2.12, 15.4.x-photon-scala2.12, 15.4.x-cpu-ml-scala2.12, 16.x-snapshot-aarch64-scala2.12, 15.4.1-scala2.12
_KEY = re.compile(
    r"(?P<major>\d{1,2})\.(?P<minor>\d{1,2}|x)(\.(x|\d{1,3}))?"
    r"(-(snapshot|esr|dlt))?(-aarch64)?(-(photon|hls|cpu-ml|gpu-ml|(cpu|gpu)-ml-photon))?"
    r"-scala(?P<scala>2\.1[23])(-[a-z0-9-]+)?"
)
_FIRST = (10, 4)
"""Releases before 10.4 have reached their end of life (learn.microsoft.com, release-notes/runtime/eos)."""
_LAST_MINOR = {10: 5, 11: 3, 12: 2, 13: 3, 14: 3, 15: 4, 16: 4, 17: 3}
"""The last release of each major version that is complete; of later ones any is plausible."""


def listed() -> dict[str, str]:
    """Every version that a workspace lists: key and name."""
    versions = dict(_ODDITIES)
    for release, label, spark, scalas, flavours in _LISTED:
        for scala in scalas.split():
            for flavour in flavours.split(" "):
                middle = f"{flavour}-" if flavour else ""
                name = f"{release}{label}{_FLAVOUR_NAMES[flavour]} (includes Apache Spark {spark}, Scala {scala})"
                versions[f"{release}.x-{middle}scala{scala}"] = name
    return versions


def runs(key: str) -> bool:
    """Whether the service has a runtime of this key, listed or not: released since 10.4, for a Scala it was built for.

    Scala 2.13 came with 16.4, and 17 has no other (the release notes of both).
    """
    found = _KEY.fullmatch(key)
    if found is None:
        return False
    major = int(found["major"])
    minor = None if found["minor"] == "x" else int(found["minor"])
    if minor is None:
        # 16.x-snapshot: the head of a major version.
        return major > _FIRST[0] and found["scala"] in _scalas(major, _LAST_MINOR.get(major, 0))
    exists = (major, minor) >= _FIRST and minor <= _LAST_MINOR.get(major, 99)
    return exists and found["scala"] in _scalas(major, minor)


def _scalas(major: int, minor: int) -> tuple[str, ...]:
    if (major, minor) < (16, 4):
        return ("2.12",)
    return ("2.12", "2.13") if major == 16 else ("2.13",)
