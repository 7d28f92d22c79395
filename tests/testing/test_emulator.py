"""The emulator over real HTTP: literal answers, and everything that can be made to break."""

import asyncio
from decimal import Decimal

import aiohttp
import pytest

from seedance_async.errors import ConfigurationError
from seedance_async.testing import Emulator
from seedance_async.testing.answers import CLOUDFLARE_502
from tests.testing.conftest import Api, Start

KEY = "test-key"


async def test_a_task_from_create_to_its_file(start: Start) -> None:
    """Create says the id and nothing else; the record ends in a link that works."""
    api = await start()
    status, body = await api.create()
    assert (status, list(body)) == (200, ["taskId"])
    await asyncio.sleep(60)
    status, record = await api.record(body["taskId"])
    assert (status, record["status"]) == (200, "success")
    status, headers, content = await api.fetch(record["output"][0]["url"])
    assert (status, headers["Content-Type"]) == (200, "video/mp4")
    assert content[4:8] == b"ftyp"
    assert len(content) == int(headers["Content-Length"])


async def test_keys_are_read_from_the_header(start: Start) -> None:
    """Missing, of another scheme, wrong."""
    api = await start()
    assert await api.post({}, headers={}) == (401, {"message": "Missing Authorization header"})
    for header in ("Bearer nonsense", "Bearer", "Bearer ", KEY, f"Basic {KEY}", f"Bearer{KEY}", f"Bearer Bearer {KEY}"):
        assert await api.post({}, headers={"Authorization": header}) == (401, {"message": "Invalid API Key"}), header
        assert await api.record("x", headers={"Authorization": header}) == (401, {"message": "Invalid API Key"}), header
    assert await api.record("x", headers={}) == (401, {"message": "Missing Authorization header"})


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"null"], ids=repr)
async def test_what_is_not_json_is_an_invalid_request(start: Start, content: bytes) -> None:
    """Whatever the content type says."""
    api = await start()
    url = f"{api.emulator.base_url}/jobs/createTask"
    async with api.client.post(url, data=content, headers=api.headers) as answer:
        assert (answer.status, await answer.json()) == (400, {"message": "Invalid request parameters"})


async def test_an_unknown_path_is_a_404(start: Start) -> None:
    """Such as those that generated code likes to invent."""
    api = await start()
    async with api.client.post(f"{api.emulator.url}/v1/generate") as answer:
        assert answer.status == 404


async def test_a_port_in_use_is_said(start: Start) -> None:
    """With the port, and what to do."""
    api = await start()
    port = int(api.emulator.url.rpartition(":")[2])
    second = Emulator(port=port)
    with pytest.raises(ConfigurationError, match=f"port {port} of 127.0.0.1 is in use by another program"):
        await second.start()
    await second.close()


async def test_a_closed_emulator_has_left_its_port() -> None:
    """Nobody answers there any more."""
    async with aiohttp.ClientSession() as client:
        async with Emulator() as emulator, client.get(f"{emulator.url}/emulator/statistics") as answer:
            assert answer.status == 200
        with pytest.raises(aiohttp.ClientConnectionError):
            await client.get(f"{emulator.url}/emulator/statistics")


async def test_statistics_and_changes_over_http(start: Start) -> None:
    """What another process needs: the counts, the limit, the faults."""
    api = await start(limit=1, faults=["http-502:since=1000"])
    await api.create("one")
    url = f"{api.emulator.url}/emulator"
    async with api.client.post(f"{url}/account", json={"limit": 7, "foreign": 2, "credits": "10.5"}) as answer:
        changed = await answer.json()
    assert (changed["limit"], changed["foreign"], changed["credits_available"]) == (7, 2, "10.5")
    assert api.emulator.world.money.available == Decimal("10.5")
    async with api.client.post(f"{url}/faults", json={"faults": ["http-500:nth=1"]}) as answer:
        assert await answer.json() == {"faults": ["http-500:nth=1"]}
    assert (await api.create("one"))[0] == 500
    async with api.client.get(f"{url}/statistics") as answer:
        seen = await answer.json()
    assert seen == api.emulator.statistics().to_json() | {"peak_requests": seen["peak_requests"]}
    assert (seen["creates"], seen["accepted"], seen["cut"], seen["creates_by_prompt"]) == (2, 1, 1, {"one": 2})
    for path, wrong in (("account", {"limit": "x"}), ("faults", {"faults": ["nonsense"]})):
        async with api.client.post(f"{url}/{path}", json=wrong) as answer:
            assert answer.status == 400
    assert len(api.emulator.faults) == 1


