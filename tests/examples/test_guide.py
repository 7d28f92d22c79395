"""Every application of the guide on web backends runs behind a server, and makes a video once."""

import logging
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import aiohttp
import anyio
import pytest
from aiohttp import web

from examples.web.problems import STATUSES
from seedance_async.testing import Emulator
from tests.examples.processes import ROOT
from tests.examples.serving import aiohttp_serving, uvicorn_serving

PAGE: Final = (ROOT / "docs" / "web.md").read_text(encoding="utf-8")
APPLICATIONS: Final = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
_FRAMEWORK: Final = re.compile(r"^from (fastapi|starlette|litestar|aiohttp|django)\b", re.MULTILINE)


def _framework(source: str) -> str:
    found = _FRAMEWORK.search(source)
    assert found is not None
    return found[1]


@pytest.fixture
def logging_is_ours() -> Iterator[None]:
    """Some frameworks set up logging for the whole process."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


@pytest.mark.usefixtures("logging_is_ours")
@pytest.mark.parametrize("source", APPLICATIONS, ids=_framework)
async def test_an_application_of_the_guide_works(
    source: str, service: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An order is answered 202 and becomes a video; the same key twice is one; what is wrong is 422."""
    monkeypatch.setenv("KINOVI_API_KEY", service.api_key)
    monkeypatch.setenv("SEEDANCE_BASE_URL", service.base_url)
    monkeypatch.chdir(tmp_path)
    # A module that is there: frameworks look up the annotations of handlers where they were written.
    module = types.ModuleType("guide")
    monkeypatch.setitem(sys.modules, "guide", module)
    exec(compile(source, "docs/web.md", "exec"), module.__dict__)
    app: Any = module.__dict__["app"]
    serving = aiohttp_serving(app) if isinstance(app, web.Application) else uvicorn_serving(app)
    order, key = {"prompt": "a lake at dawn"}, {"Idempotency-Key": "order-17"}
    async with serving as url, aiohttp.ClientSession(url) as http:
        for _ in range(2):
            async with http.post("/videos", json=order, headers=key) as answer:
                assert answer.status == 202, await answer.text()
        async with http.post("/videos", json={"prompt": ""}, headers={"Idempotency-Key": "order-18"}) as answer:
            assert answer.status == 422
        status = "queued"
        while status != "success":
            await anyio.sleep(5)
            async with http.get("/videos/order-17") as answer:
                status = (await answer.json())["status"]
    assert service.statistics().creates == 1


def test_the_guide_has_an_application_for_each_framework() -> None:
    """Those that the page names at its top."""
    assert [_framework(source) for source in APPLICATIONS] == ["fastapi", "starlette", "litestar", "aiohttp", "django"]


def test_the_table_of_errors_is_that_of_the_examples() -> None:
    """A row for each status, with the classes that get it."""
    rows = dict(re.findall(r"^\| (`\w+Error`.*?) \| (\d+)", PAGE, re.MULTILINE))
    told = {name: int(status) for names, status in rows.items() for name in re.findall(r"`(\w+Error)`", names)}
    known = {kind.__name__: status for kind, status in STATUSES}
    assert {name: known[name] for name in told if name != "TaskFailedError"} == {
        name: status for name, status in told.items() if name != "TaskFailedError"
    }
