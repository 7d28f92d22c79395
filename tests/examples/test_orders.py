"""Orders: answered at once, by key and by visitor, and refused with what is wrong."""

import shutil
from decimal import Decimal
from pathlib import Path

import anyio
import attrs
import pytest

from examples.web.settings import WebSettings
from seedance_async import SqliteJournal
from seedance_async.testing import Emulator
from tests.examples.serving import Visitor, served, visiting


async def test_an_order_is_answered_at_once_and_becomes_a_video(visitor: Visitor, service: Emulator) -> None:
    """202 with a status URL before the service has heard of it; the status ends with the file's URL."""
    async with visitor.http.post("/videos", json={"prompt": "a lake"}, headers={"Idempotency-Key": "one"}) as answer:
        assert answer.status == 202
        assert answer.headers["Location"] == "/videos/one"
        told = await answer.json()
    assert (told["id"], told["prompt"], told["status"], told["done"]) == ("one", "a lake", "queued", False)
    assert service.statistics().succeeded == 0
    told = await visitor.finished("one")
    assert (told["status"], told["file"], told["error"]) == ("success", "/videos/one/file", None)


async def test_the_same_key_is_one_video(visitor: Visitor, service: Emulator) -> None:
    """A client that repeats its request pays once, also when the video is there already."""
    for _ in range(3):
        assert (await visitor.order("a lake", "one"))[0] == 202
    await visitor.finished("one")
    assert (await visitor.order("a lake", "one"))[0] == 200
    assert service.statistics().creates_by_prompt == {"a lake": 1}


async def test_another_video_under_a_key_is_a_conflict(visitor: Visitor) -> None:
    """409, and the first goes on."""
    await visitor.order("a lake", "one")
    status, told = await visitor.order("a market", "one")
    assert (status, told["error"]["type"]) == (409, "KeyConflictError")
    assert (await visitor.finished("one"))["prompt"] == "a lake"


async def test_keys_belong_to_their_visitor(url: str, service: Emulator) -> None:
    """Two visitors with one key have two videos, and neither sees the other's."""
    async with visiting(url) as first, visiting(url) as second:
        await first.order("a lake", "one")
        async with second.http.get("/videos/one") as answer:
            assert answer.status == 404
        await second.order("a market", "one")
        assert (await first.show("one"))["prompt"] == "a lake"
        assert (await second.show("one"))["prompt"] == "a market"
        await first.finished("one")
        await second.finished("one")
    assert service.statistics().creates_by_prompt == {"a lake": 1, "a market": 1}


@pytest.mark.parametrize("key", ["", "a/b", "a b", "x" * 65, "../etc"])
async def test_a_key_is_checked(visitor: Visitor, key: str, service: Emulator) -> None:
    """422 with the header's name."""
    status, told = await visitor.order("a lake", key)
    assert (status, told["error"]["problems"][0]["path"]) == (422, "Idempotency-Key")
    assert service.statistics().creates == 0


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({"prompt": ""}, {"prompt"}),
        ({"prompt": "a lake", "duration": 99, "aspect_ratio": "2:1"}, {"duration", "aspect_ratio"}),
        ({}, {"prompt"}),
        ({"prompt": "a lake", "callback_url": "https://example.com"}, {"callback_url"}),
        ({"prompt": ["a lake"]}, {"prompt"}),
    ],
)
async def test_every_problem_has_its_path(
    visitor: Visitor, service: Emulator, body: dict[str, object], paths: set[str]
) -> None:
    """422 with all problems, before anything is sent."""
    async with visitor.http.post("/videos", json=body) as answer:
        error = (await answer.json())["error"]
    assert (answer.status, {problem["path"] for problem in error["problems"]}) == (422, paths)
    assert error["charged"] == "no"
    assert service.statistics().creates == 0


async def test_a_form_of_another_site_orders_nothing(visitor: Visitor, service: Emulator) -> None:
    """Only JSON is an order, which a foreign page cannot send with a visitor's cookie."""
    for form in ({"content-type": "text/plain"}, {"content-type": "application/x-www-form-urlencoded"}):
        async with visitor.http.post("/videos", data='{"prompt": "a lake"}', headers=form) as answer:
            assert answer.status == 422
    async with visitor.http.post("/videos", data="{", headers={"content-type": "application/json"}) as answer:
        assert answer.status == 422
    assert service.statistics().creates == 0


async def test_what_waits_can_be_taken_back(visitor: Visitor, service: Emulator) -> None:
    """DELETE gives the place in the queue back; what runs cannot be stopped."""
    for number in range(3):
        await visitor.order(f"lake {number}", str(number))
    await anyio.sleep(1)
    assert (await visitor.show("2"))["position"] == 1
    async with visitor.http.delete("/videos/2") as answer:
        told = await answer.json()
        assert (answer.status, told["status"], told["error"]["type"]) == (200, "withdrawn", "WithdrawnError")
    async with visitor.http.delete("/videos/0") as answer:
        assert answer.status == 409
    await visitor.finished("0")
    assert service.statistics().creates == 2
    # The key is free again, and its video is found under it.
    assert (await visitor.order("lake 2", "2"))[0] == 202
    assert (await visitor.finished("2"))["status"] == "success"


