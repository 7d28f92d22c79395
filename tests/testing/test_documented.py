"""What docs/testing.md says of the emulator's own addresses, and how long its tasks take."""

import asyncio
import re
import shlex
from pathlib import Path
from typing import Final

import pytest

from seedance_async import AsyncSeedance, FixedPolling, Polling, PollingPolicy
from tests.testing.conftest import Start

PAGE: Final = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")


async def test_the_page_names_every_field_of_the_statistics(start: Start) -> None:
    """All of them and no other."""
    api = await start()
    table = PAGE[PAGE.index("| fields | meaning |") :]
    named = [name for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)]
    assert sorted(named) == sorted(api.emulator.statistics().to_json())


async def test_the_lines_of_curl_work(start: Start) -> None:
    """Each is understood, and changes what it says."""
    api = await start()
    lines = [shlex.split(line) for line in PAGE.splitlines() if line.startswith("curl ")]
    assert len(lines) == 3
    for words in lines:
        url = words[-1].replace("http://127.0.0.1:8765", api.emulator.url)
        body = words[words.index("-d") + 1] if "-d" in words else None
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        async with api.client.request("GET" if body is None else "POST", url, data=body, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
    seen = api.emulator.statistics()
    assert (seen.limit, str(seen.credits_available), len(api.emulator.faults)) == (1, "99.5", 2)


@pytest.mark.parametrize(("polling", "least", "most"), [(FixedPolling(0.1), 0.5, 0.8), (PollingPolicy(), 2.0, 4.0)])
async def test_what_a_quick_task_takes(start: Start, polling: Polling, least: float, most: float) -> None:
    """Half a second if somebody looks that often, and three seconds with a session's own polling."""
    api = await start(durations=0.5)
    began = asyncio.get_running_loop().time()
    async with AsyncSeedance(api.emulator.api_key, base_url=api.emulator.base_url, polling=polling) as seedance:
        await seedance.generate("a lake at dawn")
        assert least < asyncio.get_running_loop().time() - began < most
