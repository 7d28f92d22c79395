"""The gate: when creates may leave, by the four rules of its module."""

import random
from itertools import pairwise

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from seedance_async.core.gate import LOST_TO_SUSPECT, MISSES_TO_CLOSE, Gate


def last() -> float:
    """Chance that makes every delay its longest."""
    return 1.0


def probe(gate: Gate, *, miss: bool, until: float = 1e9) -> float:
    """Let the probe that is due leave and come back; return when it left."""
    moment = gate.probe_at
    assert moment is not None
    assert moment <= until
    gate.probe_started()
    if miss:
        gate.poll_missed("nothing", moment, last)
    else:
        gate.answered(moment)
    return moment


def test_open_at_first() -> None:
    """A new gate is open, trusts the service and has never reached it."""
    gate = Gate()
    assert gate.is_open
    assert (gate.reason, gate.closed_at, gate.probe_at) == (None, None, None)
    assert not gate.suspicious
    assert not gate.contacted


def test_unreached_create_closes() -> None:
    """Rule 1: one create that was not sent closes the gate, and the reason is kept."""
    gate = Gate()
    assert gate.create_unreached("connection refused", 5.0, last)
    assert not gate.is_open
    assert (gate.reason, gate.closed_at) == ("connection refused", 5.0)
    assert not gate.create_unreached("again", 6.0, last)
    assert (gate.reason, gate.closed_at) == ("connection refused", 5.0)


def test_missed_polls_close() -> None:
    """Rule 1: only so many polls in a row close it."""
    gate = Gate()
    assert [gate.poll_missed("hang", float(n), last) for n in range(MISSES_TO_CLOSE)] == [
        *[False] * (MISSES_TO_CLOSE - 1),
        True,
    ]
    assert gate.closed_at == MISSES_TO_CLOSE - 1


def test_a_good_poll_between_counts() -> None:
    """Rule 1: one good answer between them starts the count again."""
    gate = Gate()
    for _ in range(5):
        for moment in range(MISSES_TO_CLOSE - 1):
            assert not gate.poll_missed("hang", float(moment), last)
        assert not gate.answered(5.0)
    assert gate.is_open


def test_an_accepted_create_between_counts() -> None:
    """Rule 1: so does a create with a definite answer."""
    gate = Gate()
    for moment in range(MISSES_TO_CLOSE - 1):
        gate.poll_missed("hang", float(moment), last)
    gate.create_settled()
    assert not gate.poll_missed("hang", 9.0, last)


def test_one_probe_at_a_time() -> None:
    """Rule 2: while a probe is on its way no other is due."""
    gate = Gate()
    gate.create_unreached("down", 0.0, last)
    assert gate.probe_at == 1.0
    gate.probe_started()
    assert gate.probe_at is None
    gate.poll_missed("down", 4.0, last)
    assert gate.probe_at == 6.0


def test_a_late_poll_is_no_probe() -> None:
    """Rule 2: a poll from before the outage that fails late does not put the probe off."""
    gate = Gate()
    gate.create_unreached("down", 0.0, last)
    due = gate.probe_at
    gate.poll_missed("down", 0.5, last)
    assert gate.probe_at == due


def test_probes_grow_rarer() -> None:
    """Rule 2: the gaps double up to a minute and stay there."""
    gate = Gate()
    gate.create_unreached("down", 0.0, last)
    moments = [0.0, *(probe(gate, miss=True) for _ in range(10))]
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert gaps == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]


def test_an_answer_opens() -> None:
    """Rule 3: a proper answer opens the gate, once."""
    gate = Gate()
    gate.create_unreached("down", 0.0, last)
    probe(gate, miss=True)
    gate.probe_started()
    assert gate.answered(2.0)
    assert gate.is_open
    assert (gate.reason, gate.closed_at, gate.probe_at) == (None, None, None)
    assert gate.contacted
    assert not gate.answered(3.0)


def test_a_poll_that_answers_early_does_not_open() -> None:
    """Rule 3: where polls go on and creates fail, a poll opens the gate no earlier than the probe would."""
    gate = Gate()
    gate.create_failed("HTTP 500", 0.0, last)
    assert not gate.polls_pause
    assert not gate.answered(0.5)
    assert not gate.is_open
    assert gate.answered(1.0)


def test_polls_pause_where_they_would_fail() -> None:
    """Rule 2: no poll but a probe leaves while the service is not reached or polls fail, until one is answered."""
    unreached, missed = Gate(), Gate()
    unreached.create_unreached("refused", 0.0, last)
    for moment in range(MISSES_TO_CLOSE):
        missed.poll_missed("hang", float(moment), last)
    for gate in (unreached, missed):
        assert gate.polls_pause
        probe(gate, miss=True)
        assert gate.polls_pause
        probe(gate, miss=False)
        assert not gate.polls_pause


def test_a_service_that_answers_polls_alone() -> None:
    """Rule 3: one that answers every poll and drops every create is asked more and more rarely."""
    gate, now, moments = Gate(), 0.0, list[float]()
    for _ in range(10):
        gate.create_unreached("dropped", now, last)
        now = probe(gate, miss=False)
        moments.append(now)
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert gaps[-3:] == [60, 60, 60]


