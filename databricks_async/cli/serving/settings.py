"""What `serve` was asked for, checked, and as arguments again; without what serving needs, so that help is quick."""

from __future__ import annotations

import re
from typing import Any

TOKEN_VARIABLE = "DATABRICKS_LOCAL_TOKEN"  # noqa: S105 (a name)

_RATE = re.compile(r"(\d+(?:\.\d+)?)/(s|min|h)")
_SECONDS = {"s": 1, "min": 60, "h": 3600}


class Settings:
    """The options of `serve`."""

    host: str = "127.0.0.1"
    port: int = 8765
    token: str | None = None
    speed: float = 60.0
    data: str | None = None
    """The directory that keeps the workspace."""
    seeds: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    fault_seed: int = 0
    rate: float | None = None
    """Requests a second."""
    log: str | None = None
    """A file; `-` is stderr."""
    tls_cert: str | None = None
    tls_key: str | None = None
    ui: bool = False
    ui_port: int = 8766
    run_tasks: bool = False

    def __init__(self, **options: Any) -> None:
        vars(self).update(options)

    def arguments(self) -> list[str]:
        """The command line that asks for this, without the token."""
        pairs = [("--host", self.host), ("--port", self.port), ("--speed", f"{self.speed!r}")]
        pairs += [("--seed", name) for name in self.seeds] + [("--fault", line) for line in self.faults]
        pairs += [("--fault-seed", self.fault_seed)]
        optional = {"--data": self.data, "--log": self.log, "--tls-cert": self.tls_cert, "--tls-key": self.tls_key}
        pairs += [(name, value) for name, value in optional.items() if value is not None]
        pairs += [("--rate", f"{self.rate!r}/s")] if self.rate is not None else []
        pairs += [("--ui-port", self.ui_port)] if self.ui else []
        flags = [name for name, is_on in (("--ui", self.ui), ("--run-tasks", self.run_tasks)) if is_on]
        return [*(f"{name}={value}" for name, value in pairs), *flags]


def parse_rate(text: str) -> float:
    """`30/s`, `100/min`, `5000/h` as requests a second. Raises ValueError."""
    found = _RATE.fullmatch(text.strip())
    if found is None or float(found[1]) <= 0:
        raise ValueError(f"a rate is a number of requests a second, minute or hour, such as 30/s, not {text!r}")
    return float(found[1]) / _SECONDS[found[2]]


def parse_speed(text: str) -> float:
    """Workspace seconds a second. Raises ValueError."""
    factor = float(text)
    if not 0 < factor < 1e9:
        raise ValueError(f"must be greater than 0, not {text}")
    return factor


def read_seed(name: str) -> Any:
    """The JSON of a seed file, `-` for stdin. Raises ValueError, which names the file."""
    import json
    import sys
    from pathlib import Path

    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{name}: {getattr(error, 'strerror', None) or error}") from None
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"{name} is no JSON: {error}") from None
