"""Every operation of `w.current_user`.

Here are the tests of `current_user.py`.
"""

from __future__ import annotations

from databricks_async import WorkspaceClient


async def test_the_caller(workspace_client, local_workspace):
    """Names of the API in the house's style, and nothing lost."""
    me = await workspace_client.current_user.me()
    assert me.user_name == me.emails[0].value == "admin@example.com"
    assert me.active is True
    assert {group.display for group in me.groups} == {"admins", "users"}
    assert me.as_dict()["userName"] == me.user_name
    local_workspace.add_user("b@x", "dapib")
    async with WorkspaceClient(host=local_workspace.url, token="dapib") as other:
        assert (await other.current_user.me()).user_name == "b@x"
