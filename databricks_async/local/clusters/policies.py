"""Cluster policies: what they fill in, and what they refuse.

Types of rules, paths and virtual attributes are those of
learn.microsoft.com/azure/databricks/admin/clusters/policy-definition.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import attrs
import orjson

from databricks_async.local.errors import ApiError, invalid
from databricks_async.local.values import Json

_MAPS = ("spark_conf", "spark_env_vars", "custom_tags")
"""Settings whose keys are free: all that follows their name is one key, dots included."""
_VIRTUAL = (
    "cluster_type",
    "dbus_per_hour",
    "cluster_log_conf.type",
    "cluster_log_conf.path",
    "cluster_log_conf.region",
)
"""Attributes that are no settings of a cluster."""
_SIZES = ("num_workers", "autoscale")
_MISSING: Any = object()


@attrs.define(eq=False)
class Policy:
    """A cluster policy: rules by the path of the setting that they are about."""

    policy_id: str
    name: str
    definition: dict[str, dict[str, Any]]
    creator: str
    created_at: int
    description: str | None = None
    max_clusters_per_user: int | None = None

    @property
    def text(self) -> str:
        """The definition as JSON."""
        return orjson.dumps(self.definition).decode()

    def applied(self, spec: Json) -> Json:
        """A cluster's settings with what the policy fixes and, if the request wants them, its defaults.

        "When set to true, fixed and default values from the policy will be used for fields that are omitted. When set
        to false, only fixed values from the policy will be applied" (reference of clusters/create).
        """
        filled = copy.deepcopy(spec)
        defaults = bool(spec.get("apply_policy_default_values"))
        for path, rule in self.definition.items():
            value = rule.get("value") if rule.get("type") == "fixed" else None
            if value is None and defaults:
                value = rule.get("defaultValue")
            if value is None or path in _VIRTUAL or "*" in path or _read(filled, path) is not _MISSING:
                continue
            name = path.partition(".")[0]
            if name in _SIZES and any(other in spec for other in _SIZES if other != name):
                continue  # the request has a size of the other kind
            _write(filled, path, value)
        return filled

    def check(self, spec: Json, cluster_type: str) -> None:
        """Refuse settings that break a rule; `cluster_type` is "all-purpose" or "job"."""
        for path, rule in self.definition.items():
            if path == "cluster_type":
                value: Any = cluster_type
            elif path in _VIRTUAL or "*" in path:
                continue
            else:
                value = _read(spec, path)
            demand = _broken(rule, value)
            if demand is not None:
                given = "" if value is _MISSING else f' (is "{_text(value)}")'
                raise invalid(f"Cluster validation error: Validation failed for {path}, the value must {demand}{given}")


def parse(definition: str | Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """A definition, as JSON text or decoded. Raises ApiError if it is no map of rules."""
    try:
        rules = orjson.loads(definition) if isinstance(definition, str) else definition
    except ValueError as error:
        raise _malformed(str(error)) from None
    if not isinstance(rules, Mapping) or not all(isinstance(rule, Mapping) for rule in rules.values()):
        raise _malformed("it is not a map of paths to rules")
    for path, rule in rules.items():
        if rule.get("type") not in ("fixed", "forbidden", "unlimited", *_LIMITS):
            raise _malformed(f"{path} has the unknown type {rule.get('type')!r}")
        try:
            re.compile(str(rule.get("pattern", "")))
        except re.error as error:
            raise _malformed(f"{path} has a pattern that is no regular expression: {error}") from None
    return {path: dict(rule) for path, rule in rules.items()}


def missing(policy_id: str) -> ApiError:
    return ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"Can't find a cluster policy with id: {policy_id}.")


def _malformed(why: str) -> ApiError:
    return invalid(f"Policy definition is malformed: {why}")


def _broken(rule: Mapping[str, Any], value: Any) -> str | None:
    """What the value must be to keep the rule; None if it does."""
    kind = rule.get("type")
    if kind == "forbidden":
        return None if value is _MISSING else "not be present"
    if kind == "unlimited":
        return None if value is not _MISSING or rule.get("isOptional", True) else "be present"
    if value is _MISSING:
        return None if rule.get("isOptional") else "be present"
    return _LIMITS[str(kind)](rule, value)


def _fixed(rule: Mapping[str, Any], value: Any) -> str | None:
    wanted = rule.get("value")
    return None if _text(value) == _text(wanted) else f"be {_text(wanted)}"


def _allowlist(rule: Mapping[str, Any], value: Any) -> str | None:
    values = [_text(one) for one in rule.get("values", [])]
    return None if _text(value) in values else f"be one of {', '.join(values)}"


def _blocklist(rule: Mapping[str, Any], value: Any) -> str | None:
    values = [_text(one) for one in rule.get("values", [])]
    return f"not be one of {', '.join(values)}" if _text(value) in values else None


def _regex(rule: Mapping[str, Any], value: Any) -> str | None:
    pattern = str(rule.get("pattern", ""))
    return None if re.fullmatch(pattern, _text(value)) else f"match the pattern {pattern}"


def _range(rule: Mapping[str, Any], value: Any) -> str | None:
    low, high = rule.get("minValue"), rule.get("maxValue")
    if not isinstance(value, int | float):
        return "be a number"
    if low is not None and value < low:
        return f"be at least {low}"
    return f"be at most {high}" if high is not None and value > high else None


_LIMITS = {"fixed": _fixed, "allowlist": _allowlist, "blocklist": _blocklist, "regex": _regex, "range": _range}


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _parts(path: str) -> list[str]:
    name, _, rest = path.partition(".")
    return [name, rest] if name in _MAPS and rest else path.split(".")


def _read(spec: Any, path: str) -> Any:
    found = spec
    for part in _parts(path):
        if isinstance(found, list):
            found = found[int(part)] if part.isdecimal() and int(part) < len(found) else _MISSING
        else:
            found = found.get(part, _MISSING) if isinstance(found, dict) else _MISSING
        if found is _MISSING:
            break
    return found


def _write(spec: Any, path: str, value: Any) -> None:
    parts = _parts(path)
    inner = spec
    for part, following in pairwise(parts):
        empty: Any = [] if following.isdecimal() and part not in _MAPS else {}
        if isinstance(inner, list):
            while len(inner) <= int(part):
                inner.append({})
            inner = inner[int(part)]
        else:
            inner = inner.setdefault(part, empty)
    inner[parts[-1]] = value
