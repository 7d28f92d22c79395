"""One clock for two processes, faster than the real one: hours of a full account in seconds.

It is put under a process from outside, before anything else is imported: `time`, the selector of the event loop, and
the bytes that sockets carry. What runs on it is as its users have it, with its true intervals and timeouts.

`TurnClock` stands still while anybody works. Both processes take turns: whose turn it is reads all that the other has
sent and works until nothing is left to do. If it has sent something, the turn goes to the other, and no time has
passed; otherwise the clock moves to the timer that is due first, of either. So nothing that is measured depends on how
fast the machine is, and two such pairs may run beside each other.

`ScaledClock` is the real one, some times faster. Work takes time there, as many times more than it really does. It
shows that the other tells the truth.
"""

import _socket
import selectors
import socket
import struct
import time
from collections.abc import Callable
from math import inf
from typing import Any, Final, Protocol

#: Where every clock begins. Not 0, which some code takes for "never".
BEGINNING: Final = 1000.0
#: What `time.time()` says then: a moment of September 2026.
EPOCH: Final = 1_790_000_000.0

#: Real seconds to wait for bytes that were sent and are not there; then their connection was closed.
_UNDER_WAY: Final = 0.05
#: Now, when the next timer is due, and how many bytes were sent.
_TURN: Final = struct.Struct("<ddQ")

_real_monotonic = time.monotonic
_real_process_time = time.process_time


class Over(Exception):  # noqa: N818 (it is no error)
    """The other process has ended."""


class Clock(Protocol):
    """A clock that can be put under a process."""

    unspent: float

    def install(self) -> None:
        """Replace what tells the time in this process."""
        ...

    def selector(self) -> selectors.BaseSelector:
        """Return a selector for the process's event loop."""
        ...


def clock_of(kind: str, began: float, control: socket.socket, *, first: bool) -> Clock:
    """Return the clock that is called so: `turns`, or a number of times that it is faster.

    Args:
        kind: Which.
        began: The real monotonic time at which a scaled clock began, of either process.
        control: A connection to the other process.
        first: Whether this process has the first turn.
    """
    return TurnClock(control, first=first) if kind == "turns" else ScaledClock(float(kind), began)


class ScaledClock:
    """The real clock, some times faster.

    Attributes:
        unspent: Seconds of the processor that went into the clock: none here.
    """

    unspent = 0.0

    def __init__(self, speed: float, began: float) -> None:
        self._speed = speed
        self._began = began

    def now(self) -> float:
        """The time."""
        return BEGINNING + (_real_monotonic() - self._began) * self._speed

    def install(self) -> None:
        """Replace what tells the time in this process."""
        _replace_time(self.now)

    def selector(self) -> selectors.BaseSelector:
        """Return a selector that waits as much less long."""
        speed = self._speed

        class Scaled(selectors.DefaultSelector):
            def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
                return super().select(None if timeout is None else timeout / speed)

        return Scaled()


class TurnClock:
    """A clock that two processes move in turns.

    Attributes:
        unspent: Seconds of the processor that went into the clock and would not be spent without it.
        forgotten: How often bytes of the other never came, because their connection was closed.
    """

    def __init__(self, control: socket.socket, *, first: bool) -> None:
        self.unspent = 0.0
        self.forgotten = 0
        self._control = control
        self._now = BEGINNING
        self._mine = first
        self._sent = self._received = 0
        self._stirred = False
        self._others_due, self._others_sent = inf, 0

    def now(self) -> float:
        """The time."""
        return self._now

    def install(self) -> None:
        """Replace what tells the time in this process, and count what its sockets carry from now on."""
        _replace_time(self.now)
        plain = _socket.socket

        def sent(count: int) -> int:
            self._sent += count
            self._stirred = True
            return count

        def received(content: bytes) -> bytes:
            self._received += len(content)
            return content

        def received_into(count: int) -> int:
            self._received += count
            return count

        def close(sock: Any) -> None:
            # What the other sees of it is not counted, so it must have its turn.
            self._stirred = True
            original_close(sock)

        original_close = socket.socket.close
        replaced: dict[str, Any] = {
            "send": lambda sock, *args: sent(plain.send(sock, *args)),
            "sendmsg": lambda sock, *args: sent(plain.sendmsg(sock, *args)),
            "recv": lambda sock, *args: received(plain.recv(sock, *args)),
            "recv_into": lambda sock, *args: received_into(plain.recv_into(sock, *args)),
            "close": close,
        }
        for name, function in replaced.items():
            setattr(socket.socket, name, function)

    def selector(self) -> selectors.BaseSelector:
        """Return a selector that waits for its turn instead of waiting."""
        clock = self

        class InTurns(selectors.DefaultSelector):
            def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
                if timeout is not None and timeout <= 0:
                    return super().select(0)
                due = inf if timeout is None else clock.now() + timeout
                while True:
                    ready = super().select(0)
                    if not ready and clock.is_missing_bytes():
                        ready = super().select(_UNDER_WAY)
                        if not ready:
                            clock.forget_bytes()
                    if ready or clock.now() >= due:
                        return ready
                    clock.move(due)

        return InTurns()

    def is_missing_bytes(self) -> bool:
        """Whether something that the other has sent was not read yet."""
        return self._received < self._others_sent

    def forget_bytes(self) -> None:
        """Wait no longer for what was not read."""
        self.forgotten += 1
        self._received = self._others_sent

    def move(self, due: float) -> None:
        """Let time pass, or the other have its turn: there is nothing to do here before `due`.

        Raises:
            Over: The other process has ended.
            RuntimeError: Nothing can happen any more.
        """
        if self._mine and not self._stirred:
            if due == self._others_due == inf:
                raise RuntimeError("the clock stands still: neither process has a timer")
            self._now = min(due, self._others_due)
            if due <= self._others_due:
                return
        began = _real_process_time()
        plain = _socket.socket
        if self._mine:
            plain.sendall(self._control, _TURN.pack(self._now, due, self._sent))
        content = b""
        while len(content) < _TURN.size:
            piece = plain.recv(self._control, _TURN.size - len(content))
            if not piece:
                raise Over
            content += piece
        self._now, self._others_due, self._others_sent = _TURN.unpack(content)
        self._mine, self._stirred = True, False
        self.unspent += _real_process_time() - began


def _replace_time(now: Callable[[], float]) -> None:
    vars(time).update(
        monotonic=now,
        perf_counter=now,
        time=lambda: EPOCH + now() - BEGINNING,
        monotonic_ns=lambda: int(now() * 1e9),
        perf_counter_ns=lambda: int(now() * 1e9),
        time_ns=lambda: int((EPOCH + now() - BEGINNING) * 1e9),
    )
