"""Look at a running emulator, and change it, over HTTP: for benchmarks and tests in another process."""

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, cast

from aiohttp import web

from seedance_async.testing.answers import encode, message
from seedance_async.testing.faults import Fault

if TYPE_CHECKING:
    from seedance_async.testing.emulator import Emulator

_PATH = "/emulator"


def add_controls(app: web.Application, emulator: "Emulator") -> None:
    """Add `/emulator/...` to an application.

    `GET statistics` returns `Statistics.to_json()`. `POST account` takes any of `limit`, `foreign` (integers) and
    `credits` (a string or an integer). `POST faults` takes `{"faults": [texts]}` and puts them in place of those
    that there are.
    """

    async def statistics(_request: web.Request) -> web.Response:
        return _answer(200, emulator.statistics().to_json())

    async def account(request: web.Request) -> web.Response:
        changes = await _object(request)
        try:
            for name in ("limit", "foreign"):
                if name in changes:
                    setattr(emulator.world, name, int(changes[name]))
            if "credits" in changes:
                emulator.world.money.available = Decimal(str(changes["credits"]))
        except (TypeError, ValueError, InvalidOperation):
            return _answer(400, message(400, "limit, foreign and credits are numbers").body)
        return await statistics(request)

    async def faults(request: web.Request) -> web.Response:
        texts = (await _object(request)).get("faults", [])
        try:
            added = [Fault.parse(str(text)) for text in texts]
        except ValueError as error:
            return _answer(400, message(400, str(error)).body)
        emulator.faults.clear()
        for fault in added:
            emulator.faults.add(fault)
        return _answer(200, {"faults": [str(fault) for fault in emulator.faults.plan]})

    app.router.add_get(f"{_PATH}/statistics", statistics)
    app.router.add_post(f"{_PATH}/account", account)
    app.router.add_post(f"{_PATH}/faults", faults)


async def _object(request: web.Request) -> dict[str, Any]:
    try:
        body: object = await request.json()
    except ValueError:
        body = None
    return cast("dict[str, Any]", body) if isinstance(body, dict) else {}


def _answer(status: int, body: object) -> web.Response:
    return web.Response(status=status, body=encode(body), content_type="application/json")
