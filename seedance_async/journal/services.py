"""Which service the jobs of a journal were sent to: another one calls their tasks unknown, and they would be lost."""

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

from seedance_async.core.lifecycle import State
from seedance_async.core.links import is_loopback
from seedance_async.core.record import JobRecord

#: Of jobs that no service has anything of.
_UNSENT: Final = frozenset({State.QUEUED, State.REFUSED, State.WITHDRAWN})
_USUAL_PORTS: Final = {"http": 80, "https": 443}


def service_name(base_url: str) -> str:
    """Return what a journal calls a service: its host, and its port where it is no usual one.

    Never the rest of the address, in which a gateway may have a secret. All names of this machine are one.
    """
    parts = urlsplit(base_url)
    host = (parts.hostname or "").rstrip(".")
    name = "localhost" if is_loopback(host) else host
    return name if parts.port in {None, _USUAL_PORTS.get(parts.scheme)} else f"{name}:{parts.port}"


def service_of(about: Mapping[str, str | None]) -> str | None:
    """Return the service that a journal was last used with, by what it says about itself."""
    return about.get("service")


def other_service(records: Iterable[JobRecord], known: str | None, service: str | None) -> str | None:
    """Return the name of the service that has tasks of a journal, if that is another one than it is to be used with.

    Args:
        records: The jobs.
        known: The service that the journal was last used with; None where it does not say.
        service: The one to be used; None where nobody said.
    """
    if known is None or service is None or known == service:
        return None
    return known if any(record.state not in _UNSENT for record in records) else None