DROPPED = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)


async def lost(api: Api) -> type[BaseException]:
    with pytest.raises((*DROPPED, aiohttp.ClientPayloadError, TimeoutError)) as raised:
        await api.create()
    return raised.type


@pytest.mark.parametrize("kind", ["drop-before-accept", "reset-before-accept", "outage"])
async def test_a_connection_dropped_before_makes_no_task(start: Start, kind: str) -> None:
    """The POST is counted, the account is untouched."""
    api = await start(faults=[kind])
    assert issubclass(await lost(api), DROPPED)
    seen = api.emulator.statistics()
    assert [seen.creates, seen.cut, seen.accepted, seen.credits_reserved] == [1, 1, 0, 0]


@pytest.mark.parametrize("kind", ["drop-after-accept", "reset-after-accept", "cut-body"])
async def test_a_connection_dropped_after_leaves_a_task(start: Start, kind: str) -> None:
    """The client sees no answer, and the account has paid."""
    api = await start(faults=[kind])
    await lost(api)
    seen = api.emulator.statistics()
    assert [seen.creates, seen.cut, seen.accepted, seen.credits_reserved] == [1, 0, 1, 200]


@pytest.mark.parametrize(("kind", "accepted"), [("hang-before-accept", 0), ("hang-after-accept", 1)])
async def test_an_answer_that_hangs(start: Start, kind: str, accepted: int) -> None:
    """The client's timeout ends it; the task is there or not."""
    api = await start(faults=[kind])
    assert issubclass(await lost(api), TimeoutError)
    assert api.emulator.statistics().accepted == accepted


@pytest.mark.parametrize("kind", ["drip:seconds=0.4", "slow-headers:seconds=4"])
async def test_a_slow_answer_arrives(start: Start, kind: str) -> None:
    """After about four seconds, whole."""
    api = await start(faults=[kind])
    began = asyncio.get_running_loop().time()
    status, body = await api.create()
    assert status == 200
    assert body["taskId"].startswith("task_")
    assert 3 < asyncio.get_running_loop().time() - began < 4.5


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        ("http-500", 500, {"message": "Internal server error"}),
        ("http-502", 502, CLOUDFLARE_502),
        ("http-401", 401, {"message": "Invalid API Key"}),
        ("http-429", 429, None),
        ("429-without-numbers", 429, {"message": "Too many requests"}),
        ("redirect", 307, ""),
        ("http-408", 408, None),
        ("http-204", 204, ""),
        ("outage:value=503", 503, None),
        ("http-418", 418, {"message": "Error"}),
    ],
)
@pytest.mark.parametrize("place", ["create", "poll"])
async def test_a_status_instead_of_an_answer(start: Start, fault: str, status: int, body: object, place: str) -> None:
    """On creates and on polls; nothing reaches the account."""
    given = f"{fault}{',' if ':' in fault else ':'}on={place}"
    api = await start(faults=[given])
    got = await (api.create() if place == "create" else api.record("task_x"))
    assert got[0] == status
    assert body is None or got[1] == body
    assert api.emulator.statistics().accepted == 0


async def test_a_redirected_post_would_be_counted_twice(start: Start) -> None:
    """A 307 leads back to the same place, so a client that follows it shows."""
    api = await start(faults=["redirect:nth=1"])
    status, _ = await api.post({"model": "seedance-20", "inputs": {"prompt": "x"}}, allow_redirects=True)
    assert status == 200
    assert api.emulator.statistics().creates == 2


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        ("html", 200, CLOUDFLARE_502),
        ("no-task-id", 200, {}),
        ("error-after-accept", 500, {"message": "Internal server error"}),
        ("error-after-accept:value=504", 504, None),
    ],
)
async def test_an_accepted_create_with_another_answer(start: Start, fault: str, status: int, body: object) -> None:
    """There is a task, and the client cannot know."""
    api = await start(faults=[fault])
    got = await api.create()
    assert got[0] == status
    assert body is None or got[1] == body
    assert api.emulator.statistics().accepted == 1


