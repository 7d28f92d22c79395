"""A complaint about the type of `duration` is answered once with the other form, which is remembered."""

import asyncio
import json

import pytest

from seedance_async import AsyncSeedance, Catalogue
from seedance_async.core.retry import Finish, GiveUp, OverLimit
from seedance_async.errors import BadRequestError
from seedance_async.hooks import PossibleDouble
from seedance_async.testing import Emulator
from tests.exchange.conftest import Lay, request_for
from tests.transport.server import Server, answer, html
from tests.transport.test_creates import ID


def complaint(message: str = "Expected number, received string", code: str = "invalid_type") -> dict[str, object]:
    """A 400 of the service about `duration`."""
    return {"message": "Invalid inputs", "errors": [{"code": code, "message": message, "path": ["duration"]}]}


def sent(server: Server) -> list[object]:
    """The durations that were sent."""
    return [json.loads(asked.body)["inputs"]["duration"] for asked in server.posts]


@pytest.mark.parametrize(
    ("catalogue", "forms"), [(Catalogue.CLASSIC, ["5", 5]), (Catalogue.LATEST, [5, "5"])], ids=["classic", "latest"]
)
async def test_the_other_form(lay: Lay, server: Server, catalogue: Catalogue, forms: list[object]) -> None:
    """Exactly two POSTs, and the second is accepted; the next job uses the other form at once."""
    server.script = [answer(400, complaint())]
    server.otherwise = answer(200, ID)
    bench = await lay(server.base_url)
    assert await bench.create(request_for(catalogue)) == Finish("task_1")
    assert sent(server) == forms
    assert await bench.create(request_for(catalogue, "another lake")) == Finish("task_1")
    assert sent(server) == [*forms, forms[1]]
    # Nothing is charged for a 400, so this is no possible double, and waits for nothing.
    assert bench.all(PossibleDouble) == []
    assert bench.pauses == []


async def test_all_else_stays_the_same(lay: Lay, server: Server) -> None:
    """The second create differs in the form of the duration alone."""
    server.script = [answer(400, complaint()), answer(200, ID)]
    await (await lay(server.base_url)).create(request_for(duration=8, seed=None))
    first, second = (json.loads(asked.body) for asked in server.posts)
    assert (first["inputs"].pop("duration"), second["inputs"].pop("duration")) == ("8", 8)
    assert first == second


async def test_a_second_complaint(lay: Lay, server: Server) -> None:
    """A service that likes neither form gets two POSTs, and its refusal is the error."""
    server.script = [answer(400, complaint())] * 2
    server.otherwise = answer(200, ID)
    decision = await (await lay(server.base_url)).create()
    assert isinstance(decision, GiveUp)
    assert not decision.unknown
    assert isinstance(decision.error, BadRequestError)
    assert decision.error.charged == "no"
    assert [problem.path for problem in decision.error.problems] == ["duration"]
    assert sent(server) == ["5", 5]


@pytest.mark.parametrize(
    "body",
    [
        complaint("Duration must be between 4 and 15 seconds", "custom"),
        complaint("Number must be greater than or equal to 4", "too_small"),
        {"message": "Unknown model"},
        {"message": "Expected number, received string"},
        {"message": "x", "errors": [{"code": "invalid_type", "message": "x", "path": ["seed"]}]},
        {"message": "x", "errors": "duration"},
    ],
    ids=["range", "too small", "model", "message alone", "another field", "no list"],
)
async def test_other_refusals(lay: Lay, server: Server, body: object) -> None:
    """A 400 about anything else is one POST."""
    server.otherwise = answer(400, body)
    decision = await (await lay(server.base_url)).create()
    assert isinstance(decision, GiveUp)
    assert isinstance(decision.error, BadRequestError)
    assert sent(server) == ["5"]


@pytest.mark.parametrize("status", [401, 402, 403, 404, 422, 500, 502])
async def test_only_a_400_complains(lay: Lay, server: Server, status: int) -> None:
    """The same words with another status are no complaint: after a 5xx a second create might be paid twice."""
    server.script = [answer(status, complaint())]
    server.otherwise = html(502)
    bench = await lay(server.base_url)
    await bench.create()
    assert "5" in sent(server)
    assert 5 not in sent(server)


async def test_a_complaint_that_was_cut(lay: Lay, server: Server) -> None:
    """What cannot be read is no complaint."""
    server.otherwise = answer(400, json.dumps(complaint()).encode()[:-2], length=999)
    await (await lay(server.base_url)).create()
    assert sent(server) == ["5"]


async def test_the_second_create_is_over_the_limit(lay: Lay, server: Server) -> None:
    """The form is remembered although the second create did not get through."""
    server.script = [answer(400, complaint()), answer(429, {"message": "No.", "limit": 3, "current": 3})]
    server.otherwise = answer(200, ID)
    bench = await lay(server.base_url)
    assert isinstance(await bench.create(), OverLimit)
    assert await bench.create() == Finish("task_1")
    assert sent(server) == ["5", 5, 5]


async def test_creates_that_complain_together(lay: Lay, server: Server) -> None:
    """Creates that were on the wire together each turn once, and all agree on the form afterwards."""
    server.script = [answer(400, complaint())] * 3
    server.otherwise = answer(200, ID)
    bench = await lay(server.base_url)
    decisions = await asyncio.gather(*(bench.create(key=f"order-{number}") for number in range(3)))
    assert decisions == [Finish("task_1")] * 3
    assert sent(server) == ["5"] * 3 + [5] * 3
    await bench.create()
    assert sent(server)[-1] == 5


@pytest.mark.parametrize(("catalogue", "wants"), [(Catalogue.CLASSIC, "integer"), (Catalogue.LATEST, "string")])
async def test_a_session_learns(catalogue: Catalogue, wants: str) -> None:
    """Against a service of the other kind, a session of ten jobs is refused once, and all succeed."""
    async with (
        Emulator(limit=1, catalogue=catalogue, duration_form=wants, durations=10.0) as service,  # type: ignore[arg-type]
        AsyncSeedance(service.api_key, base_url=service.base_url, concurrency=1, catalogue=catalogue) as session,
    ):
        results = await asyncio.gather(*(session.generate(f"lake {number}") for number in range(10)))
        assert len({result.task_id for result in results}) == 10
        assert service.statistics().creates == 11
        assert service.statistics().accepted == 10
        assert session.statistics().credits_reserved == 0
