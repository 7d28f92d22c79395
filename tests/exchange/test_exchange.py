"""P2, never paid twice: how many POSTs one create is, from intent to a known end, whatever the service does."""

import asyncio
import json

import pytest
from attrs import evolve

from seedance_async import RetryPolicy
from seedance_async.core.outcome import Accepted, NotSent, Rejected, Unknown
from seedance_async.core.retry import Finish, GiveUp, OverLimit, RepeatAfter, Unreached
from seedance_async.errors import BadRequestError, OutcomeUnknownError, ServerError
from seedance_async.hooks import AttemptEnded, PossibleDouble
from tests.exchange.conftest import Lay, request_for
from tests.transport.server import Reaction, Server, answer, drip, drop, hang, html
from tests.transport.test_creates import CASES, ID, Case

INTERNAL = answer(500, {"message": "Internal server error"})


def is_own_500(case: Case) -> bool:
    """Whether a case is the one answer after which a create is sent again."""
    return case.name == "500 as JSON"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_one_post_each(lay: Lay, server: Server, case: Case) -> None:
    """One POST leaves for whatever the service does with it, and three for its own 500."""
    server.otherwise = case.reaction
    bench = await lay(server.base_url, create=30.0)
    decision = await bench.create()
    await asyncio.sleep(1000)
    assert len(server.posts) == len(server.asked) == bench.exchange.creates == (3 if is_own_500(case) else 1)
    assert [type(outcome) for outcome in bench.outcomes] == [case.outcome] * len(server.posts)
    match bench.outcomes[-1]:
        case Accepted(task_id=task_id):
            assert decision == Finish(task_id)
        case Rejected(error=error) if error.status == 429:
            assert isinstance(decision, OverLimit)
        case Rejected(error=error):
            assert decision == GiveUp(error)
        case _:
            assert isinstance(decision, GiveUp)
            assert decision.unknown
            assert decision.error.charged == "maybe"


async def test_not_sent(lay: Lay, closed_port: int) -> None:
    """What was not sent goes back; the exchange does not try again by itself."""
    bench = await lay(f"http://127.0.0.1:{closed_port}/api/v1")
    decision = await bench.create()
    assert isinstance(decision, Unreached)
    assert isinstance(bench.outcomes[0], NotSent)
    assert bench.exchange.creates == 1
    assert bench.pauses == []


async def test_over_the_limit(lay: Lay, server: Server) -> None:
    """A 429 goes back with its numbers and its `Retry-After`."""
    server.otherwise = answer(429, {"message": "No.", "limit": 3, "current": 3}, {"Retry-After": "5"})
    decision = await (await lay(server.base_url)).create()
    assert isinstance(decision, OverLimit)
    assert (decision.error.limit, decision.error.current, decision.retry_after) == (3, 3, "5")
    assert len(server.posts) == 1


# The service's own 500


@pytest.mark.parametrize("most", [0, 1, 2, 3])
async def test_a_500_is_repeated(lay: Lay, server: Server, most: int) -> None:
    """It is repeated as often as the policy says, later each time, and each repeat is an event."""
    server.otherwise = INTERNAL
    bench = await lay(server.base_url, retry=RetryPolicy(repeats_of_500=most))
    decision = await bench.create()
    assert len(server.posts) == most + 1
    assert bench.pauses == [1.5, 3.0, 6.0][:most]
    assert (
        bench.all(PossibleDouble)
        == [PossibleDouble("order-17", "HTTP 500: Internal server error", request_for().credits)] * most
    )
    assert isinstance(decision, GiveUp)
    assert isinstance(decision.error, ServerError)
    assert decision.error.charged == "maybe"
    assert decision.unknown


async def test_the_repeat_can_be_switched_off(lay: Lay, server: Server) -> None:
    """With `repeat_500=False` one POST leaves, and no event warns of a second."""
    server.otherwise = INTERNAL
    bench = await lay(server.base_url, retry=RetryPolicy(repeat_500=False))
    decision = await bench.create()
    assert len(server.posts) == 1
    assert bench.all(PossibleDouble) == []
    assert isinstance(decision, GiveUp)
    assert decision.error.charged == "maybe"


async def test_a_500_and_then_an_id(lay: Lay, server: Server) -> None:
    """A repeat that is accepted is the task; that the first may be one too was said by the event."""
    server.script = [INTERNAL, answer(200, ID)]
    bench = await lay(server.base_url)
    assert await bench.create() == Finish("task_1")
    assert len(server.posts) == 2
    assert len({asked.body for asked in server.posts}) == 1
    assert len(bench.all(PossibleDouble)) == 1


