"""The services that batches are killed at. Both are emulators in a process of their own."""

from collections.abc import Mapping
from typing import Any, Final

#: A service as it should be. Tasks take a moment, so that some are at every point of their life when a process dies.
_CALM: Final[dict[str, Any]] = {"limit": 20, "durations": 0.06, "credits": 10**9}

SERVICES: Final[Mapping[str, Mapping[str, Any]]] = {
    "calm": _CALM,
    # Fewer slots than batches ask for, and answers that are late, cut short, or lost.
    "troubled": {
        **_CALM,
        "limit": 12,
        "faults": [
            "drop-after-accept:rate=0.01",
            "slow-headers:on=create,rate=0.3,seconds=0.03",
            "slow-headers:on=file,rate=0.3,seconds=0.03",
            "cut-body:on=file,rate=0.05",
        ],
    },
}
