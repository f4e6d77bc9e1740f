"""The local workspace: an in-memory Databricks that serves the same HTTP API, for tests and for trying things out."""

from .clock import Clock
from .faults import Fault
from .journal import Call
from .limits import RateLimit
from .workspace import LocalWorkspace

__all__ = ["Call", "Clock", "Fault", "LocalWorkspace", "RateLimit"]
