"""The most memory that this process has had."""

import sys


def peak_megabytes() -> float:
    """Return it; not a number where the system does not tell."""
    if sys.platform == "win32":
        return float("nan")
    import resource  # noqa: PLC0415 (it is not everywhere)

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)
