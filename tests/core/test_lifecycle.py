"""The states of a job, as one table."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedance_async.core.lifecycle import Event, State, step

Q, S, R = State.QUEUED, State.SENDING, State.RUNNING

#: Everything that may happen. All else is a mistake.
TABLE = {
    (Q, Event.INTENT): S,
    (Q, Event.WITHDRAWN): State.WITHDRAWN,
    (Q, Event.REFUSED): State.REFUSED,
    (Q, Event.LOST): State.UNKNOWN,
    (S, Event.INTENT): S,
    (S, Event.NOT_SENT): Q,
    (S, Event.OVER_LIMIT): Q,
    (S, Event.ACCEPTED): R,
    (S, Event.REFUSED): State.REFUSED,
    (S, Event.LOST): State.UNKNOWN,
    (R, Event.SUCCEEDED): State.SUCCEEDED,
    (R, Event.FAILED): State.FAILED,
    (R, Event.GONE): State.GONE,
    (State.UNKNOWN, Event.RESOLVED): R,
    **{
        (ended, Event.REQUEUED): Q
        for ended in (Q, State.SUCCEEDED, State.FAILED, State.REFUSED, State.WITHDRAWN, State.UNKNOWN, State.GONE)
    },
}

#: States in which credits are gone, or may be.
PAID = {State.SENDING, State.RUNNING, State.SUCCEEDED, State.FAILED, State.UNKNOWN, State.GONE}


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)), ids=lambda each: each.value)
def test_every_pair(state: State, event: Event) -> None:
    """Each state takes the events of the table, and each other one is an error that names both."""
    if (state, event) in TABLE:
        assert step(state, event) is TABLE[state, event]
    else:
        with pytest.raises(ValueError, match=f"{state.value}.*{event.value}"):
            step(state, event)


@pytest.mark.parametrize("state", State, ids=lambda each: each.value)
def test_ended(state: State) -> None:
    """A job moves while it is queued, on the wire or runs; then it has ended."""
    assert state.ended is (state not in {Q, S, R})


@pytest.mark.parametrize("state", State, ids=lambda each: each.value)
def test_a_way_out(state: State) -> None:
    """A job that moves can end; one that has ended stays, unless another attempt is wanted or a hint brings an id."""
    events = {event for (source, event) in TABLE if source is state}
    if not state.ended:
        assert any(TABLE[state, event].ended or event is Event.INTENT for event in events) or state is S
    else:
        assert events == {Event.REQUEUED} | ({Event.RESOLVED} if state is State.UNKNOWN else set())


def test_every_state_is_reached() -> None:
    """No state and no event stands in the table for nothing."""
    reached, before = {Q}, set[State]()
    while reached != before:
        before = set(reached)
        reached |= {target for (source, _), target in TABLE.items() if source in before}
    assert reached == set(State)
    assert {event for _, event in TABLE} == set(Event)


@given(st.lists(st.sampled_from(Event)))
def test_money(events: list[Event]) -> None:
    """Unless another attempt is asked for, a job is paid at most once, and what may be paid is never free again."""
    state, accepted = Q, 0
    for event in events:
        if event is Event.REQUEUED:
            continue
        try:
            after = step(state, event)
        except ValueError:
            continue
        accepted += event is Event.ACCEPTED
        if state in {State.RUNNING, State.UNKNOWN}:
            assert after in PAID
        state = after
    assert accepted <= 1
