"""The same through a whole session: what its user gets, and that no second POST ever leaves."""

import asyncio
from decimal import Decimal

import pytest

from seedance_async import AsyncSeedance, RetryPolicy, Timeouts
from seedance_async.errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    InsufficientCreditsError,
    OutcomeUnknownError,
    PermissionDeniedError,
    SeedanceError,
    ServerError,
)
from seedance_async.hooks import HookEvent, PossibleDouble
from seedance_async.testing import Emulator, Fault
from tests.transport.conftest import KEY
from tests.transport.secrets import failure_of
from tests.transport.server import (
    Exchange,
    Reaction,
    Server,
    answer,
    drip,
    drop,
    drop_before_body,
    hang,
    html,
    raw,
    redirect,
)

PRICE = Decimal(415)


async def probes_only(_server: Server, exchange: Exchange) -> None:
    """Answer polls as a service does that knows no task; accept a create that should not have come."""
    body = (
        b'{"taskId":"task_of_a_second_create"}' if exchange.asked.method == "POST" else b'{"message":"Task not found"}'
    )
    exchange.writer.write(raw(200 if exchange.asked.method == "POST" else 404, body))


UNKNOWN = {
    "200 without an id": answer(200, {}),
    "200 as HTML": html(200),
    "200 cut": answer(200, b'{"taskId":"task_1', length=99),
    "201": answer(201, {"taskId": "task_1"}),
    "204": answer(204),
    "408": answer(408),
    "500 as HTML": html(500),
    "502 as HTML": html(502),
    "dropped": drop,
    "dropped before the body": drop_before_body,
    "hang": hang,
    "drips": drip(200, b" " * 999, every=1),
}
REFUSED: dict[str, tuple[Reaction, type[ApiError]]] = {
    "303": (redirect(303, "/"), ApiError),
    "307": (redirect(307, "/api/v1/jobs/createTask"), ApiError),
    "308": (redirect(308, "/api/v1/jobs/createTask"), ApiError),
    "400": (answer(400, {"message": "Unknown model"}), BadRequestError),
    "400 cut": (answer(400, b'{"mess', length=99), BadRequestError),
    "401": (answer(401, {"message": "Invalid API Key"}), AuthenticationError),
    "402": (answer(402, {"message": "Insufficient credits"}), InsufficientCreditsError),
    "403": (answer(403, {"message": "API access not enabled"}), PermissionDeniedError),
    "422 as HTML": (html(422), ApiError),
}


async def outcome_of(server: Server, reaction: Reaction) -> tuple[BaseException, AsyncSeedance]:
    """Submit one job to a server that does this with it; wait long after its end, and close the session."""
    server.script, server.otherwise = [reaction], probes_only
    async with AsyncSeedance(KEY, base_url=server.base_url, concurrency=3, timeouts=Timeouts(create=30.0)) as session:
        error = await failure_of(lambda: session.submit("a lake", key="order-17"))
        await asyncio.sleep(5000)
    return error, session


@pytest.mark.parametrize("name", UNKNOWN)
async def test_unknown_outcomes(server: Server, name: str) -> None:
    """Whoever submitted is told that it is unknown; no second POST leaves; the credits stay held as perhaps gone."""
    error, session = await outcome_of(server, UNKNOWN[name])
    assert isinstance(error, OutcomeUnknownError), error
    assert error.charged == "maybe"
    assert error.key == "order-17"
    assert error.credits == PRICE
    assert len(server.posts) == 1
    statistics = session.statistics()
    assert (statistics.unknown, statistics.creates, statistics.accepted) == (1, 1, 0)
    assert statistics.credits_maybe == PRICE
    assert statistics.credits_reserved == 0


@pytest.mark.parametrize("name", REFUSED)
async def test_refusals(server: Server, name: str) -> None:
    """A refusal is the service's error, costs nothing and is not sent again."""
    reaction, kind = REFUSED[name]
    error, session = await outcome_of(server, reaction)
    assert type(error) is kind, error
    assert isinstance(error, SeedanceError)
    assert error.charged == "no"
    assert len(server.posts) == 1
    statistics = session.statistics()
    assert (statistics.unknown, statistics.creates, statistics.accepted) == (0, 1, 0)
    assert statistics.credits_maybe == statistics.credits_reserved == 0


