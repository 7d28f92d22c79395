"""The budget and the account's balance: nothing over-committed, nothing held that is not owed."""

import asyncio
from decimal import Decimal

import attrs
import pytest

from seedance_async import (
    BudgetExceededError,
    Catalogue,
    InsufficientCreditsError,
    TaskFailedError,
    TaskTimeoutError,
    TextToVideo,
    Timeouts,
)
from seedance_async.errors import ConfigurationError
from tests.session.service import PRICE_480P, PRICE_1080P, Start, clock, end, lakes, until


async def test_a_thousand_concurrent_callers_never_commit_more_than_the_budget(start: Start) -> None:
    """Checked and reserved in one step: exactly as many jobs pass as fit, whoever comes at the same time."""
    service = await start(limit=100, durations=5.0)
    session = await service.open(concurrency=100, budget=100 * PRICE_480P + 74)

    refusals = set()

    async def call(number: int) -> bool:
        await asyncio.sleep(0)
        try:
            session.enqueue(f"lake {number}", output_resolution="480p")
        except BudgetExceededError as error:
            refusals.add((error.required, error.available))
            return False
        return True

    passed = await asyncio.gather(*(call(number) for number in range(1000)))
    assert passed.count(True) == 100
    assert refusals == {(PRICE_480P, Decimal(74))}
    assert session.statistics().credits_reserved == 100 * PRICE_480P
    await session.drain()
    assert session.statistics().credits_used == 100 * PRICE_480P
    assert service.emulator.statistics().accepted == 100


async def test_credits_come_back_from_what_cost_nothing(start: Start) -> None:
    """Refused, withdrawn and failed jobs free their credits for others."""
    service = await start(limit=1, faults=["http-400:nth=1"])
    session = await service.open(concurrency=1, budget=PRICE_480P)
    await end(session.enqueue("refused", output_resolution="480p"))
    withdrawn = session.enqueue("withdrawn", output_resolution="480p")
    assert withdrawn.cancel()
    await end(session.enqueue("failed [fail:moderation]", output_resolution="480p"))
    now = session.statistics()
    assert now.credits_reserved == now.credits_used == now.credits_maybe == 0
    await session.generate("a lake", output_resolution="480p")
    with pytest.raises(BudgetExceededError):
        session.enqueue("one more", output_resolution="480p")


async def test_what_was_reserved_is_corrected_to_what_was_used(start: Start) -> None:
    """A task that cost less, or more, than its list price counts with what the service says."""
    service = await start(faults=["credits-drift:value=0.7,nth=1", "credits-noise"])
    session = await service.open(budget=200)
    result = await session.generate("a lake", output_resolution="480p")
    assert result.credits_used == Decimal("52.5")
    now = session.statistics()
    assert (now.credits_reserved, now.credits_used) == (Decimal(0), Decimal("52.5"))
    session.enqueue("fits now", output_resolution="480p")
    with pytest.raises(BudgetExceededError) as caught:
        session.enqueue("does not", output_resolution="480p")
    assert caught.value.available == Decimal("72.5")


async def test_a_task_whose_time_was_up_keeps_its_credits(start: Start) -> None:
    """It is paid for and may still finish; then what it used replaces what was held."""
    service = await start()
    session = await service.open(budget=PRICE_480P, timeouts=Timeouts(task=60))
    handle = session.enqueue("a lake [takes:300]", output_resolution="480p")
    assert isinstance(await end(handle), TaskTimeoutError)
    assert session.statistics().credits_reserved == PRICE_480P
    with pytest.raises(BudgetExceededError):
        session.enqueue("another", output_resolution="480p")
    await until(lambda: handle.status == "success", timeout=600)
    now = session.statistics()
    assert (now.credits_reserved, now.credits_used) == (Decimal(0), PRICE_480P)
    assert service.emulator.statistics().accepted == 1


async def test_a_task_that_is_gone_counts_as_paid(start: Start) -> None:
    """A task that the service no longer answers for was paid, for all that is known."""
    service = await start(faults=["not-found:on=poll"])
    session = await service.open(budget=1000)
    await end(session.enqueue("a lake", output_resolution="480p"))
    now = session.statistics()
    assert (now.credits_reserved, now.credits_used) == (Decimal(0), PRICE_480P)


