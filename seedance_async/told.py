"""What hooks are told of one download, whichever way it ends."""

import asyncio
from types import TracebackType
from typing import Self

from attrs import define, field

from seedance_async.errors import DownloadError
from seedance_async.file_events import DownloadEnded, DownloadProgress, DownloadStarted
from seedance_async.hooks import Hooks


@define(eq=False)
class ToldDownload:
    """Tells the hooks of a download, from entering to leaving.

    Attributes:
        path: The file; None for a stream.
        size: Bytes that are there.
        left_early: Whether it is a stream that was left before its end.
    """

    _hooks: Hooks
    _task_id: str
    path: str | None
    size: int = field(init=False, default=0)
    left_early: bool = field(init=False)
    _began_at: float = field(init=False, default=0.0)

    def __enter__(self) -> Self:
        self.left_early = self.path is None
        self._began_at = asyncio.get_running_loop().time()
        if self._hooks:
            self._hooks.call(DownloadStarted(self._task_id, self.path))
        return self

    def progress(self, written: int, total: int | None) -> None:
        """Tell that more was written."""
        self.size = written
        if self._hooks:
            self._hooks.call(DownloadProgress(self._task_id, self.path, written, total))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not self._hooks:
            return
        outcome, reason = "complete", None
        if isinstance(error, DownloadError):
            outcome, reason = "failed", str(error)
        elif self.left_early or isinstance(error, asyncio.CancelledError | GeneratorExit):
            outcome = "cancelled"
        elif error is not None and self.path is not None:
            outcome, reason = "failed", type(error).__name__
        seconds = asyncio.get_running_loop().time() - self._began_at
        self._hooks.call(DownloadEnded(self._task_id, self.path, outcome, self.size, seconds, reason))
