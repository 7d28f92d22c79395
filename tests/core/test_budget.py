"""What may be spent, and what the account is known to have."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from seedance_async.core.budget import TRY_AGAIN_AFTER, ZERO, Balance, Budget
from seedance_async.errors import BudgetExceededError

amounts = st.decimals(min_value=0, max_value=500, places=2)


def test_exactly_the_budget_fits() -> None:
    """A budget can be spent to its last credit, and not one more."""
    budget = Budget(Decimal(600))
    budget.reserve(Decimal(400))
    budget.reserve(Decimal(200))
    assert budget.left == 0
    with pytest.raises(BudgetExceededError) as caught:
        budget.reserve(Decimal("0.01"))
    assert (caught.value.required, caught.value.available) == (Decimal("0.01"), Decimal(0))
    assert caught.value.charged == "no"
    assert budget.reserved == 600


def test_unpriced_needs_no_budget() -> None:
    """What has no known price is refused under a budget, and counts nothing without one."""
    budget = Budget(Decimal(1_000_000))
    with pytest.raises(BudgetExceededError, match="not known"):
        budget.reserve(None)
    free = Budget()
    free.reserve(None)
    free.reserve(Decimal(10**9))
    assert free.reserved == 10**9
    assert free.left is None


def test_no_budget_at_all() -> None:
    """A budget of 0 lets only what is free through."""
    budget = Budget(ZERO)
    budget.reserve(ZERO)
    with pytest.raises(BudgetExceededError):
        budget.reserve(Decimal(1))


def test_overspent_by_settling() -> None:
    """A task that cost more than it was said to may overdraw the budget; the error never shows less than nothing."""
    budget = Budget(Decimal(200))
    budget.reserve(Decimal(200))
    budget.settle(Decimal(200), Decimal(260))
    assert budget.left == -60
    with pytest.raises(BudgetExceededError) as caught:
        budget.reserve(Decimal(1))
    assert caught.value.available == 0


class BudgetMachine(RuleBasedStateMachine):
    """Jobs come and end in every way; the sums are those of the jobs."""

    def __init__(self) -> None:
        super().__init__()
        self.budget = Budget(Decimal(1000))
        self.running: list[Decimal] = []
        self.used = self.maybe = ZERO

    @rule(credits=amounts)
    def reserve(self, credits: Decimal) -> None:
        left = self.budget.left
        assert left is not None
        if credits <= left:
            self.budget.reserve(credits)
            self.running.append(credits)
        else:
            with pytest.raises(BudgetExceededError):
                self.budget.reserve(credits)

    @precondition(lambda self: self.running)
    @rule()
    def fails(self) -> None:
        self.budget.give_back(self.running.pop(0))

    @precondition(lambda self: self.running)
    @rule()
    def lost(self) -> None:
        credits = self.running.pop(0)
        self.budget.keep_as_maybe(credits)
        self.maybe += credits

    @precondition(lambda self: self.running)
    @rule(less=amounts)
    def succeeds(self, less: Decimal) -> None:
        credits = self.running.pop(0)
        used = max(ZERO, credits - less)
        self.budget.settle(credits, used)
        self.used += used

    @invariant()
    def sums(self) -> None:
        budget = self.budget
        assert (budget.reserved, budget.used, budget.maybe) == (sum(self.running, ZERO), self.used, self.maybe)
        assert budget.left == 1000 - budget.reserved - budget.used - budget.maybe
        assert budget.left >= 0


TestBudget = BudgetMachine.TestCase


def test_an_unheard_account_admits_all() -> None:
    """Before a 402 nothing is known, so nothing is held back."""
    balance = Balance()
    balance.accepted(Decimal(10**9))
    balance.refunded(Decimal(5))
    assert balance.available is None
    assert balance.admits(Decimal(10**9), 0.0)
    assert balance.admits(None, 0.0)


def test_after_a_402_what_fits_may_leave() -> None:
    """After a 402 a create leaves only if its price is at most what is there."""
    balance = Balance()
    balance.refused(Decimal(100), 0.0)
    assert balance.admits(Decimal(100), 1.0)
    assert not balance.admits(Decimal("100.01"), 1.0)
    assert not balance.admits(None, 1.0)
    balance.accepted(Decimal(60))
    assert not balance.admits(Decimal(50), 1.0)
    balance.refunded(Decimal(60))
    assert balance.admits(Decimal(100), 1.0)


def test_a_402_without_numbers() -> None:
    """A 402 that gives no number is read as an empty account."""
    balance = Balance()
    balance.refused(None, 0.0)
    assert balance.available == 0
    assert not balance.admits(Decimal(1), 1.0)


def test_one_tries_again_now_and_then() -> None:
    """Once a minute one that does not fit is let through: somebody may have bought credits."""
    balance = Balance()
    balance.refused(Decimal(10), 0.0)
    let_through: list[float] = []
    for now in map(float, range(200)):
        if balance.admits(Decimal(200), now):
            let_through.append(now)
            balance.left(Decimal(200))
            balance.ended(Decimal(200))
            balance.refused(Decimal(10), now)
    assert let_through == [TRY_AGAIN_AFTER, 2 * TRY_AGAIN_AFTER, 3 * TRY_AGAIN_AFTER]


def test_while_one_tries_again_the_others_wait_for_its_answer() -> None:
    """Neither they nor what fits is refused from the number that is being asked for anew."""
    balance = Balance()
    balance.refused(Decimal(100), 0.0)
    assert balance.admits(Decimal(200), TRY_AGAIN_AFTER)
    balance.left(Decimal(200))
    for credits in (Decimal(200), None):
        assert not balance.admits(credits, TRY_AGAIN_AFTER + 1)
        assert balance.undecided(credits)
    # What fits needs not wait: the trial takes nothing of what the account is known to have.
    assert balance.free == 100
    assert balance.admits(Decimal(100), TRY_AGAIN_AFTER + 1)
    balance.ended(Decimal(200))
    balance.refused(Decimal(120), TRY_AGAIN_AFTER + 2)
    assert not balance.admits(Decimal(200), TRY_AGAIN_AFTER + 2)
    assert not balance.undecided(Decimal(200))
    assert balance.admits(Decimal(120), TRY_AGAIN_AFTER + 2)


def test_what_fits_alone_waits_for_what_is_on_the_wire() -> None:
    """Of two that do not fit together the second leaves if the first came to nothing."""
    balance = Balance()
    balance.refused(Decimal(100), 0.0)
    balance.left(Decimal(60))
    assert not balance.admits(Decimal(60), 1.0)
    assert balance.undecided(Decimal(60))
    # What does not fit in any case is told so at once.
    assert not balance.undecided(Decimal(101))
    balance.ended(Decimal(60))
    assert balance.admits(Decimal(60), 1.0)
    balance.accepted(Decimal(60))
    assert not balance.admits(Decimal(60), 1.0)
    assert not balance.undecided(Decimal(60))


@pytest.mark.parametrize("credits", [Decimal(200), None])
def test_a_trial_that_told_nothing_of_credits_is_none(credits: Decimal | None) -> None:
    """One that met a 429 or was not sent leaves again, and does not use up the minute."""
    balance = Balance()
    balance.refused(Decimal(10), 0.0)
    assert balance.admits(credits, TRY_AGAIN_AFTER)
    balance.left(credits)
    balance.ended(credits)
    assert balance.admits(credits, TRY_AGAIN_AFTER + 2)


def test_what_left_before_a_402_is_waited_for() -> None:
    """Two were on the wire side by side: the answer to the second says what the account has, too."""
    balance = Balance()
    balance.left(Decimal(200))
    balance.left(Decimal(200))
    balance.ended(Decimal(200))
    balance.refused(Decimal(100), 0.0)
    assert balance.undecided(Decimal(200))
    balance.ended(Decimal(200))
    balance.accepted(Decimal(200))
    assert balance.admits(Decimal(200), 1.0)


def test_an_accepted_try_shows_that_the_number_is_old() -> None:
    """If the one that did not fit is accepted, everybody may leave."""
    balance = Balance()
    balance.refused(Decimal(10), 0.0)
    assert balance.admits(Decimal(200), TRY_AGAIN_AFTER)
    balance.accepted(Decimal(200))
    assert balance.available is None
    assert balance.admits(Decimal(10**6), TRY_AGAIN_AFTER)


def test_an_accepted_unpriced_create() -> None:
    """After a create of unknown price nothing is known of the account."""
    balance = Balance()
    balance.refused(Decimal(10), 0.0)
    balance.accepted(None)
    assert balance.available is None


@given(st.lists(st.tuples(amounts, st.floats(0, 100)), max_size=40))
def test_nobody_asks_twice_a_minute(jobs: list[tuple[Decimal, float]]) -> None:
    """Among jobs that do not fit, at most one in `TRY_AGAIN_AFTER` seconds leaves and is refused."""
    balance, now, last = Balance(), 0.0, 0.0
    balance.refused(ZERO, now)
    for credits, gap in jobs:
        now += gap
        if credits and balance.admits(credits, now):
            assert now >= last + TRY_AGAIN_AFTER
            last = now
            balance.left(credits)
            assert not balance.admits(credits, now + TRY_AGAIN_AFTER)
            balance.ended(credits)
            balance.refused(ZERO, now)