async def test_the_limit_changes_at_the_nth_create_or_at_a_time(start: Start) -> None:
    """50, then 1 from the third create on, then 50 again."""
    api = await start(limit=50, durations=1000.0, faults=["limit:value=1,nth=3", "limit:value=50,since=100"])
    assert [(await api.create())[0] for _ in range(4)] == [200, 200, 429, 429]
    await asyncio.sleep(100)
    assert (await api.create())[0] == 200


async def test_odd_tasks(start: Start) -> None:
    """Late visibility, a slot freed late, drift of credits and size, noise."""
    faults = [
        "late-visibility:seconds=3",
        "slots-freed-late:seconds=20",
        "credits-drift:value=0.5",
        "credits-noise",
        "size-drift:value=640x360",
    ]
    api = await start(limit=1, faults=faults)
    task = await api.task()
    assert await api.record(task) == (404, {"message": "Task not found"})
    await asyncio.sleep(70)
    _, record = await api.record(task)
    assert record["creditsUsed"] == pytest.approx(100)
    assert (record["output"][0]["width"], record["output"][0]["height"]) == (640, 360)
    assert (await api.create())[0] == 429
    await asyncio.sleep(11)
    assert (await api.create())[0] == 200


async def test_odd_records(start: Start) -> None:
    """A status nobody knows, errors as plain strings, the fields of older days."""
    api = await start(faults=["unknown-status:on=poll,until=50", "string-error:until=100", "older-answer:since=100"])
    good, bad = await api.task(), await api.task("x [fail:server]")
    assert (await api.record(good))[1]["status"] == "queued"
    await asyncio.sleep(61)
    assert (await api.record(bad))[1]["error"] == "Generation failed. Please try again."
    await asyncio.sleep(60)
    assert list((await api.record(good))[1]["output"][0]) == ["url", "width", "height"]
    assert (await api.record(bad))[1] == {
        "taskId": bad,
        "status": "fail",
        "error": "Generation failed. Please try again.",
    }


async def test_the_type_of_duration_may_be_insisted_on(start: Start) -> None:
    """By an option for good, or by a fault for a while."""
    api = await start(faults=["duration-type:value=integer,count=1"])
    status, body = await api.create(duration="5")
    assert (status, body["errors"][0]["path"]) == (400, ["duration"])
    assert (await api.create(duration="5"))[0] == 200
    strict = await start(duration_form="string")
    assert (await strict.create(duration=5))[0] == 400
    assert (await strict.create(duration="5"))[0] == 200


async def test_an_outage_ends(start: Start) -> None:
    """Creates, polls and files fail between two times, and work before and after."""
    api = await start(faults=["outage:since=10,until=20"])
    task = await api.task()
    await asyncio.sleep(15)
    with pytest.raises(DROPPED):
        await api.record(task)
    await asyncio.sleep(5)
    assert (await api.record(task))[0] == 200


async def test_closing_cuts_what_hangs_and_may_be_repeated(start: Start) -> None:
    """A request that waits for ever does not keep the emulator open."""
    api = await start(faults=["hang-after-accept:seconds=100000"])
    waiting = asyncio.create_task(api.post({}, timeout=aiohttp.ClientTimeout(total=None)))
    while not api.emulator.statistics().creates:
        await asyncio.sleep(0.1)
    began = asyncio.get_running_loop().time()
    await api.emulator.close()
    await api.emulator.close()
    assert asyncio.get_running_loop().time() - began < 5
    with pytest.raises(DROPPED):
        await waiting


async def test_links_lead_to_the_host_that_the_client_knows(start: Start) -> None:
    """A container or another machine reaches the emulator by another name than the emulator's own."""
    api = await start()
    task = await api.task()
    await asyncio.sleep(60)
    _, record = await api.record(task, headers={**api.headers, "Host": "emulator.test:81"})
    assert record["output"][0]["url"].startswith("http://emulator.test:81/files/")
    assert (await api.record(task))[1]["output"][0]["url"].startswith(api.emulator.url)
