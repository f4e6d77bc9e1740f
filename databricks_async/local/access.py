"""Access: grants of permission levels, what they allow a caller, and how the Permissions API shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from databricks_async.local.errors import invalid, permission_denied
from databricks_async.local.state import Json, User

Grants: TypeAlias = dict[tuple[str, str], str]
"""`("user_name", "ann@example.com") -> "CAN_MANAGE"`."""


def ranks(descriptions: Mapping[str, str]) -> dict[str, int]:
    """The rank of each level, of levels that each include the ones before."""
    return {level: number for number, level in enumerate(descriptions, 1)}


def rank(caller: User, grants: Mapping[tuple[str, str], str], ranks: Mapping[str, int]) -> int:
    """The highest rank that these grants allow the caller, 0 for none."""
    principals = {("user_name", caller.name), ("service_principal_name", caller.name), ("group_name", "users")}
    return max((ranks[level] for who, level in grants.items() if who in principals), default=0)


def must_have(caller: User, allowed: bool, level: str, what: str) -> None:
    """Refuse a caller who does not have this level on what was asked for."""
    if not allowed:
        raise permission_denied(
            f"{caller.name} does not have {level} permissions on {what}. "
            "Please contact the owner or an administrator for access."
        )


def admins_only(caller: User, what: str) -> None:
    """Refuse a caller who is no admin."""
    if not caller.admin:
        raise permission_denied(f"Only workspace admins can {what}.")


def grants_of(requests: Sequence[Mapping[str, Any]] | None) -> Grants:
    """The grants in a request's access_control_list."""
    grants: Grants = {}
    for index, request in enumerate(requests or ()):
        fields: Json = {**request}
        level = fields.pop("permission_level", None)
        if level is None:
            raise invalid(f"Missing required field: access_control_list[{index}].permission_level")
        if len(fields) != 1:
            raise invalid(
                f"access_control_list[{index}] must have exactly one of user_name, group_name, service_principal_name"
            )
        (who,) = fields.items()
        grants[who] = level
    return grants


def levels(descriptions: Mapping[str, str]) -> Json:
    """The answer of the permissionLevels endpoints."""
    return {"permission_levels": [{"permission_level": one, "description": text} for one, text in descriptions.items()]}


def describe(grants: Mapping[tuple[str, str], str], object_type: str, where: str, object_id: str | int) -> Json:
    """The permissions of an object that inherits those of admins alone; `where` is for example `/clusters/`."""
    direct = {who: [{"permission_level": level, "inherited": False}] for who, level in grants.items()}
    return describe_all(direct, object_type, where, object_id)


def describe_all(
    permissions: Mapping[tuple[str, str], Sequence[Json]],
    object_type: str,
    where: str,
    object_id: str | int,
    inherited_from: str | None = None,
) -> Json:
    """The permissions of an object, which may inherit them from the objects that it is in.

    Admins inherit theirs from `inherited_from`, which is `where` by default.
    """
    from_admins = {"permission_level": "CAN_MANAGE", "inherited": True}
    rows = [
        *({kind: name, "display_name": name, "all_permissions": given} for (kind, name), given in permissions.items()),
        {
            "group_name": "admins",
            "all_permissions": [from_admins | {"inherited_from_object": [inherited_from or where]}],
        },
    ]
    return {"object_id": f"{where}{object_id}", "object_type": object_type, "access_control_list": rows}
