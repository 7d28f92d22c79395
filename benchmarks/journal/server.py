"""A server whose tasks take a while, and that notes when slots were empty.

A slot is empty from the answer that says its task has ended until the next create arrives. Both moments are the
server's own, so that nothing of the client is believed. It runs in a process of its own:
`python -m benchmarks.journal.server --seconds 1` prints its port, and these moments when standard input is closed.
"""

import argparse
import asyncio
import json
import random
import sys
import time

from benchmarks import machine
from benchmarks.overhead.server import Answering, Counts

#: Tasks take up to this share more or less, so that they do not all end at once.
SPREAD = 0.2


class Times(Counts):
    """What the server has seen, and when.

    Attributes:
        creates_at: When each create had arrived, in seconds of this process.
        seen_at: When the end of each task was first told, in the order of telling.
    """

    def __init__(self, seconds: float, seed: int) -> None:
        super().__init__()
        self.creates_at: list[float] = []
        self.seen_at: list[float] = []
        self._seconds = seconds
        self._chance = random.Random(seed)
        self._ends: dict[str, float] = {}

    def accepted(self, task_id: str, now: float) -> None:
        """Let a task begin."""
        self.creates_at.append(now)
        self._ends[task_id] = now + self._seconds * self._chance.uniform(1 - SPREAD, 1 + SPREAD)

    def runs(self, task_id: str, now: float) -> bool:
        """Whether a task still runs; its end is told now otherwise."""
        end = self._ends.get(task_id)
        if end is None:
            return False
        if now >= end:
            del self._ends[task_id]
            self.seen_at.append(now)
            return False
        return True


class Taking(Answering):
    """One connection to a service whose tasks take a while."""

    def __init__(self, times: Times) -> None:
        super().__init__(times)
        self._times = times

    def answer(self, head: bytes, target: bytes) -> None:
        """Send the answer to one request."""
        now = time.perf_counter()
        task_id = target.partition(b"taskId=")[2].decode("ascii")
        if head.startswith(b"post"):
            super().answer(head, target)
            self._times.accepted(f"task_{self._times.creates:08d}", now)
        elif self._times.runs(task_id, now):
            self._times.polls += 1
            body = json.dumps({"taskId": task_id, "status": "generating"}).encode()
            assert self.transport is not None
            self.transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
            )
        else:
            super().answer(head, target)


async def serve(seconds: float, seed: int) -> None:
    """Listen on a free port of this machine until standard input is closed."""
    loop = asyncio.get_running_loop()
    times = Times(seconds, seed)
    server = await loop.create_server(lambda: Taking(times), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    print(json.dumps({"creates_at": times.creates_at, "seen_at": times.seen_at}), flush=True)
    server.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    machine.pin(1)
    asyncio.run(serve(given.seconds, given.seed))
