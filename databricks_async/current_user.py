"""Who the token stands for: `w.current_user`."""

from __future__ import annotations

import attrs

from databricks_async.codec import Model
from databricks_async.codec.open_enum import OpenEnum
from databricks_async.service import Service
from databricks_async.suggest import has_no

__all__ = ["ComplexValue", "CurrentUser", "Name", "User", "UserSchema"]


class UserSchema(OpenEnum):
    """The SCIM schemas of a user."""

    CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
    WORKSPACE = "urn:ietf:params:scim:schemas:extension:workspace:2.0:User"


@attrs.define(kw_only=True, repr=False, eq=False)
class Name(Model):
    """The parts of a person's name."""

    family_name: str | None = attrs.field(default=None, metadata={"wire": "familyName"})
    """The family name."""
    given_name: str | None = attrs.field(default=None, metadata={"wire": "givenName"})
    """The given name."""


@attrs.define(kw_only=True, repr=False, eq=False)
class ComplexValue(Model):
    """An e-mail address, group, role or entitlement."""

    display: str | None = None
    """The name for people."""
    primary: bool | None = None
    """Whether it is the main one of several."""
    ref: str | None = attrs.field(default=None, metadata={"wire": "$ref"})
    """The path of the resource that is meant."""
    type: str | None = None
    """What kind it is, for example `work` or `direct`."""
    value: str | None = None
    """The value itself: an address, an id, a name."""


@attrs.define(kw_only=True, repr=False, eq=False)
class User(Model):
    """A person or a service principal, as SCIM describes it."""

    active: bool | None = None
    """Whether the user can log in."""
    display_name: str | None = attrs.field(default=None, metadata={"wire": "displayName"})
    """The name for people."""
    emails: list[ComplexValue] | None = None
    """The e-mail addresses."""
    entitlements: list[ComplexValue] | None = None
    """What the user may do in the workspace beyond the usual."""
    external_id: str | None = attrs.field(default=None, metadata={"wire": "externalId"})
    """The id in the identity provider."""
    groups: list[ComplexValue] | None = None
    """The groups to which the user belongs."""
    id: str | None = None
    """The id of the user in this workspace."""
    name: Name | None = None
    """The parts of the name."""
    roles: list[ComplexValue] | None = None
    """The roles, such as AWS instance profiles."""
    schemas: list[UserSchema] | None = None
    """The SCIM schemas of this description."""
    user_name: str | None = attrs.field(default=None, metadata={"wire": "userName"})
    """The e-mail address of a person, the application id of a service principal."""


class CurrentUser(Service):
    """The caller."""

    @has_no(
        attributes="the whole user is returned: read the fields you want",
        excluded_attributes="the whole user is returned: leave it out",
    )
    async def me(self) -> User:
        """Who the token stands for. Sends one request, also when asked again.

        `GET /api/2.0/preview/scim/v2/Me`: https://docs.databricks.com/api/azure/workspace/currentuser/me
        """
        return await self._call("GET /api/{v}/preview/scim/v2/Me", User)
