"""Identity peers: where tokens come from, on a port of this machine, for tests of whatever asks for them.

`LocalIdentity` serves Microsoft Entra, the endpoints of managed identities, the id tokens of GitHub and Azure DevOps,
Azure Resource Manager's look-up of a workspace, and a metadata service. It checks what it is sent as those do.
"""

from databricks_async.local.identity_peers.identity import LocalIdentity

__all__ = ["LocalIdentity"]
