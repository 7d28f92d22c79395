"""The life of a session: what it is told, opening, closing, and where it may be used."""

import asyncio
import os
import ssl as ssl_module
import weakref
from collections.abc import Sequence
from decimal import Decimal
from types import TracebackType
from typing import TYPE_CHECKING, Final, Literal, Self

from seedance_async.admission import checked_most_waiting
from seedance_async.core.callback_urls import CallbackUrls, checked_callback_url
from seedance_async.core.catalogue import Catalogue
from seedance_async.core.polling import Polling
from seedance_async.core.retry import RetryPolicy
from seedance_async.errors import ConfigurationError, SessionClosedError
from seedance_async.finding import find_base_url, find_catalogue, find_key
from seedance_async.handle import TaskHandle, handle_of
from seedance_async.hooks import checked_hooks
from seedance_async.intake import Intake
from seedance_async.journal.book import JobBook
from seedance_async.journal.given import checked_journal
from seedance_async.journal.protocol import Journal
from seedance_async.map_run import Run
from seedance_async.settings import (
    KeySource,
    Settings,
    Timeouts,
    checked_budget,
    checked_concurrency,
    checked_http_session,
    checked_polling,
    checked_proxy,
    checked_retry,
    checked_slots,
    checked_ssl,
    checked_timeouts,
)
from seedance_async.slots import Slots

if TYPE_CHECKING:
    import aiohttp

    from seedance_async.hooks import Hook
    from seedance_async.opened import Opened

NOT_OPEN: Final = (
    "the session is not open: use `async with AsyncSeedance(...) as seedance:`, or `await seedance.open()` first"
)


