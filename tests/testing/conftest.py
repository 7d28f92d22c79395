"""A bare client of the emulator: what the SDK does is not tested here."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import aiohttp
import pytest

from seedance_async.testing import Emulator

Start = Callable[..., Awaitable["Api"]]


class Api:
    """An emulator and a client of its API."""

    def __init__(self, emulator: Emulator, client: aiohttp.ClientSession) -> None:
        self.emulator = emulator
        self.client = client
        self.headers = {"Authorization": f"Bearer {emulator.api_key}"}

    async def post(self, body: object, **options: Any) -> tuple[int, Any]:
        options.setdefault("headers", self.headers)
        options.setdefault("allow_redirects", False)
        url = f"{self.emulator.base_url}/jobs/createTask"
        async with self.client.post(url, json=body, **options) as answer:
            return answer.status, await _body(answer)

    async def create(self, prompt: str = "a lake", **inputs: Any) -> tuple[int, Any]:
        fields = {"prompt": prompt, "duration": "5", "outputResolution": "720p", **inputs}
        return await self.post({"model": "seedance-20", "inputs": fields})

    async def task(self, prompt: str = "a lake", **inputs: Any) -> str:
        status, body = await self.create(prompt, **inputs)
        assert status == 200, body
        return str(body["taskId"])

    async def record(self, task_id: str | None, **options: Any) -> tuple[int, Any]:
        options.setdefault("headers", self.headers)
        options.setdefault("allow_redirects", False)
        url = f"{self.emulator.base_url}/jobs/recordInfo"
        params = {} if task_id is None else {"taskId": task_id}
        async with self.client.get(url, params=params, **options) as answer:
            return answer.status, await _body(answer)

    async def fetch(self, url: str, **headers: str) -> tuple[int, Mapping[str, str], bytes]:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.client.get(url, headers=names, allow_redirects=False) as answer:
            return answer.status, answer.headers, await answer.read()


async def _body(answer: aiohttp.ClientResponse) -> Any:
    content = await answer.read()
    is_json = answer.content_type == "application/json" and content
    return await answer.json() if is_json else content.decode()


@pytest.fixture
async def start(emulator: Callable[..., Awaitable[Emulator]]) -> AsyncIterator[Start]:
    """Start an emulator with a client: `api = await start(limit=3)`. A request may take five (virtual) seconds."""
    timeout = aiohttp.ClientTimeout(total=5)
    async with aiohttp.ClientSession(timeout=timeout) as client:

        async def begin(**options: Any) -> Api:
            return Api(await emulator(**{"durations": 60.0, **options}), client)

        yield begin