@pytest.mark.parametrize(
    "reaction",
    [
        html(500),
        html(502),
        answer(502, {"message": "x"}),
        answer(503, {"message": "x"}),
        answer(500, {"error": "x"}),
        drop,
    ],
    ids=["500 HTML", "502 HTML", "502 JSON", "503 JSON", "another's 500", "dropped"],
)
async def test_nothing_else_is_repeated(lay: Lay, server: Server, reaction: Reaction) -> None:
    """A failure that is not in the service's own words ends it, also as the answer to a repeat."""
    server.script = [reaction]
    bench = await lay(server.base_url, retry=RetryPolicy(repeats_of_500=9))
    decision = await bench.create()
    assert len(server.posts) == 1
    assert isinstance(decision, GiveUp)
    assert isinstance(decision.error, OutcomeUnknownError)
    server.script = [INTERNAL, reaction]
    decision = await bench.create()
    assert len(server.posts) == 3
    assert isinstance(decision, GiveUp)
    assert decision.unknown


async def test_a_repeat_that_is_not_wanted(lay: Lay, server: Server) -> None:
    """Where the session says that the job is not to be sent again, it ends as unknown."""
    server.otherwise = INTERNAL
    bench = await lay(server.base_url)
    bench.go_on = False
    decision = await bench.create()
    assert isinstance(decision, GiveUp)
    assert isinstance(decision.error, OutcomeUnknownError)
    assert decision.unknown
    assert len(server.posts) == 1
    assert bench.all(PossibleDouble) == []


# Cancellation


@pytest.mark.parametrize("stage", ["connecting", "waiting", "reading", "pausing"])
async def test_cancelled(lay: Lay, server: Server, deaf_port: int, stage: str) -> None:
    """A cancelled exchange returns a decision, and what may have been sent is unknown."""
    server.script = [{"waiting": hang, "reading": drip(200, b" " * 999, every=1), "pausing": INTERNAL}.get(stage, hang)]
    url = f"http://127.0.0.1:{deaf_port}/api/v1" if stage == "connecting" else server.base_url
    bench = await lay(url, connect=100.0, create=500.0)
    task = asyncio.create_task(bench.create())
    await asyncio.sleep(1.4 if stage == "pausing" else 30)
    assert not task.done()
    task.cancel()
    decision = await task
    assert len(server.posts) == (stage != "connecting")
    if stage == "connecting":
        assert decision == Unreached("closed: the session closed before the answer came")
        assert isinstance(bench.outcomes[0], NotSent)
    else:
        assert isinstance(decision, GiveUp)
        assert decision.unknown
        assert isinstance(decision.error, OutcomeUnknownError)
        assert isinstance(bench.outcomes[0], Unknown)
    assert not isinstance(decision, RepeatAfter)
    assert len(bench.outcomes) == 1


# What is told


async def test_every_attempt_is_told(lay: Lay, server: Server) -> None:
    """Each POST has one `AttemptEnded`, with what was seen."""
    server.script = [INTERNAL, answer(200, ID), drop, answer(400, {"message": "Unknown model"})]
    bench = await lay(server.base_url)
    await bench.create(key="a")
    await bench.create(key="b")
    await bench.create(key="c")
    told = bench.all(AttemptEnded)
    assert [evolve(event, seconds=0.0) for event in told if isinstance(event, AttemptEnded)] == [
        AttemptEnded("a", "unknown", "HTTP 500: Internal server error", 1, 500, error="HTTP 500"),
        AttemptEnded("a", "accepted", number=2, status=200),
        AttemptEnded("b", "unknown", "ServerDisconnectedError: Server disconnected", error="ServerDisconnectedError"),
        AttemptEnded("c", "rejected", "HTTP 400: Unknown model", 1, 400, error="BadRequestError"),
    ]
    assert bench.exchange.creates == len(server.posts) == 4


async def test_unknown_says_the_price(lay: Lay, server: Server) -> None:
    """The error about a lost create says what it may have cost, and for which key."""
    server.otherwise = drop
    decision = await (await lay(server.base_url)).create(key="order-99")
    assert isinstance(decision, GiveUp)
    assert isinstance(decision.error, OutcomeUnknownError)
    assert str(decision.error.credits) == "415"
    assert decision.error.key == "order-99"


async def test_a_refusal_keeps_its_problems(lay: Lay, server: Server) -> None:
    """A 400 is the error with the service's own list."""
    body = {"message": "Invalid inputs", "errors": [{"message": "Duration must be between", "path": ["duration"]}]}
    server.otherwise = answer(400, body)
    decision = await (await lay(server.base_url)).create()
    assert isinstance(decision, GiveUp)
    assert isinstance(decision.error, BadRequestError)
    assert [problem.path for problem in decision.error.problems] == ["duration"]
    assert len(server.posts) == 1


async def test_the_body_is_plain_json(lay: Lay, server: Server) -> None:
    """Whatever stands in a prompt, the body is ASCII that decodes to it."""
    from tests.exchange.conftest import request_for

    server.otherwise = answer(200, ID)
    prompt = 'Ein See 🌅 "quoted" \\ \u2028 日本'
    await (await lay(server.base_url)).create(request_for(prompt=prompt))
    body = server.posts[0].body
    assert body.isascii()
    assert json.loads(body)["inputs"]["prompt"] == prompt