async def test_the_same_key_after_an_unknown_outcome(server: Server) -> None:
    """Submitting the key again tells the same and sends nothing, unless a second payment is accepted."""
    server.script, server.otherwise = [drop], probes_only
    async with AsyncSeedance(KEY, base_url=server.base_url, concurrency=3) as session:
        for _ in range(3):
            error = await failure_of(lambda: session.submit("a lake", key="order-17"))
            assert isinstance(error, OutcomeUnknownError)
        assert len(server.posts) == 1
        handle = await session.submit("a lake", key="order-17", resubmit_unknown=True)
        assert handle.task_id == "task_of_a_second_create"
        assert len(server.posts) == 2


async def test_a_500_through_a_session() -> None:
    """The service's own 500 three times: three POSTs, later each time, two warnings, and "maybe" in the end."""
    events: list[HookEvent] = []
    async with (
        Emulator(faults=[Fault("http-500", on="create", count=3)]) as service,
        AsyncSeedance(service.api_key, base_url=service.base_url, concurrency=3, hooks=[events.append]) as session,
    ):
        error = await failure_of(lambda: session.generate("a lake"))
        assert isinstance(error, ServerError)
        assert error.charged == "maybe"
        assert service.statistics().creates == 3
        assert sum(isinstance(event, PossibleDouble) for event in events) == 2
        assert (await session.generate("another lake")).task_id
        assert service.statistics().accepted == 1


async def test_a_500_that_passes() -> None:
    """One 500, then accepted: the video comes, and the event said that it may have been paid twice."""
    events: list[HookEvent] = []
    async with (
        Emulator(faults=[Fault("http-500", on="create", count=1)], durations=10.0) as service,
        AsyncSeedance(service.api_key, base_url=service.base_url, concurrency=3, hooks=[events.append]) as session,
    ):
        assert (await session.generate("a lake")).task_id
        assert service.statistics().creates == 2
        assert [type(event) for event in events].count(PossibleDouble) == 1


async def test_a_500_and_then_a_refusal(server: Server) -> None:
    """A repeat that is refused says nothing of the first create: its credits stay held as perhaps gone."""
    server.script = [answer(500, {"message": "Internal server error"}), answer(404, {"message": "Task not found"})]
    server.otherwise = answer(402, {"message": "Insufficient credits", "required": 415, "available": 0})
    async with AsyncSeedance(KEY, base_url=server.base_url, concurrency=3) as session:
        error = await failure_of(lambda: session.submit("a lake"))
        assert isinstance(error, OutcomeUnknownError)
        assert error.charged == "maybe"
        assert "Insufficient credits" in str(error)
        assert session.statistics().credits_maybe == PRICE
        assert session.statistics().credits_reserved == 0
        assert len(server.posts) == 2


@pytest.mark.parametrize(
    "kind", ["http-502", "html", "drop-after-accept", "hang-after-accept", "no-task-id", "cut-body"]
)
async def test_nothing_is_paid_twice(kind: str) -> None:
    """Ten jobs of which every second answer is lost: each prompt reaches the service once."""
    async with (
        Emulator(limit=10, faults=[Fault(kind, on="create", every=2)], durations=10.0) as service,
        AsyncSeedance(service.api_key, base_url=service.base_url, concurrency=10) as session,
    ):
        handles = [session.enqueue(f"lake {number}") for number in range(10)]
        await asyncio.wait_for(session.drain(), 100_000)
        assert service.statistics().creates == 10
        assert set(service.statistics().creates_by_prompt.values()) == {1}
        assert sorted(handle.status for handle in handles) == ["success"] * 5 + ["unknown"] * 5


async def test_repeating_can_be_switched_off() -> None:
    """With `repeat_500=False` a 500 ends the job with the first POST."""
    async with (
        Emulator(faults=[Fault("error-after-accept", count=1)]) as service,
        AsyncSeedance(
            service.api_key, base_url=service.base_url, concurrency=3, retry=RetryPolicy(repeat_500=False)
        ) as session,
    ):
        error = await failure_of(lambda: session.submit("a lake"))
        assert isinstance(error, ServerError)
        assert error.charged == "maybe"
        assert service.statistics().creates == service.statistics().accepted == 1
