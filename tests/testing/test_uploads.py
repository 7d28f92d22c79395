"""The emulator's uploads by hand: places that are signed and expire, bytes that are checked, files that are deleted."""

import asyncio
from typing import Any

import pytest

from tests.testing.conftest import Start

PNG = b"\x89PNG\r\n\x1a\n" + b"." * 100


async def place(api: Any, name: str = "cat.png", key: str | None = None) -> tuple[int, dict[str, Any]]:
    """Ask for a place."""
    headers = {"Authorization": f"Bearer {api.emulator.api_key if key is None else key}"}
    url = f"{api.emulator.base_url}/uploads"
    async with api.client.post(url, json={"fileName": name}, headers=headers) as answer:
        return answer.status, await answer.json()


async def put(api: Any, given: dict[str, Any], data: bytes = PNG, **headers: str) -> int:
    """Send bytes to a place."""
    headers = {"Content-Type": given["contentType"], **headers}
    async with api.client.put(given["uploadUrl"], data=data, headers=headers) as answer:
        return int(answer.status)


async def get(api: Any, url: str) -> tuple[int, bytes]:
    """Fetch an upload."""
    async with api.client.get(url) as answer:
        return answer.status, await answer.read()


async def test_the_way_of_a_file(start: Start) -> None:
    """A place, the bytes, the file, and its end a day later."""
    api = await start()
    status, given = await place(api)
    assert status == 200
    assert {"uploadUrl", "url", "contentType", "expiresIn", "assetTtlSeconds"} <= set(given)
    assert (await get(api, given["url"]))[0] == 404
    assert await put(api, given) == 200
    assert await get(api, given["url"]) == (200, PNG)
    seen = api.emulator.statistics()
    assert (seen.uploads, seen.uploaded_bytes, seen.keys_leaked) == (1, len(PNG), 0)
    await asyncio.sleep(86_000.0)
    assert (await get(api, given["url"]))[0] == 200
    await asyncio.sleep(500.0)
    assert (await get(api, given["url"]))[0] == 404


async def test_what_is_refused(start: Start) -> None:
    """No key, no name; another signature or type, a place that has expired, a key beside it, too many bytes, none."""
    api = await start(largest_upload=1000)
    assert (await place(api, key="wrong"))[0] == 401
    assert (await place(api, name=""))[0] == 400
    _, given = await place(api)
    assert await put(api, {**given, "uploadUrl": given["uploadUrl"][:-1] + "x"}) == 403
    assert await put(api, {**given, "contentType": "image/jpeg"}) == 403
    assert await put(api, given, Authorization=f"Bearer {api.emulator.api_key}") == 400
    assert await put(api, given, data=b"." * 1001) == 413
    assert await put(api, given, data=b"") == 400
    await asyncio.sleep(901.0)
    assert await put(api, given) == 403
    assert api.emulator.statistics().keys_leaked == 1
    assert api.emulator.depot.stored() == ()


@pytest.mark.parametrize("path", ["/temp-uploads/none.png", "/files/none.mp4", "/elsewhere/cat.png"])
async def test_a_reference_that_is_not_there_fails_the_task(start: Start, path: str) -> None:
    """As the service says it, with the number of the reference, and refunded; other hosts are not asked."""
    api = await start(durations=1.0)
    _, given = await place(api)
    await put(api, given)
    urls = [given["url"], "https://cdn.example/cat.png", api.emulator.url + path]
    outcomes = []
    for chosen in (urls[:2], urls):
        body = {"model": "seedance-20", "inputs": {"prompt": "a cat", "urls": chosen}}
        headers = {"Authorization": f"Bearer {api.emulator.api_key}"}
        async with api.client.post(f"{api.emulator.base_url}/jobs/createTask", json=body, headers=headers) as answer:
            task_id = (await answer.json())["taskId"]
        await asyncio.sleep(2.0)
        task = api.emulator.world.tasks[task_id]
        outcomes.append(api.emulator.world.record(task, api.emulator.now())["error"])
    number, kind = (1, "video") if path.endswith("mp4") else (3, "image")
    message = f"Reference {kind} {number} failed review. Please replace it."
    assert outcomes == [None, {"code": "asset_review_failed", "message": message}]


async def test_bytes_beyond_what_is_kept_are_known_and_not_served(start: Start) -> None:
    """The oldest go first; a task may still use them."""
    api = await start()
    api.emulator.depot.keep_bytes = 250
    given = [(await place(api))[1] for _ in range(3)]
    for one in given:
        assert await put(api, one) == 200
    assert [(await get(api, one["url"]))[0] for one in given] == [404, 200, 200]
    assert api.emulator.statistics().uploads == 3