def test_a_definite_answer_ends_the_caution() -> None:
    """Rule 3: after a create with a definite answer the next outage is probed quickly again."""
    gate = Gate()
    gate.create_unreached("down", 0.0, last)
    for _ in range(5):
        probe(gate, miss=True)
    probe(gate, miss=False)
    gate.create_settled()
    gate.create_unreached("down", 1000.0, last)
    assert gate.probe_at == 1001.0


def test_lost_creates_close() -> None:
    """Rule 4: so many unknown creates in a row close the gate; it says how many and why."""
    gate = Gate()
    closed = [gate.create_lost("hang", float(n), last) for n in range(LOST_TO_SUSPECT)]
    assert closed == [*[False] * (LOST_TO_SUSPECT - 1), True]
    assert gate.suspicious
    assert gate.reason == f"{LOST_TO_SUSPECT} creates in a row without a known outcome; last: hang"


def test_suspicion_outlives_a_poll() -> None:
    """Rule 4: a poll opens the gate, one create leaves at a time, and the next loss closes it at once."""
    gate = Gate()
    for moment in range(LOST_TO_SUSPECT):
        gate.create_lost("hang", float(moment), last)
    probe(gate, miss=False)
    assert gate.is_open
    assert gate.suspicious
    assert gate.create_lost("hang", 10.0, last)
    assert not gate.is_open


def test_a_definite_create_ends_the_suspicion() -> None:
    """Rule 4: a create with a definite answer ends it, accepted or refused."""
    gate = Gate()
    for moment in range(LOST_TO_SUSPECT):
        gate.create_lost("hang", float(moment), last)
    assert gate.create_settled()
    assert gate.is_open
    assert not gate.suspicious
    assert not gate.create_lost("hang", 10.0, last)


def test_lost_creates_with_good_ones_between() -> None:
    """Rule 4: losses that are not in a row close nothing."""
    gate = Gate()
    for moment in range(20):
        for _ in range(LOST_TO_SUSPECT - 1):
            assert not gate.create_lost("hang", float(moment), last)
        gate.create_settled()


class GateMachine(RuleBasedStateMachine):
    """Anything may happen in any order, probes included."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = Gate()
        self.now = 0.0
        self.chance = random.Random(0)
        self.misses = 0
        self.lost = 0
        self.changed_at = 0.0

    @rule(seconds=st.floats(0, 200))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def unreached(self) -> None:
        was_open = self.gate.is_open
        assert self.gate.create_unreached("down", self.now, self.chance.random) is was_open
        assert not self.gate.is_open
        self._scheduled(was_open)

    @rule()
    def lost_create(self) -> None:
        was_open = self.gate.is_open
        self.lost += 1
        closed = self.gate.create_lost("hang", self.now, self.chance.random)
        assert closed is (was_open and self.lost >= LOST_TO_SUSPECT)
        self._scheduled(closed)

    @rule()
    def settled(self) -> None:
        was_open = self.gate.is_open
        assert self.gate.create_settled() is not was_open
        self.lost = self.misses = 0

    @rule()
    def answered(self) -> None:
        was_open = self.gate.is_open
        due = self.gate.probing or (self.gate.probe_at or 0.0) <= self.now
        assert self.gate.answered(self.now) is (due and not was_open)
        self.misses = 0

    @rule()
    def missed(self) -> None:
        was_open, was_probing = self.gate.is_open, self.gate.probing
        self.misses += 1
        closed = self.gate.poll_missed("hang", self.now, self.chance.random)
        assert closed is (was_open and self.misses >= MISSES_TO_CLOSE)
        self._scheduled(closed or (was_probing and not was_open))

    @precondition(lambda self: self.gate.probe_at is not None)
    @rule()
    def probe_leaves(self) -> None:
        due = self.gate.probe_at
        assert due is not None
        self.now = max(self.now, due)
        self.gate.probe_started()

    def _scheduled(self, changed: bool) -> None:
        if changed:
            self.changed_at = self.now

    @invariant()
    def consistent(self) -> None:
        gate = self.gate
        assert gate.is_open == (gate.reason is None) == (gate.closed_at is None)
        assert gate.suspicious == (self.lost >= LOST_TO_SUSPECT)
        if gate.is_open:
            assert gate.probe_at is None

    @invariant()
    def never_stuck(self) -> None:
        """While it is closed a probe is on its way, or due within a minute of the last one."""
        gate = self.gate
        if not gate.is_open and not gate.probing:
            assert gate.probe_at is not None
            assert self.changed_at < gate.probe_at <= self.changed_at + 60.0


TestGate = GateMachine.TestCase


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
def test_probes_are_spread(chance: float) -> None:
    """Sessions that lost the service together do not come back together."""
    gate = Gate()
    gate.create_unreached("down", 0.0, lambda: chance)
    assert gate.probe_at == pytest.approx(0.5 + 0.5 * chance)
