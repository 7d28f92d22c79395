"""What follows a create, how long delays are, and what `Retry-After` says."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedance_async.core.answers import Cause
from seedance_async.core.outcome import Accepted, NotSent, Outcome, Rejected, Unknown
from seedance_async.core.retry import (
    Decision,
    Finish,
    GiveUp,
    OverLimit,
    RepeatAfter,
    RetryPolicy,
    Unreached,
    after_create,
    grown_delay,
    parse_retry_after,
)
from seedance_async.errors import (
    ApiError,
    BadRequestError,
    ConcurrencyLimitError,
    ConfigurationError,
    InsufficientCreditsError,
    OutcomeUnknownError,
    ServerError,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CAUSE = Cause("TimeoutError", "no answer in time")
LIMIT = ConcurrencyLimitError(429, "Concurrency limit reached (3).", None, 3, 3)
BAD = BadRequestError(400, "Unknown model")
POOR = InsufficientCreditsError(402, "Insufficient credits", None, Decimal(200), Decimal(10))

chances = st.floats(0, 1, exclude_max=True)


def internal() -> Unknown:
    """A 500 in the service's own JSON."""
    return Unknown(Cause("HTTP 500", "Internal server error"), ServerError(500, "Internal server error"))


def decide(outcome: Outcome, *, repeats: int = 0, policy: RetryPolicy | None = None, chance: float = 0.0) -> Decision:
    """Decide about a create of job `order-17` that costs 200 credits."""
    return after_create(
        outcome,
        repeats=repeats,
        policy=policy or RetryPolicy(),
        rand=lambda: chance,
        credits=Decimal(200),
        key="order-17",
    )


@pytest.mark.parametrize(
    ("outcome", "decision"),
    [
        (Accepted("task_1"), Finish("task_1")),
        (Rejected(LIMIT, "5"), OverLimit(LIMIT, "5")),
        (Rejected(LIMIT), OverLimit(LIMIT, None)),
        (Rejected(BAD), GiveUp(BAD)),
        (Rejected(POOR, "5"), GiveUp(POOR)),
        (NotSent(CAUSE), Unreached("TimeoutError: no answer in time")),
    ],
    ids=["accepted", "429-later", "429", "400", "402", "not-sent"],
)
@pytest.mark.parametrize("repeats", [0, 1, 2, 50])
def test_decisions(outcome: Outcome, decision: Decision, repeats: int) -> None:
    """Rules 1 to 4: the number of repeats changes none of them."""
    assert decide(outcome, repeats=repeats) == decision


@pytest.mark.parametrize("policy", [RetryPolicy(), RetryPolicy(repeats_of_500=99)])
def test_unknown_is_final(policy: RetryPolicy) -> None:
    """Rule 6: what is not known is never repeated, and the error says what it may have cost and for what."""
    decision = decide(Unknown(CAUSE), policy=policy)
    assert isinstance(decision, GiveUp)
    assert decision.unknown
    assert isinstance(decision.error, OutcomeUnknownError)
    assert decision.error.charged == "maybe"
    assert decision.error.credits == Decimal(200)
    assert decision.error.key == "order-17"
    assert "no answer in time" in str(decision.error)


@pytest.mark.parametrize("most", [0, 1, 2, 5])
def test_a_500_is_repeated_so_often(most: int) -> None:
    """Rule 5: a 500 in the service's own JSON is repeated as often as the policy says, with growing delays."""
    policy = RetryPolicy(repeats_of_500=most)
    delays: list[float] = []
    for repeats in range(most):
        decision = decide(internal(), repeats=repeats, policy=policy)
        assert isinstance(decision, RepeatAfter)
        delays.append(decision.delay)
    assert all(later > earlier for earlier, later in pairwise(delays))
    assert all(1.0 <= delay <= 30.0 for delay in delays)
    end = decide(internal(), repeats=most, policy=policy)
    assert isinstance(end, GiveUp)
    assert isinstance(end.error, ServerError)
    assert end.error.charged == "maybe"
    assert end.unknown


def test_the_repeat_can_be_switched_off() -> None:
    """With `repeat_500=False` the first 500 ends it."""
    decision = decide(internal(), policy=RetryPolicy(repeat_500=False))
    assert isinstance(decision, GiveUp)
    assert isinstance(decision.error, ServerError)
    assert decision.error.charged == "maybe"
    assert decision.unknown


@given(
    st.one_of(
        st.builds(Accepted, st.text(min_size=1)),
        st.builds(Rejected, st.sampled_from([LIMIT, BAD, POOR, ApiError(307, "elsewhere")])),
        st.just(NotSent(CAUSE)),
        st.just(Unknown(CAUSE)),
        st.builds(internal),
    ),
    st.integers(0, 10),
    st.booleans(),
    st.integers(0, 4),
    chances,
)
def test_nothing_unknown_is_repeated(outcome: Outcome, repeats: int, allowed: bool, most: int, chance: float) -> None:
    """A second create leaves only after "not sent", 429 or an allowed 500."""
    decision = decide(
        outcome, repeats=repeats, policy=RetryPolicy(repeat_500=allowed, repeats_of_500=most), chance=chance
    )
    if isinstance(decision, RepeatAfter):
        assert isinstance(outcome, Unknown)
        assert outcome.internal_error is not None
        assert allowed
        assert repeats < most
    if isinstance(decision, Unreached):
        assert isinstance(outcome, NotSent)
    if isinstance(decision, OverLimit):
        assert isinstance(outcome, Rejected)
    if isinstance(decision, GiveUp):
        assert decision.unknown == isinstance(outcome, Unknown)
        assert decision.error.charged == ("maybe" if decision.unknown else "no")


