"""The local workspace: an in-memory Databricks that serves the same HTTP API, for tests and for trying things out."""

from databricks_async.local.clock import Clock
from databricks_async.local.faults import Fault
from databricks_async.local.identity_peers import LocalIdentity
from databricks_async.local.journal import Call
from databricks_async.local.limits import RateLimit
from databricks_async.local.workspace import LocalWorkspace

__all__ = ["Call", "Clock", "Fault", "LocalIdentity", "LocalWorkspace", "RateLimit"]
