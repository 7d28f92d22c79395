"""Writes the manifest while a batch runs: one thread at work at a time, everything that waits in one go."""

import asyncio
from collections.abc import Callable

from attrs import define, field

from seedance_async.batch.manifest import Manifest, Record

_Entry = tuple[Record, Callable[[], None] | None]


@define(eq=False)
class Recorder:
    """Puts records into the manifest in order, and says when they are durable.

    Attributes:
        failed: Called with the sentence about it whenever writing fails; the records are kept and written with the next
            ones, if that works again.
    """

    manifest: Manifest
    failed: Callable[[str], None]
    _waiting: list[_Entry] = field(init=False, factory=list[_Entry])
    _in_hand: list[_Entry] = field(init=False, factory=list[_Entry])
    _task: asyncio.Task[None] | None = field(init=False, default=None)

    def put(self, record: Record, told: Callable[[], None] | None = None) -> None:
        """Hand over a record; `told` is called once it is durable, or once it is known that it is not."""
        self._waiting.append((record, told))
        self._begin()

    async def flush(self) -> None:
        """Wait until everything that was handed over is written or has failed once more."""
        if self._waiting:
            self._begin()
        while self._task is not None and not self._task.done():
            await asyncio.wait({self._task})

    def write_now(self) -> None:
        """Write everything that is not known to be durable, from synchronous code. Blocks.

        For ways out that cannot wait. What a thread has in hand is written twice, perhaps; that does no harm.

        Raises:
            OSError: It could not be written.
        """
        records = [record for record, _ in (*self._in_hand, *self._waiting)]
        self._waiting = []
        self.manifest.append(records)

    def _begin(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        while self._waiting:
            self._in_hand, self._waiting = self._waiting, []
            try:
                await asyncio.to_thread(self.manifest.append, [record for record, _ in self._in_hand])
            except OSError as error:
                self._keep()
                self.failed(f"{self.manifest.path} cannot be written: {error.strerror or error}")
                return
            done, self._in_hand = self._in_hand, []
            _tell(done)

    def _keep(self) -> None:
        """Keep records for the next attempt; whoever waits for them is told now."""
        kept = [*self._in_hand, *self._waiting]
        self._in_hand = []
        self._waiting = [(record, None) for record, _ in kept]
        _tell(kept)


def _tell(entries: list[_Entry]) -> None:
    for _, told in entries:
        if told is not None:
            told()
