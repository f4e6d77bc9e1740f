"""Programs that tests start: Python in its development mode, and what such a program wrote by itself."""

from __future__ import annotations

import re
import sys

STRICT_PYTHON = (sys.executable, "-X", "dev", "-W", "error")
"""Every warning is an error, and resources left open are reported when the program ends."""

_SLOW_CALLBACK = re.compile(r"^Executing <(?:Task|Handle|TimerHandle) .* took \d+\.\d{3} seconds\n", re.MULTILINE)


def own_output(output: bytes) -> str:
    """The output of a program without asyncio's lines "Executing <Task ...> took 0.123 seconds".

    The development mode writes one for each callback that takes longer than a tenth of a second, as any does on a busy
    machine. They are about the machine and not about the program.
    """
    return _SLOW_CALLBACK.sub("", output.decode())
