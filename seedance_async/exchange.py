"""One create, from intent to a known end: the only loop that repeats requests.

The loop asks the core what to do after each answer and does it. Before each create its intent is written down. It
waits in three places, for that, on the wire and before a repeat; a cancellation in any of them ends it with a decision,
never with a create whose fate nobody notes.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable

from attrs import define, field

from seedance_async.callbacks import Callbacks
from seedance_async.core.answers import Answer, Cause, NoAnswer, Reply, without_callback
from seedance_async.core.outcome import Outcome, Rejected, classify
from seedance_async.core.request import Request
from seedance_async.core.retry import Decision, GiveUp, Rand, RepeatAfter, RetryPolicy, Unreached, after_create
from seedance_async.core.wire import DurationForm, create_body, is_duration_type_complaint
from seedance_async.errors import BadRequestError, JournalError, OutcomeUnknownError
from seedance_async.events import PossibleDouble
from seedance_async.hooks import Hooks
from seedance_async.job import Job
from seedance_async.journal.entries import Entries
from seedance_async.telling import attempt_ended
from seedance_async.transport import SendMark, Transport

_to_json = json.JSONEncoder(separators=(",", ":")).encode

_CLOSED = Cause("closed", "the session closed before the answer came")


@define(eq=False)
class Exchange:
    """Creates of one session.

    Attributes:
        entries: Where intents are written down.
        callbacks: Where creates get the session's callback URLs from, if it has any.
        duration_form: How durations are written; None for the catalogue's way. Turned once the service has complained
            about its type, and kept for the session.
        creates: How many creates left, or tried to.
    """

    transport: Transport
    retry: RetryPolicy
    rand: Rand
    hooks: Hooks
    entries: Entries = field(factory=Entries)
    callbacks: Callbacks | None = None
    duration_form: DurationForm | None = None
    creates: int = 0

    async def create(
        self,
        job: Job,
        request: Request,
        *,
        heard: Callable[[Job, Outcome], None],
        pause: Callable[[Job, float], Awaitable[bool]],
    ) -> Decision:
        """Send the create of a job until it is decided.

        Args:
            job: The job; its slot is held.
            request: What to send.
            heard: Told every outcome, before anything else happens.
            pause: Waits so many seconds, and longer while the service is not reached; returns whether the job is
                still to be sent.

        Cancellation: returns a decision all the same; what may have been sent is unknown, the rest was not sent.
        """
        turned, loop = False, asyncio.get_running_loop()
        while True:
            form = self.duration_form or request.spec.wire.duration
            mark = SendMark()
            left: float | None = None
            reply: Reply
            try:
                await self.entries.intend(job)
                if job.claims <= 0:
                    return Unreached("nobody wants it any more")
                self.creates += 1
                callback_url = None if self.callbacks is None else self.callbacks.url_for(job, request)
                job.attempts += 1
                left = loop.time()
                reply = await self.transport.create(_encode(job, request, form, callback_url), mark)
                reply = without_callback(reply, request.inputs.callback_url or callback_url)
                closed = False
            except JournalError as error:
                return GiveUp(error)
            except asyncio.CancelledError:
                reply, closed = NoAnswer(sent=mark.is_set, cause=_CLOSED), True
            outcome = classify(reply, self.transport.key.source)
            heard(job, outcome)
            if self.hooks and left is not None:
                self.hooks.call(attempt_ended(job, outcome, reply, loop.time() - left))
            if not turned and isinstance(reply, Answer) and _complains_about_duration(reply, outcome):
                # Nothing is charged for a 400, so this is the one refusal that is worth a second create.
                turned = True
                self.entries.superseded(job, outcome)
                self.duration_form = "integer" if form == "string" else "string"
                continue
            decision = after_create(
                outcome,
                repeats=job.repeats,
                policy=self.retry,
                rand=self.rand,
                credits=request.credits,
                key=job.key,
            )
            if closed or not isinstance(decision, RepeatAfter):
                return decision
            if not await _goes_on(job, pause(job, decision.delay)):
                return GiveUp(OutcomeUnknownError(decision.reason, request.credits, job.key), unknown=True)
            job.repeats += 1
            self.entries.superseded(job, outcome)
            self.hooks.call(PossibleDouble(job.key, decision.reason, request.credits))


async def _goes_on(job: Job, pause: Awaitable[bool]) -> bool:
    """Wait before a create is repeated; return whether it is: not where a webhook has told its task meanwhile."""
    callback = job.callback
    if callback is not None:
        callback.doubted = True
    try:
        go_on = await pause
    except asyncio.CancelledError:
        return False
    return go_on and not (callback is not None and callback.confirmed)


def _encode(job: Job, request: Request, form: DurationForm, callback_url: str | None) -> bytes:
    return _to_json(create_body(request, form, callback_url, job.urls)).encode("ascii")


def _complains_about_duration(reply: Answer, outcome: Outcome) -> bool:
    refused = isinstance(outcome, Rejected) and isinstance(outcome.error, BadRequestError)
    return refused and is_duration_type_complaint(reply.body)
