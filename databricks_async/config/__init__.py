"""The configuration: which workspace, on whose behalf, and where each setting comes from.

settings     Config: arguments, environment and a profile become one value
values       what each kind of setting accepts
file         how `.databrickscfg` is read
user_agent   what is sent as `User-Agent`
methods      the ways to authorize: their names and what each needs
"""

from databricks_async.config.arguments import Arguments
from databricks_async.config.settings import Config, hidden
from databricks_async.config.values import is_loopback

__all__ = ["Arguments", "Config", "hidden", "is_loopback"]