async def test_an_unpriced_request_does_not_pass_a_budget(start: Start) -> None:
    """What no price is known for cannot be held within a budget; without one it is sent."""
    spec = Catalogue.CLASSIC.model("seedance-20")
    unpriced = Catalogue.CLASSIC.with_model(attrs.evolve(spec, prices=attrs.evolve(spec.prices, rates={})))
    service = await start()
    session = await service.open(budget=10_000, catalogue=unpriced)
    with pytest.raises(BudgetExceededError) as caught:
        session.enqueue("a lake")
    assert caught.value.required is None
    free = await service.open(catalogue=unpriced)
    await free.generate("a lake")
    assert free.statistics().credits_used == 415


@pytest.mark.parametrize("budget", [-1, "much", float("nan"), "inf", True])
async def test_a_budget_is_an_amount(start: Start, budget: object) -> None:
    """Anything but an amount of credits is said before anything is opened."""
    service = await start()
    with pytest.raises(ConfigurationError):
        service.session(budget=budget)


async def test_a_402_is_raised_with_its_numbers(start: Start) -> None:
    """The error says what was needed and what there is; nothing was charged."""
    service = await start(credits=100)
    session = await service.open()
    with pytest.raises(InsufficientCreditsError) as caught:
        await session.generate("a lake")
    assert (caught.value.required, caught.value.available) == (PRICE_1080P, Decimal(100))
    assert caught.value.charged == "no"


async def test_after_a_402_no_waiter_posts_that_does_not_fit(start: Start) -> None:
    """Fifty waiters on an empty account: one is refused by the service, the others by what it said."""
    service = await start(credits=100)
    session = await service.open()
    handles = [session.enqueue(f"dear {number}") for number in range(50)]
    cheap = session.enqueue("cheap", output_resolution="480p")
    errors = [await end(handle) for handle in handles]
    assert all(isinstance(error, InsufficientCreditsError) for error in errors)
    assert all(getattr(error, "available", None) == 100 for error in errors)
    await cheap
    # The two that were on the wire side by side, and the one that fits.
    assert service.emulator.statistics().creates <= 3
    assert service.emulator.statistics().creates_by_prompt["cheap"] == 1


async def test_what_fits_is_counted_down(start: Start) -> None:
    """Of the credits that a 402 named, each accepted create takes its part: none is posted in vain after that."""
    service = await start(limit=20, credits=4 * 75 + 20)
    session = await service.open(concurrency=20)
    await end(session.enqueue("dear"))
    handles = [session.enqueue(inputs) for inputs in lakes(20)]
    errors = [await end(handle) for handle in handles]
    assert [error is None for error in errors] == [True] * 4 + [False] * 16
    assert service.emulator.statistics().creates == 1 + 4


async def test_a_refund_is_counted_up(start: Start) -> None:
    """A failed task gives its credits back to the account, and a waiter may have them."""
    service = await start(credits=75)
    session = await service.open(concurrency=2)
    await end(session.enqueue("dear"))
    # Well before the minute is over in which no job tries again.
    failing = session.enqueue("a lake [fail:moderation] [takes:20]", output_resolution="480p")
    await failing.accepted()
    assert isinstance(await end(session.enqueue("too early", output_resolution="480p")), InsufficientCreditsError)
    assert isinstance(await end(failing), TaskFailedError)
    await session.generate("now", output_resolution="480p")


async def test_a_minute_after_a_402_one_job_tries_again(start: Start) -> None:
    """Somebody may have bought credits: one refused create a minute finds out, and then all may leave."""
    service = await start(credits=0, limit=10)
    session = await service.open(concurrency=10)
    began = clock()
    while clock() - began < 300:
        errors = [await end(session.enqueue(inputs)) for inputs in lakes(3)]
        assert all(isinstance(error, InsufficientCreditsError) for error in errors)
        await asyncio.sleep(10)
    posts = service.emulator.statistics().creates
    assert 4 <= posts <= 6
    service.emulator.world.money.available = Decimal(100_000)
    await asyncio.sleep(61)
    await session.submit("the first", output_resolution="480p")
    await asyncio.gather(*(session.generate(inputs) for inputs in lakes(10)))
    assert service.emulator.statistics().creates == posts + 11


async def test_quote_needs_no_session_and_adds_up_to_what_is_charged(start: Start) -> None:
    """What `quote` says is what the service takes."""
    service = await start(limit=10)
    session = service.session()
    inputs = [*lakes(3), TextToVideo("x", duration=15), TextToVideo("y", model="seedance2-fast")]
    quote = session.quote(inputs)
    await session.open()
    await asyncio.gather(*(session.generate(each) for each in inputs))
    assert service.emulator.statistics().credits_spent == quote.credits == session.statistics().credits_used