class Lifetime:
    """The part of `AsyncSeedance` that begins and ends it."""

    def __init__(
        self,
        api_key: KeySource | None = None,
        *,
        base_url: str | None = None,
        concurrency: int | Literal["auto"] = "auto",
        slots: Slots | None = None,
        journal: Journal | str | os.PathLike[str] | None = None,
        callback_url: CallbackUrls | str | None = None,
        catalogue: Catalogue | str | None = None,
        retry: RetryPolicy | None = None,
        polling: Polling | None = None,
        timeouts: Timeouts | None = None,
        budget: Decimal | int | str | None = None,
        max_waiting: int | None = None,
        max_waiting_per_group: int | None = None,
        proxy: str | None = None,
        ssl: ssl_module.SSLContext | bool = True,
        http_session: "aiohttp.ClientSession | None" = None,
        hooks: "Sequence[Hook]" = (),
    ) -> None:
        try:
            key = find_key(api_key)
        except ConfigurationError as error:
            raise error.with_traceback(None) from None
        finally:
            # Error trackers keep the locals of every frame: none of ours that an error passes holds the key.
            del api_key
        # The parts that need aiohttp are loaded when the first session is made, and not by `import seedance_async`:
        # a script that checks or prices inputs does without them. Not in `open`: that would hold up the loop.
        from seedance_async.opened import assemble  # noqa: PLC0415

        self._assemble = assemble
        self._catalogue = find_catalogue(catalogue)
        self._settings = Settings(
            key=key,
            base_url=find_base_url(base_url),
            concurrency=checked_concurrency(concurrency),
            slots=checked_slots(slots),
            retry=checked_retry(retry),
            polling=checked_polling(polling),
            timeouts=checked_timeouts(timeouts),
            budget=checked_budget(budget),
            proxy=checked_proxy(proxy),
            ssl=checked_ssl(ssl),
            http_session=checked_http_session(http_session),
            hooks=checked_hooks(hooks),
            journal=checked_journal(journal),
            callback_url=checked_callback_url(callback_url),
            max_waiting=checked_most_waiting("max_waiting", max_waiting),
            max_waiting_per_group=checked_most_waiting("max_waiting_per_group", max_waiting_per_group),
        )
        self._opened: Opened | None = None
        self._intake: Intake | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pid = 0
        self._runs: weakref.WeakSet[Run] = weakref.WeakSet()

    # Life

    async def open(self) -> Self:
        """Begin the background work and open the journal. Connects nowhere yet; `resume` goes on with what is open.

        Raises:
            ConfigurationError: The session was opened before; make a new one.
            JournalError: The journal cannot be opened, another session has it, or its jobs were sent to another
                service.
        """
        if self._opened is not None:
            raise ConfigurationError("a session is opened once; make a new AsyncSeedance for the next time")
        self._loop, self._pid = asyncio.get_running_loop(), os.getpid()
        self._opened = self._assemble(self._settings)
        self._intake = Intake(self._opened, self._catalogue, self._settings.polling)
        self._opened.settling.settle = self._intake.settle
        await self._opened.background.open()
        keeper = self._opened.register.entries.keeper
        if keeper is not None:
            self._opened.register.groups.load(keeper.records.values())
            for record in keeper.records.values():
                self._opened.library.remember(record.inputs)
            self._opened.poller.planner.recall(keeper.records.values(), self._catalogue)
        self._begun()
        return self

    async def aclose(self, timeout: float | None = None) -> None:
        """End the session; harmless when repeated.

        Queued jobs end with `SessionClosedError`; in a journal they stay queued, for the next session. Creates on the
        wire are waited for; the rest of them end with `OutcomeUnknownError`. Running tasks go on at the service: their
        handles raise `SessionClosedError` with their ids, `pending` still lists them, and a new session can `attach`
        them, or with the journal `resume`.

        What is not in the journal yet is written before this returns, if the journal takes it within `timeout`, or
        within ten seconds if that is more: one that hangs is left to itself, and is logged. A task id that cannot be
        written is printed.

        Args:
            timeout: Most seconds to wait for creates on the wire; by default `Timeouts.close`.

        Cancellation: the closing goes on to its end all the same, and the cancellation is raised after it.
        """
        opened = self._opened
        if opened is None:
            return
        self._check_place()
        for run in self._runs:
            run.end(SessionClosedError())
        try:
            await opened.background.close(self._settings.timeouts.close if timeout is None else timeout)
        finally:
            opened.downloads.close()
            opened.uploads.close()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def healthy(self) -> bool:
        """Whether the session is open and its background work runs."""
        return self._opened is not None and self._opened.background.healthy

    @property
    def pending(self) -> tuple[TaskHandle, ...]:
        """Handles of tasks that were accepted and not yet seen to end, whoever holds them; also after closing."""
        if self._opened is None:
            return ()
        register = self._opened.register
        return tuple(handle_of(job, register) for job in register.running if not job.detached)

    @property
    def journal(self) -> JobBook:
        """The jobs of the journal, of this session and those before.

        Raises:
            ConfigurationError: The session has no journal, or was never opened.
        """
        if self._settings.journal is None:
            raise ConfigurationError('the session has no journal: give it one, such as journal="videos.db"')
        if self._opened is None:
            raise ConfigurationError(NOT_OPEN)
        keeper = self._opened.register.entries.keeper
        assert keeper is not None
        return JobBook(keeper, self._catalogue, self._live)

    def _begun(self) -> None:
        """Begin to use the parts that were opened; the session's own work adds what it needs."""

    def _live(self) -> Intake:
        """Return the intake of a session that is open, in its own loop and process."""
        if self._opened is None or self._intake is None:
            raise ConfigurationError(NOT_OPEN)
        self._check_place()
        background = self._opened.background
        if not background.healthy or background.closing:
            raise SessionClosedError([handle.task_id or "" for handle in self.pending], background.crash)
        return self._intake

    def _check_place(self) -> None:
        # First, because a child has no running loop, and that is not what is wrong.
        if os.getpid() != self._pid:
            raise ConfigurationError("this session was opened before a fork; make one session for each process")
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise ConfigurationError(
                "no event loop runs here; call this from a coroutine or a callback of the session's own loop (from "
                "another thread: loop.call_soon_threadsafe or asyncio.run_coroutine_threadsafe)"
            ) from None
        if loop is not self._loop:
            raise ConfigurationError(
                "this session was opened in another event loop; make one session for each loop, inside of it"
            )
