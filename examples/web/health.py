"""What a probe is answered: JSON and a status."""

from typing import Any

from examples.web.videos import Videos


def health(videos: Videos) -> tuple[dict[str, Any], int]:
    """Say whether the session's background work is alive: 503 if the process is to be started anew.

    An outage of the service, a full queue or an empty account is none of this: a new process would not help.
    """
    healthy = videos.session.healthy
    statistics = videos.session.statistics()
    told = {
        "healthy": healthy,
        "in_progress": statistics.in_progress,
        "limit": statistics.limit,
        "waiting": statistics.waiting,
        "gate": statistics.gate,
    }
    return told, 200 if healthy else 503


def readiness(videos: Videos) -> tuple[dict[str, Any], int]:
    """Say whether new visitors are welcome: not while the process stops."""
    ready = videos.session.healthy and not videos.stopping.begun
    return {"ready": ready}, 200 if ready else 503
