"""The endpoints of the Cluster Policies API: create, edit, get, list, delete."""

from __future__ import annotations

from typing import Literal

from databricks_async.local.access import admins_only
from databricks_async.local.clusters import policies
from databricks_async.local.clusters.policies import Policy
from databricks_async.local.errors import invalid
from databricks_async.local.state import Endpoint, Json, State, User


def create(
    state: State,
    *,
    caller: User,
    name: str,
    definition: str | None = None,
    description: str | None = None,
    max_clusters_per_user: int | None = None,
) -> Json:
    admins_only(caller, "create cluster policies")
    policy_id = f"{state.random.getrandbits(64):016X}"
    rules = policies.parse(definition or "{}")
    _check_name(state, name)
    state.policies[policy_id] = Policy(
        policy_id, name, rules, caller.name, state.now, description, max_clusters_per_user
    )
    return {"policy_id": policy_id}


def edit(
    state: State,
    *,
    caller: User,
    policy_id: str,
    name: str | None = None,
    definition: str | None = None,
    description: str | None = None,
    max_clusters_per_user: int | None = None,
) -> Json:
    """Replace the policy. Clusters that it was applied to stay as they are until they are edited."""
    admins_only(caller, "edit cluster policies")
    policy = _known(state, policy_id)
    rules = policies.parse(definition or "{}")
    if name is not None and name != policy.name:
        _check_name(state, name)
        policy.name = name
    policy.definition, policy.description, policy.max_clusters_per_user = rules, description, max_clusters_per_user
    return {}


def delete(state: State, *, caller: User, policy_id: str) -> Json:
    admins_only(caller, "delete cluster policies")
    del state.policies[_known(state, policy_id).policy_id]
    return {}


def get(state: State, *, caller: User, policy_id: str) -> Json:
    return _describe(_known(state, policy_id))


def list_(
    state: State,
    *,
    caller: User,
    sort_column: Literal["POLICY_CREATION_TIME", "POLICY_NAME"] = "POLICY_CREATION_TIME",
    sort_order: Literal["ASC", "DESC"] = "DESC",
) -> Json:
    """Newest first unless asked otherwise."""
    found = list(state.policies.values())
    if sort_column == "POLICY_NAME":
        found.sort(key=lambda policy: policy.name)
    if sort_order == "DESC":
        found.reverse()
    return {"policies": [_describe(policy) for policy in found]} if found else {}


def _known(state: State, policy_id: str) -> Policy:
    policy = state.policies.get(policy_id)
    if policy is None:
        raise policies.missing(policy_id)
    return policy


def _check_name(state: State, name: str) -> None:
    if not 1 <= len(name) <= 100:
        raise invalid("The name of a policy must have between 1 and 100 characters")
    if any(policy.name == name for policy in state.policies.values()):
        raise invalid(f"A cluster policy with name {name!r} already exists")


def _describe(policy: Policy) -> Json:
    answer: Json = {
        "policy_id": policy.policy_id,
        "name": policy.name,
        "definition": policy.text,
        "creator_user_name": policy.creator,
        "created_at_timestamp": policy.created_at,
        "is_default": False,
    }
    for name in ("description", "max_clusters_per_user"):
        value = getattr(policy, name)
        if value is not None:
            answer[name] = value
    return answer


ROUTES: dict[str, Endpoint] = {
    "POST /api/{v}/policies/clusters/create": create,
    "POST /api/{v}/policies/clusters/edit": edit,
    "POST /api/{v}/policies/clusters/delete": delete,
    "GET /api/{v}/policies/clusters/get": get,
    "GET /api/{v}/policies/clusters/list": list_,
}
VERSIONS = ("2.0",)
