"""The session: one account's slots, from one event loop."""

from collections.abc import Callable, Iterable, Mapping
from typing import cast

from attrs import define, evolve

from seedance_async.contents import look
from seedance_async.core.inputs import INPUT_CLASSES, Inputs
from seedance_async.core.names import shown
from seedance_async.core.order import Order
from seedance_async.core.polling import Polling
from seedance_async.core.pricing import Quote
from seedance_async.core.pricing import quote as quote_inputs
from seedance_async.errors import ConfigurationError, InputError, Problem
from seedance_async.handle import TaskHandle
from seedance_async.intake import Intake
from seedance_async.items import Items, Sources
from seedance_async.job import Job
from seedance_async.job_options import JobOptions
from seedance_async.map_order import check_names, in_order
from seedance_async.map_run import Run
from seedance_async.submitting import Submitting


class AsyncSeedance(Submitting):
    """A session with the service: submits tasks, keeps the account's slots full, and watches every task to its end.

    Use it as `async with AsyncSeedance() as seedance:`, or call `await open()` and `await aclose()`, which may run in
    different tasks. One session belongs to one event loop and one process.

    Args:
        api_key: The key, or a callable that is asked for it before each request. By default the environment variable
            `KINOVI_API_KEY`, else `SEEDANCE_API_KEY`.
        base_url: Where the API is. By default `SEEDANCE_BASE_URL`, else the service's own.
        concurrency: The most tasks in progress at a time. `"auto"` starts with 5 and finds the account's limit.
        slots: Slots of your own, in place of those of this process.
        journal: A path for a SQLite file, or a `Journal` of your own: keys, task ids and what they cost survive this
            process. By default they last as long as the session. See `resume`.
        callback_url: Where the service says that a task has ended: `CallbackUrls`, or one http(s) URL for all tasks; a
            `callback_url` of the inputs wins. What comes there goes to `notify`, and tasks are polled far less while it
            comes; see `seedance_async.webhooks`.
        catalogue: The published contract to check and price inputs by. By default `SEEDANCE_CATALOGUE`, else
            `Catalogue.CLASSIC`.
        retry: How to deal with failures of the service.
        polling: When to look at tasks.
        timeouts: How long to wait for what.
        budget: The most credits this session may reserve, by list price, or, with a journal, all sessions with this
            journal together; creates whose outcome is unknown count as spent. None for no limit.
        max_waiting: The most jobs that may wait for a slot; one more is refused with `QueueFullError`. None for no
            limit.
        max_waiting_per_group: The most of one group that may wait. None for no limit.
        proxy: An HTTP proxy for everything; by default the one that the environment names.
        ssl: A context with a certificate authority of your own, for everything.
        http_session: A client session for polls and files, which stays yours: close it after this one. Its own `ssl`
            holds for polls and files, and its own proxy for files. Creates use one of our own always: a
            middleware, a cookie or a kept-alive connection of yours could send a create twice.
        hooks: Callables that are told what happens, see `seedance_async.hooks`.

    Raises:
        ConfigurationError: An argument or the environment is wrong, or there is no key.
    """

    def map(
        self,
        inputs: Sources,
        *,
        ordered: bool = False,
        order: Order = "source",
        window: int | None = None,
        attempts: int = 1,
        group: str | None = None,
        polling: Polling | None = None,
        retry_failed: bool = False,
        resubmit_unknown: bool = False,
        **fields: object,
    ) -> Items:
        """Generate many videos: `async with seedance.map(inputs) as items:` and `async for item in items:`.

        Args:
            inputs: Prompts, inputs objects, or `(key, inputs)` pairs, from any iterable or async iterable.
            ordered: Yield in the order of the source. A slow first task then holds back what finished after it, and
                the pulling once the window is full.
            order: `"longest-first"` starts the inputs first that usually take longest, so that fewer slots stand empty
                at the end; where not everything fits into the budget, the order of the source stays. It reads all
                inputs at once. `index` is the place in the source all the same.
            window: Most inputs under way or waiting to be collected; by default four times the slots, at least 64.
            attempts: Tries for an input whose task failed for `kind="server"`; such tasks are refunded.
            group: Of all these jobs, as in `enqueue`.
            polling: When to look at these tasks.
            retry_failed: For every input with a key, as in `enqueue`.
            resubmit_unknown: For every input with a key, as in `enqueue`. Money: may be paid twice.
            fields: Input fields for every input, as in `enqueue`.

        Yields:
            An `Item` for each input. Failures are data; an input that is wrong is an item with an `InputError`.

        Raises:
            InputError: A name in `fields` is no input field, or `inputs` is a single one or a mapping.
            ConfigurationError: `window` or `attempts` is no whole number from 1 on, or `order` is none or goes with
                neither `ordered` nor an async iterable.
            SeedanceError: While iterating, after what runs was yielded: what concerns every input (401, 402, 403 for
                the account, the budget, a service that was never reached, a journal that cannot be written).

        Concurrency: no input is pulled while as many jobs wait as may (`max_waiting`, `max_waiting_per_group`). One
            that an async iterable gives late enters all the same, and so does another attempt.

        Cancellation: leaving stops the pulling and withdraws what is queued; running tasks are in `pending`.
        """
        intake = self._live()
        if isinstance(inputs, (str, bytes, Mapping, *INPUT_CLASSES)):
            message = "must be an iterable of inputs: put a single one into a list, and give a mapping's .items()"
            raise InputError([Problem("inputs", message, shown(cast("object", inputs)))])
        check_names(fields, self._catalogue)
        if not _is_count(attempts) or (window is not None and not _is_count(window)):
            raise ConfigurationError("map: attempts and window are whole numbers from 1 on")
        options = JobOptions(
            group=group,
            polling=polling,
            retry_failed=retry_failed,
            resubmit_unknown=resubmit_unknown,
            patient=True,
            exempt=True,
        )
        left = intake.opened.register.budget.left
        inputs, places = in_order(inputs, order, fields, self._catalogue, left, ordered=ordered)
        run = Run(
            inputs,
            _MapSubmitter(self._live, intake, fields, options, window),
            ordered,
            attempts,
            places,
        )
        self._runs.add(run)
        return Items(run)

    def quote(self, inputs: str | Inputs | Iterable[str | Inputs]) -> Quote:
        """Check inputs and return what they cost by list price. Needs no open session and sends nothing.

        Raises:
            InputError: With the problems of all inputs, each with its index.
        """
        return quote_inputs(inputs, self._catalogue, look)


@define(eq=False)
class _MapSubmitter:
    """What `map` asks of the session."""

    _live: Callable[[], Intake]
    _intake: Intake
    _fields: Mapping[str, object]
    _options: JobOptions
    _window: int | None

    def start(self, source: str | Inputs, key: str | None, *, again: bool) -> Job:
        options = evolve(self._options, key=key)
        if again:
            options = evolve(options, retry_failed=True, resubmit_unknown=False)
        return self._live().start(source, self._fields, options)

    def handle(self, job: Job) -> TaskHandle:
        return self._intake.handle(job)

    def is_full(self) -> bool:
        return self._intake.opened.admission.is_full(self._options.group)

    async def room(self) -> None:
        await self._intake.opened.admission.room(self._options.group)

    def withdraw(self, job: Job) -> object:
        return self._intake.give_up(job)

    def window(self) -> int:
        return self._window or max(64, 4 * self._intake.opened.register.slots.statistics().limit)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
