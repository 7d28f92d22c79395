"""A server that answers at once: every create is accepted, every task has succeeded at its n-th poll.

It knows nothing of HTTP but what the candidates send, so that it is never what is measured. It runs in a process of
its own: `python -m benchmarks.overhead.server` prints its port, and its counts when standard input is closed. `--polls`
is n, 1 by default.
"""

import argparse
import asyncio
import json
import sys

from benchmarks import machine

# What the inputs of the candidates cost and measure: anything else would be reported as drift, for each task.
OUTPUT = {"url": "https://files.example/clip.mp4", "width": 1920, "height": 1080, "mediaType": "video/mp4", "seed": 1}
RECORD = {
    "model": "seedance-20",
    "status": "success",
    "creditsUsed": 415,
    "output": [OUTPUT],
    "error": None,
    "createTime": 1_790_000_000_000,
    "completeTime": 1_790_000_060_000,
}
RUNNING = {**RECORD, "status": "generating", "output": [], "completeTime": None}

REPORTED = ("connections", "most_open", "creates", "polls")


class Counts:
    """What the server has seen."""

    def __init__(self) -> None:
        self.connections = 0
        self.open = 0
        self.most_open = 0
        self.creates = 0
        self.polls = 0
        self.seen: dict[bytes, int] = {}


class Answering(asyncio.Protocol):
    """One connection: answer each request as soon as it is complete."""

    def __init__(self, counts: Counts, polls: int = 1) -> None:
        self.counts = counts
        self.polls = polls
        self.data = b""
        self.transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it."""
        self.counts.connections += 1
        self.counts.open += 1
        self.counts.most_open = max(self.counts.most_open, self.counts.open)
        assert isinstance(transport, asyncio.WriteTransport)
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (what asyncio calls it with)
        """Count it off."""
        self.counts.open -= 1

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete by now."""
        self.data += data
        while True:
            end = self.data.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self.data[:end].lower()
            after = end + 4 + length_of(head)
            if len(self.data) < after:
                return
            target = self.data[: self.data.index(b"\r\n")].split(b" ")[1]
            self.data = self.data[after:]
            self.answer(head, target)

    def answer(self, head: bytes, target: bytes) -> None:
        """Send the answer to one request."""
        if head.startswith(b"post"):
            self.counts.creates += 1
            content: dict[str, object] = {"taskId": f"task_{self.counts.creates:08d}"}
        else:
            self.counts.polls += 1
            task_id = target.partition(b"taskId=")[2]
            seen = self.counts.seen
            seen[task_id] = seen.get(task_id, 0) + 1
            ended = seen[task_id] >= self.polls
            content = {"taskId": task_id.decode("ascii"), **(RECORD if ended else RUNNING)}
        body = json.dumps(content, separators=(",", ":")).encode()
        closing = b"\r\nconnection: close" in head
        assert self.transport is not None
        self.transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n%s"
            % (len(body), b"Connection: close\r\n" if closing else b"", body)
        )
        if closing:
            self.transport.close()


def length_of(head: bytes) -> int:
    """The announced length of the body."""
    _, found, rest = head.partition(b"\r\ncontent-length:")
    return int(rest.partition(b"\r\n")[0]) if found else 0


async def serve(polls: int) -> None:
    """Listen on a free port of this machine until standard input is closed."""
    loop = asyncio.get_running_loop()
    counts = Counts()
    server = await loop.create_server(lambda: Answering(counts, polls), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    print(json.dumps({name: getattr(counts, name) for name in REPORTED}), flush=True)
    server.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--polls", type=int, default=1)
    machine.pin(1)
    asyncio.run(serve(parser.parse_args().polls))