async def test_a_refused_video_says_why(visitor: Visitor) -> None:
    """The service's words, its kind, and that nothing is charged; the same key answers with the same."""
    await visitor.order("a lake [fail:moderation]", "one")
    error = (await visitor.finished("one"))["error"]
    assert (error["type"], error["kind"], error["charged"]) == ("TaskFailedError", "moderation", "no")
    assert "violates platform rules" in error["message"]
    assert (await visitor.order("a lake [fail:moderation]", "one"))[0] == 422


async def test_an_account_without_credits_is_402(visitor: Visitor, service: Emulator) -> None:
    """The first order learns it from the service, and its status says so."""
    service.world.money.available -= service.world.money.available
    await visitor.order("a lake", "one")
    error = (await visitor.finished("one"))["error"]
    assert (error["type"], error["charged"]) == ("InsufficientCreditsError", "no")


async def test_a_budget_that_is_used_up_is_503(kind: str, settings: WebSettings) -> None:
    """The operator's limit is no fault of the visitor's."""
    async with served(kind, attrs.evolve(settings, budget=Decimal(1))) as url, visiting(url) as visitor:
        status, told = await visitor.order()
        assert (status, told["error"]["type"]) == (503, "BudgetExceededError")


async def test_a_full_queue_is_503_with_retry_after(kind: str, settings: WebSettings) -> None:
    """For everybody, or for one visitor; there is room when the header says, and the same key is asked with again."""
    told = attrs.evolve(settings, max_waiting=4, max_waiting_per_user=2)
    async with served(kind, told) as url, visiting(url) as greedy, visiting(url) as second, visiting(url) as third:
        for number in range(2):
            await greedy.order("a lake", str(number))
        await anyio.sleep(1)
        for number in range(2, 4):
            assert (await greedy.order("a lake", str(number)))[0] == 202
        status, answer = await greedy.order("a lake", "4")
        assert (status, answer["error"]["message"]) == (503, "you have as many videos waiting as you may")
        for number in range(2):
            assert (await second.order("a market", str(number)))[0] == 202
        for path in ("/videos", "/generate"):
            async with third.http.post(path, json={"prompt": "a street"}, headers={"Idempotency-Key": "one"}) as full:
                assert (full.status, (await full.json())["error"]["type"]) == (503, "QueueFullError")
                wait = int(full.headers["Retry-After"])
        await anyio.sleep(wait)
        assert (await third.order("a street", "one"))[0] == 202
        # A key that is known is answered, full or not.
        assert (await greedy.order("a lake", "3"))[0] == 202


async def test_one_visitors_videos_do_not_hold_up_anothers(visitor: Visitor, url: str) -> None:
    """Visitors take turns: twenty videos of one delay the single one of another by one."""
    for number in range(20):
        await visitor.order("a lake", str(number))
    await anyio.sleep(1)
    async with visiting(url) as other:
        await other.order("a market", "one")
        assert (await other.show("one"))["position"] == 2


async def test_an_unknown_outcome_is_said_and_not_sent_again(visitor: Visitor, service: Emulator) -> None:
    """The answer of a create is lost: the status says "maybe", and no repeated request sends another."""
    service.faults.add("drop-after-accept:on=create,nth=1")
    await visitor.order("a lake", "one")
    error = (await visitor.finished("one"))["error"]
    assert (error["type"], error["charged"]) == ("OutcomeUnknownError", "maybe")
    status, told = await visitor.order("a lake", "one")
    assert (status, told["error"]["charged"]) == (502, "maybe")
    assert service.statistics().creates == 1


async def test_a_key_that_the_account_lacks_is_the_operators_to_mend(visitor: Visitor, service: Emulator) -> None:
    """A visitor reads nothing of keys and accounts."""
    service.world.keys.clear()
    await visitor.order("a lake", "one")
    error = (await visitor.finished("one"))["error"]
    assert error["type"] == "AuthenticationError"
    assert "operator" in error["message"]


async def test_answered_is_written_down(visitor: Visitor, tmp_path: Path) -> None:
    """What got 202 is in the journal's file by then, so no crash loses it."""
    await visitor.order("a lake", "one")
    copy = tmp_path / "crashed"
    copy.mkdir()
    for file in tmp_path.glob("videos.db*"):
        if not file.name.endswith(".lock"):
            shutil.copy(file, copy)
    journal = SqliteJournal(copy / "videos.db")
    records = await journal.open()
    await journal.aclose()
    assert [record.key.rpartition("/")[2] for record in records] == ["one"]
