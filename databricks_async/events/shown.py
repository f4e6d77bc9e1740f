"""What of a request and its answer may be shown: what is known to be harmless, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import orjson

from databricks_async.error_bodies import find_request_id, one_line
from databricks_async.sent_secrets import mask

_MASK = "***"
_MAX_BODY = 2**20
"""Longer ones are not taken apart for a line of the log."""
_MAX_DEPTH = 20
_MAX_HEADER = 200
_PATHS = ("/api/", "/oidc/", "/aad/", "/metadata/identity/")
"""Any other may be the secret of a local metadata service."""
_NAME = r"[A-Za-z_]{1,64}([.][A-Za-z_]{1,64})*"

_HEADERS = frozenset(
    """
    accept accept-encoding connection content-encoding content-length content-type date keep-alive request-id
    retry-after server transfer-encoding user-agent vary x-databricks-org-id x-databricks-request-id
    x-databricks-workspace-id x-request-id
    """.split()  # noqa: SIM905
)
_FIELDS = frozenset(
    """
    active_only attempt_number autotermination_minutes availability cleanup_duration cluster_id cluster_ids
    cluster_memory_mb cluster_source code completed_only cores created_time data_security_mode deleted
    dependency_timeout disk_count disk_size driver_node_type_id enable_elastic_disk enable_local_disk_encryption
    end_time environment_key error_code event_types execution_duration existing_cluster_id expand_tasks
    first_on_demand format has_more id idempotent include_history include_resolved_values instance_pool_id interval
    is_pinned is_single_node iteration job_cluster_key job_id job_run_id language last_activity_time
    last_restarted_time last_state_loss_time life_cycle_state limit max_concurrent_runs max_retries max_workers
    memory_mb min_retry_interval_millis min_workers node_id node_type_id num_cores num_gpus num_nodes num_workers
    object_id object_type offset order order_by original_attempt_run_id overwrite page_size path pause_status
    permission_level pinned policy_id pool_id queue_duration recursive resource_id result_state retry_on_timeout
    run_duration run_id run_if run_job_id run_type runtime_engine setup_duration single_user_only size sort_by
    sort_order spark_context_id spark_version start_time start_time_from start_time_to state status status_code
    sub_type success task_key terminated_time termination_code termination_reason timeout_seconds timestamp
    total_count total_nodes trigger_type truncated type use_ml_runtime user_cancelled_or_timedout warehouse_id
    """.split()  # noqa: SIM905
)
"""Of ids, numbers, times and words of the service. No text of a person's own, no map of a person's own names: neither
conf nor variables, parameters, tags, messages or content."""
_PARTS = frozenset(
    """
    autoscale cluster_spec clusters events filter_by job_clusters job_settings jobs library_statuses new_cluster
    new_settings node_types notebook_task objects pagination queue runs settings state status statuses tasks
    termination_details versions workload_type
    """.split()  # noqa: SIM905
)
"""Of objects, and lists of objects, that have such fields."""


def endpoint(line: str) -> str:
    """The manual's own line; elsewhere than at the workspace the method and the origin."""
    method, _, rest = line.partition(" ")
    if rest.startswith(_PATHS):
        return mask(line)
    scheme, separator, address = rest.partition("://")
    origin = f"{scheme}{separator}{address.partition('/')[0]}" if separator else f"/{_MASK}"
    return f"{method} {origin}"


def target(path: str, query: str) -> str:
    """The path, and the query with the values of harmless parameters."""
    shown = path if path.startswith(_PATHS) else f"/{_MASK}"
    if query:
        shown += "?" + "&".join(_parameter(one) for one in query.split("&"))
    return mask(shown)


def request_id(given: Mapping[str, str]) -> str | None:
    """The service's id of a request, from the headers of its answer."""
    found = find_request_id(given, [])
    return mask(found) if found else None


def headers(given: Mapping[str, str]) -> str:
    """All names in lower case, and the values of harmless ones."""
    shown = {
        name.lower(): one_line(value, _MAX_HEADER) if name.lower() in _HEADERS else _MASK
        for name, value in given.items()
    }
    return mask(json.dumps(shown, separators=(",", ":")))


def body(content: object, max_bytes: int) -> str:
    """At most so many bytes of a JSON body, with the values of harmless fields; of any other its length."""
    if not isinstance(content, bytes):
        return "streamed"
    if not content:
        return "empty"
    try:
        shown = None if len(content) > _MAX_BODY else orjson.dumps(_harmless(orjson.loads(content)))
    except ValueError:
        shown = None
    if shown is None:
        return f"{_MASK} ({len(content)} bytes)"
    text = mask(shown.decode()).encode()
    if len(text) <= max_bytes:
        return text.decode()
    return f"{text[:max_bytes].decode(errors='ignore')}… ({len(content)} bytes)"


def _parameter(pair: str) -> str:
    name, separator, value = pair.partition("=")
    if not re.fullmatch(_NAME, name):
        return _MASK
    return f"{name}{separator}{value if name.rpartition('.')[2] in _FIELDS else _MASK}"


def _harmless(value: Any, depth: int = 0, *, is_known: bool = False) -> Any:
    """What stands where harmless values do: objects and lists are looked through."""
    if depth > _MAX_DEPTH:
        return _MASK
    if isinstance(value, list):
        return [_harmless(item, depth + 1, is_known=is_known) for item in value]
    if isinstance(value, dict):
        return {
            name if re.fullmatch(_NAME, name) else _MASK: _harmless(inner, depth + 1, is_known=name in _FIELDS)
            if name in _FIELDS or name in _PARTS
            else _MASK
            for name, inner in value.items()
        }
    return value if is_known else _MASK
