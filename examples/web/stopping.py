"""Learn that the process is told to stop before the server waits for its connections to end.

Servers close the listening socket, wait for answers under way, and tell the application last. A stream of events has no
end of its own, so a server would wait for it until its patience is over. The signal is the one early sign.
"""

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stopping:
    """Whether the process is about to stop, and who is to wake up for it.

    Attributes:
        begun: Whether it is.
    """

    def __init__(self) -> None:
        self.begun = False
        self._asleep: set[asyncio.Event] = set()

    def begin(self) -> None:
        """Stop: wake everybody who sleeps."""
        self.begun = True
        for event in self._asleep:
            event.set()

    @contextmanager
    def wakes(self, event: asyncio.Event) -> Iterator[None]:
        """Set an event when the stopping begins; at once where it has begun."""
        self._asleep.add(event)
        try:
            if self.begun:
                event.set()
            yield
        finally:
            self._asleep.discard(event)

    async def wait(self) -> None:
        """Wait until the stopping begins."""
        begun = asyncio.Event()
        with self.wakes(begun):
            await begun.wait()

    @contextmanager
    def listening(self, *signals: signal.Signals) -> Iterator[None]:
        """Begin with the first of these signals, by default SIGTERM and SIGINT; the server's own handler follows.

        Call it from the loop, once the server has set its handlers: in the lifespan. Python gives signals to the main
        thread only; in any other one this does nothing, and streams end with the server's patience.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        before = {each: signal.getsignal(each) for each in signals or (signal.SIGTERM, signal.SIGINT)}

        def heard(number: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(self.begin)
            servers_own = before[signal.Signals(number)]
            if callable(servers_own):
                servers_own(number, frame)
            elif servers_own is signal.SIG_DFL:
                signal.signal(number, signal.SIG_DFL)
                signal.raise_signal(number)

        try:
            for each in before:
                signal.signal(each, heard)
            yield
        finally:
            for each, handler in before.items():
                # One that was replaced meanwhile is somebody else's.
                if signal.getsignal(each) is heard:
                    signal.signal(each, handler)
