"""The service behind HTTP, in a process of its own. Prints two ports: of the API, and of the clock.

When its client has ended, it prints the account's ledger as JSON. It knows nothing of HTTP but what the candidates
send.
"""

import argparse
import contextlib
import json
import socket
import time
from typing import Any

from benchmarks import machine
from benchmarks.account.clock import Over, clock_of


def main() -> None:
    """Serve one client."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clock", required=True)
    parser.add_argument("--law", required=True)
    parser.add_argument("--tasks", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--limits", type=json.loads, required=True)
    parser.add_argument("--faults", action="store_true")
    parser.add_argument("--connecting", type=float, required=True)
    parser.add_argument("--core", type=int, required=True)
    given = parser.parse_args()
    machine.pin(given.core)
    api = socket.create_server(("127.0.0.1", 0), backlog=4096)
    door = socket.create_server(("127.0.0.1", 0))
    began = time.monotonic()
    print(api.getsockname()[1], door.getsockname()[1], began, flush=True)
    control, _ = door.accept()
    control.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    clock = clock_of(given.clock, began, control, first=False)
    clock.install()
    print(json.dumps(_serve(given, clock, api, control)), flush=True)


def _serve(given: argparse.Namespace, clock: Any, api: socket.socket, control: socket.socket) -> dict[str, Any]:
    # Only now: what follows must find the clock in place.
    import asyncio  # noqa: PLC0415

    from benchmarks.account.clock import BEGINNING  # noqa: PLC0415
    from benchmarks.account.service import Service  # noqa: PLC0415
    from benchmarks.account.wire import Connection, Sockets  # noqa: PLC0415
    from benchmarks.account.workload import tasks_of  # noqa: PLC0415

    work = tasks_of(given.law, given.tasks, given.seed)
    service = Service(work, given.limits, given.faults, given.seed, BEGINNING)
    sockets = Sockets()

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        await loop.create_server(lambda: Connection(service, sockets, given.connecting), sock=api, backlog=4096)
        if given.clock != "turns":
            # On the other clock it is whoever waits for a turn that notices.
            control.settimeout(0)
            loop.add_reader(control, ended.set)
        await ended.wait()

    loop = asyncio.SelectorEventLoop(clock.selector())
    with contextlib.suppress(Over):
        loop.run_until_complete(serve())
    return {**service.ledger(), "most_open": sockets.most, "connections": sockets.all}


if __name__ == "__main__":
    main()