@given(st.integers(0, 10**6), chances, st.floats(0.01, 100), st.floats(0.01, 1000))
def test_delays_are_bounded(failures: int, chance: float, first: float, most: float) -> None:
    """Nobody waits longer than `most`, and nobody comes back before half of what was meant."""
    delay = grown_delay(failures, lambda: chance, first=first, most=most)
    assert min(first, most) / 2 <= delay <= most


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
def test_delays_double(chance: float) -> None:
    """Each failure doubles the delay, until the longest."""
    delays = [grown_delay(failures, lambda: chance, first=2.0, most=30.0) for failures in range(8)]
    spread = 0.5 + 0.5 * chance
    assert delays == [pytest.approx(spread * ceiling) for ceiling in (2, 4, 8, 16, 30, 30, 30, 30)]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        ("5", 5.0),
        (" 5 ", 5.0),
        ("2.5", 2.5),
        ("-5", 0.0),
        ("-0", 0.0),
        ("1e3", 1000.0),
        ("86399", 86_399.0),
        ("86400", 86_400.0),
        ("259200", 86_400.0),
        ("1e300", 86_400.0),
        ("1e999", None),
        ("9" * 400, None),
        ("nan", None),
        ("NaN", None),
        ("inf", None),
        ("Infinity", None),
        ("-inf", None),
        ("", None),
        ("soon", None),
        ("5 seconds", None),
        ("5, 6", None),
        ("\x00", None),
        ("Fri, 99 Foo 2026 99:99:99 GMT", None),
        ("Fri, 02 Jan 99999 03:04:05 GMT", None),
        ("Fri, 02 Jan 2026 03:04:05 +99999999", None),
        (f"Fri, 02 Jan {'9' * 20} 03:04:05 GMT", None),
        (f"Fri, {'9' * 20} Jan 2026 03:04:05 GMT", None),
        (f"Fri, 02 Jan 2026 03:04:05 +{'9' * 20}", None),
    ],
    ids=str,
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    """Seconds are read as such, and more than a day as a day; what is no number of them is nothing."""
    assert parse_retry_after(value, NOW) == seconds


@pytest.mark.parametrize(
    ("later", "seconds"),
    [(0, 0.0), (90, 90.0), (-90, 0.0), (-(10**9), 0.0), (86_399, 86_399.0), (86_400, 86_400.0), (10**9, 86_400.0)],
)
def test_retry_after_as_a_date(later: int, seconds: float | None) -> None:
    """The other form is a date; one in the past means now, one that is days away a day."""
    moment = format_datetime(NOW + timedelta(seconds=later), usegmt=True)
    assert parse_retry_after(moment, NOW) == seconds


def test_retry_after_in_another_zone() -> None:
    """A date may have an offset, or none; then it is UTC."""
    assert parse_retry_after("Fri, 02 Jan 2026 04:04:35 +0100", NOW) == 30.0
    assert parse_retry_after("Fri, 02 Jan 2026 03:04:35 -0000", NOW) == 30.0
    assert parse_retry_after("Fri, 02 Jan 2026 03:04:35", NOW) == 30.0


@given(st.text() | st.from_regex(r"(Fri, )?[0-9]{1,25} (Jan|Foo) [0-9]{1,25} [0-9:]{1,25} ([+-][0-9]{1,25}|GMT)?"))
def test_any_retry_after(value: str) -> None:
    """Whatever the header holds, it is nothing or at most a day, and no exception."""
    seconds = parse_retry_after(value, NOW)
    assert seconds is None or 0 <= seconds <= 86_400


@pytest.mark.parametrize("name", ["repeats_of_500", "give_up_after", "first_contact", "poll_failures"])
def test_policies_are_checked(name: str) -> None:
    """No number of a policy is negative or none at all; none is taken by position."""
    make: Callable[..., RetryPolicy] = RetryPolicy
    bad: list[object] = [-1, float("nan"), True, "3", None, []]
    for value in bad:
        with pytest.raises(ConfigurationError, match=rf"^RetryPolicy\.{name} must be a .*number from 0 on, and is "):
            make(**{name: value})
    assert getattr(make(**{name: 0}), name) == 0
    with pytest.raises(TypeError):
        make(True)


def test_counts_are_whole() -> None:
    """There is no half repeat, and no text that reads as a yes."""
    make: Callable[..., RetryPolicy] = RetryPolicy
    for name in ("repeats_of_500", "poll_failures"):
        with pytest.raises(ConfigurationError, match=rf"{name} must be a whole number from 0 on, and is 1.5"):
            make(**{name: 1.5})
    with pytest.raises(ConfigurationError, match=r"repeat_500 must be True or False, and is of type str"):
        make(repeat_500="no")
