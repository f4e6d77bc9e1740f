"""The models that users may name."""

from __future__ import annotations

from collections.abc import Iterator

from databricks_async import clusters, current_user, jobs, libraries, workspace
from databricks_async.codec import Model


def public_models() -> Iterator[type[Model]]:
    """All models that the packages of the services offer."""
    for package in (clusters, jobs, libraries, workspace, current_user):
        for name in package.__all__:
            kind = getattr(package, name)
            if isinstance(kind, type) and issubclass(kind, Model):
                yield kind
