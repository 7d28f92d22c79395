"""Where a video stands, as server-sent events: each tells the whole state, so one that was missed is no loss."""

import asyncio
import json
import random
import re
from collections.abc import AsyncGenerator
from typing import Final

from examples.web.stopping import Stopping
from examples.web.videos import describe
from seedance_async import TaskHandle

#: no-transform and X-Accel-Buffering: a proxy that compresses or collects would hold events back.
HEADERS: Final = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
#: Milliseconds after which a browser connects again, each its own: all of them at once would hit a server that starts.
RETRY: Final = (1000, 4000)
#: Seconds between two looks at a place in the queue: one near the head is looked at more often.
_NEXT, _PER_PLACE, _LAST = 1.0, 0.1, 15.0
#: Timers may fire by a rounding error too early.
_EARLY: Final = 0.01


def event_id(handle: TaskHandle) -> str:
    """Name the state: a browser sends the last one it has seen as `Last-Event-ID`, also to the next process."""
    status = re.sub(r"\W", "_", handle.status)
    end = "-end" if handle.done() else ""
    return f"{status}{end}" if handle.position is None else f"{status}-{handle.position}"


def is_over(handle: TaskHandle, last_seen: str | None) -> bool:
    """Whether a browser has seen the end; 204 tells it to connect no more."""
    return handle.done() and last_seen == event_id(handle)


async def events(
    handle: TaskHandle, stopping: Stopping, last_seen: str | None, heartbeat: float
) -> AsyncGenerator[bytes]:
    """Yield the events of a video until it has ended or the process is about to stop.

    Args:
        handle: The video.
        stopping: Ends the stream early; the browser connects again.
        last_seen: `Last-Event-ID`: that state is not sent again.
        heartbeat: Seconds of silence after which a comment is sent: proxies close what is silent, and a client that
            has gone is only noticed by writing to it.
    """
    changed = asyncio.Event()
    loop = asyncio.get_running_loop()
    watcher = loop.create_task(_watch(handle, changed))
    try:
        with stopping.wakes(changed):
            yield f"retry: {random.randint(*RETRY)}\n\n".encode()
            speak_at = loop.time() + heartbeat
            while True:
                changed.clear()
                state = event_id(handle)
                if state != last_seen:
                    yield f"id: {state}\nevent: status\ndata: {json.dumps(describe(handle))}\n\n".encode()
                    last_seen, speak_at = state, loop.time() + heartbeat
                elif loop.time() >= speak_at - _EARLY:
                    yield b": still there\n\n"
                    speak_at = loop.time() + heartbeat
                if handle.done() or stopping.begun:
                    return
                try:
                    async with asyncio.timeout_at(min(speak_at, loop.time() + _pause(handle.position))):
                        await changed.wait()
                except TimeoutError:
                    pass
    finally:
        watcher.cancel()


async def _watch(handle: TaskHandle, changed: asyncio.Event) -> None:
    async for _ in handle.updates():
        changed.set()
    changed.set()


def _pause(position: int | None) -> float:
    return _LAST if position is None else min(_LAST, _NEXT + _PER_PLACE * position)
