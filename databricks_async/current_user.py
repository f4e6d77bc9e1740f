"""Who the token stands for: `w.current_user`."""

from __future__ import annotations

import attrs

from databricks_async.codec import Model
from databricks_async.codec.open_enum import OpenEnum
from databricks_async.service import Service

__all__ = ["ComplexValue", "CurrentUser", "Name", "User", "UserSchema"]


class UserSchema(OpenEnum):
    """The SCIM schemas of a user."""

    CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
    WORKSPACE = "urn:ietf:params:scim:schemas:extension:workspace:2.0:User"


@attrs.define(kw_only=True, repr=False)
class Name(Model):
    """The parts of a person's name."""

    family_name: str | None = attrs.field(default=None, metadata={"wire": "familyName"})
    given_name: str | None = attrs.field(default=None, metadata={"wire": "givenName"})


@attrs.define(kw_only=True, repr=False)
class ComplexValue(Model):
    """An e-mail address, group, role or entitlement."""

    display: str | None = None
    primary: bool | None = None
    ref: str | None = attrs.field(default=None, metadata={"wire": "$ref"})
    type: str | None = None
    value: str | None = None


@attrs.define(kw_only=True, repr=False)
class User(Model):
    """A person or a service principal, as SCIM describes it."""

    active: bool | None = None
    display_name: str | None = attrs.field(default=None, metadata={"wire": "displayName"})
    emails: list[ComplexValue] | None = None
    entitlements: list[ComplexValue] | None = None
    external_id: str | None = attrs.field(default=None, metadata={"wire": "externalId"})
    groups: list[ComplexValue] | None = None
    id: str | None = None
    name: Name | None = None
    roles: list[ComplexValue] | None = None
    schemas: list[UserSchema] | None = None
    user_name: str | None = attrs.field(default=None, metadata={"wire": "userName"})
    """The e-mail address of a person, the application id of a service principal."""


class CurrentUser(Service):
    """The caller."""

    async def me(self) -> User:
        """Who the token stands for. Sends one request, also when asked again."""
        return await self._call("GET /api/{v}/preview/scim/v2/Me", User)
