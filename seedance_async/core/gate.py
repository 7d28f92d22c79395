"""The gate: whether creates may leave at all.

An outage says nothing about one job, so it pauses the session instead of failing jobs.

1. A create that was not sent, or was answered 5xx, closes the gate. So do `MISSES_TO_CLOSE` polls in a row that
   fail, with no good one between them.
2. While it is closed one probe at a time leaves, at growing intervals of at most a minute. A probe is a poll: it
   costs nothing. Where the service is not reached, or polls fail, no other poll leaves; where only creates fail,
   running tasks are watched as before.
3. A proper answer to a probe opens the gate, and so does one to any poll once the probe is due. The interval starts
   short again only when a create has had a definite answer: a service that answers polls and drops creates would
   otherwise be hammered.
4. After `LOST_TO_SUSPECT` unknown creates in a row, the gate closes until a poll has a proper answer, and from then
   on one create leaves at a time, until one has a definite answer.
"""

from typing import Final

from attrs import define

from seedance_async.core.retry import Rand, grown_delay

MISSES_TO_CLOSE: Final = 3
LOST_TO_SUSPECT: Final = 3

_FIRST_PROBE: Final = 1.0
_LONGEST_PROBE: Final = 60.0


@define
class Gate:
    """The state of the gate. All times are monotonic seconds.

    Attributes:
        reason: Why it is closed, or None while it is open.
        closed_at: When it closed, or None while it is open.
        contacted: Whether the service has ever given a proper answer.
        probing: Whether a probe is on its way.
        polls_pause: Whether no poll but a probe may leave.
    """

    reason: str | None = None
    closed_at: float | None = None
    contacted: bool = False
    probing: bool = False
    polls_pause: bool = False
    _probe_at: float = 0.0
    _probes: int = 0
    _misses: int = 0
    _lost: int = 0

    @property
    def is_open(self) -> bool:
        """Whether creates may leave."""
        return self.reason is None

    @property
    def suspicious(self) -> bool:
        """Whether creates get lost, so that only one may be on the wire at a time."""
        return self._lost >= LOST_TO_SUSPECT

    @property
    def probe_at(self) -> float | None:
        """When the next probe is due; None while the gate is open or a probe is on its way."""
        return None if self.is_open or self.probing else self._probe_at

    def probe_started(self) -> None:
        """Note that a probe leaves."""
        self.probing = True

    def create_unreached(self, reason: str, now: float, rand: Rand) -> bool:
        """Note a create that was not sent; return whether the gate closed by it."""
        self.polls_pause = True
        return self._close(reason, now, rand)

    def create_failed(self, reason: str, now: float, rand: Rand) -> bool:
        """Note a create that was answered 5xx; return whether the gate closed by it."""
        return self._close(reason, now, rand)

    def create_lost(self, reason: str, now: float, rand: Rand) -> bool:
        """Note a create whose outcome is unknown; return whether the gate closed by it."""
        self._lost += 1
        if not self.suspicious:
            return False
        return self._close(f"{self._lost} creates in a row without a known outcome; last: {reason}", now, rand)

    def create_settled(self) -> bool:
        """Note a create with a definite answer of the service; return whether the gate opened by it."""
        self._lost = 0
        self._probes = 0
        self._heard()
        return self._open()

    def poll_missed(self, reason: str, now: float, rand: Rand) -> bool:
        """Note a poll or probe that failed; return whether the gate closed by it."""
        self._misses += 1
        self.polls_pause = self.polls_pause or self._misses >= MISSES_TO_CLOSE
        if self.is_open:
            return self.polls_pause and self._close(reason, now, rand)
        if self.probing:
            self.probing = False
            self._schedule(now, rand)
        return False

    def answered(self, now: float) -> bool:
        """Note a proper answer to a poll or probe; return whether the gate opened by it."""
        may_open = self.probing or now >= self._probe_at
        self._heard()
        return may_open and self._open()

    def _heard(self) -> None:
        self.contacted = True
        self._misses = 0
        self.polls_pause = False

    def _open(self) -> bool:
        self.probing = False
        if self.is_open:
            return False
        self.reason = self.closed_at = None
        return True

    def _close(self, reason: str, now: float, rand: Rand) -> bool:
        if not self.is_open:
            return False
        self.reason, self.closed_at, self.probing = reason, now, False
        self._schedule(now, rand)
        return True

    def _schedule(self, now: float, rand: Rand) -> None:
        self._probe_at = now + grown_delay(self._probes, rand, first=_FIRST_PROBE, most=_LONGEST_PROBE)
        self._probes += 1
