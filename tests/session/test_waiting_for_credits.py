"""While a create is on the wire that will tell what the account has, nobody is refused from an older number."""

import asyncio
from decimal import Decimal

from seedance_async import InsufficientCreditsError
from seedance_async.testing import Fault
from tests.session.service import Start, end, until


async def test_others_wait_for_the_one_that_tries_again(start: Start) -> None:
    """A minute after a 402, with credits bought meanwhile: one asks, the others wait for it, and all come through."""
    service = await start(credits=100, limit=10)
    session = await service.open(concurrency=10)
    assert isinstance(await end(session.enqueue("dear")), InsufficientCreditsError)
    await asyncio.sleep(61)
    service.emulator.world.money.available = Decimal(100_000)
    handles = [session.enqueue(f"dear {number}") for number in range(8)]
    cheap = session.enqueue("cheap", output_resolution="480p")
    assert [await end(handle) for handle in (*handles, cheap)] == [None] * 9
    assert service.emulator.statistics().creates == 1 + 9


async def test_they_are_refused_once_it_is(start: Start) -> None:
    """Nothing was bought: the trial is refused by the service, and the others by its answer."""
    service = await start(credits=100, limit=10)
    session = await service.open(concurrency=10)
    await end(session.enqueue("dear"))
    await asyncio.sleep(61)
    handles = [session.enqueue(f"dear {number}") for number in range(8)]
    cheap = session.enqueue("cheap", output_resolution="480p")
    errors = [await end(handle) for handle in handles]
    assert all(isinstance(error, InsufficientCreditsError) for error in errors)
    assert await end(cheap) is None
    assert service.emulator.statistics().creates == 1 + 1 + 1


async def test_a_trial_that_is_over_the_limit_has_told_nothing(start: Start) -> None:
    """A 429 says nothing of credits: the job has its place again and tries once more."""
    service = await start(credits=100, limit=1)
    session = await service.open(concurrency=1)
    await end(session.enqueue("dear"))
    await asyncio.sleep(61)
    service.emulator.world.money.available = Decimal(100_000)
    service.emulator.faults.add(Fault("429-without-numbers", nth=1))
    handles = [session.enqueue(f"dear {number}") for number in range(3)]
    assert [await end(handle) for handle in handles] == [None] * 3


async def test_what_fits_unless_another_is_accepted_waits_for_that(start: Start) -> None:
    """Two that fit by themselves and not together: the second leaves if the first came to nothing."""
    service = await start(credits=100, limit=10, faults=[Fault("http-400", prompt="bad")])
    session = await service.open(concurrency=10)
    await end(session.enqueue("dear"))
    bad = session.enqueue("bad", output_resolution="480p")
    good = session.enqueue("good", output_resolution="480p")
    late = session.enqueue("late", output_resolution="480p")
    assert (await end(bad)) is not None
    assert await end(good) is None
    assert isinstance(await end(late), InsufficientCreditsError)
    await until(lambda: session.statistics().waiting == 0)
