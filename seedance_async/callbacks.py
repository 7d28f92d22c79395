"""The callback URLs of one session's creates, and which job a token belongs to."""

import secrets
from hashlib import sha256
from typing import Final
from weakref import WeakValueDictionary

from attrs import define, field

from seedance_async.clock import wall_now
from seedance_async.core.callback import Callback, Sent, attempt_name, unknown_creates
from seedance_async.core.callback_urls import CallbackUrls
from seedance_async.core.lifecycle import State
from seedance_async.core.request import Request
from seedance_async.job import Job
from seedance_async.journal.entries import Entries

_AGAIN: Final = frozenset({State.QUEUED, State.SENDING})


@define(eq=False)
class Callbacks:
    """Makes callback URLs for one open session and knows them again.

    Attributes:
        given: What the session was given; None for no callbacks.
    """

    given: CallbackUrls | str | None = field(repr=False)
    entries: Entries
    # Jobs by a digest of their token, so that a look into the table tells nothing of how much of a token was right.
    _jobs: WeakValueDictionary[bytes, Job] = field(init=False, factory=WeakValueDictionary[bytes, Job])
    _recorded: dict[bytes, str] | None = field(init=False, default=None)

    def url_for(self, job: Job, request: Request) -> str | None:
        """Return the URL that a create of a job leaves with; None where the session adds none.

        The intent of the create is written down already. A URL of the inputs' own wins: then the session expects no
        webhook, and polls as if there were none.
        """
        if self.given is None or request.inputs.callback_url is not None:
            return None
        callback = job.callback = job.callback or Callback()
        if isinstance(self.given, str):
            return self.given
        sent = self._name(job)
        callback.leaves(sent)
        for token in self.given.tokens(job.key, sent.name):
            self._jobs[_digest(token)] = job
        return self.given.url(job.key, sent.name)

    def vouches(self, job: Job, token: str | None) -> bool:
        """Whether a delivery about a job's task may be listened to.

        One for a job with a URL of its own came to that URL, or the application vouches for it by giving no token.
        """
        if token is None or job.callback is None or not job.callback.sent or not isinstance(self.given, CallbackUrls):
            return True
        return self._fits(token, job.key, job.callback.sent)

    def job_of(self, token: str) -> Job | None:
        """Return the job of this session that a token belongs to, if its create was not yet answered for good."""
        job = self._jobs.get(_digest(token))
        return job if job is not None and self.vouches(job, token) else None

    def creates_of(self, token: str, job: Job | None, key: str) -> tuple[Sent, ...]:
        """Return the creates of unknown outcome that a token may tell of: those of a key, if it is one of theirs."""
        keeper = self.entries.keeper
        record = None if keeper is None else keeper.records.get(key)
        callback = None if job is None else job.callback
        # One that is to be sent again, or on the wire again, has no unknown outcome yet, but a create that has.
        again = job is not None and job.state in _AGAIN and callback is not None and callback.doubted
        if record is not None:
            sent = unknown_creates(record) if again or record.state is State.UNKNOWN else ()
        elif job is not None and callback is not None and (again or job.state is State.UNKNOWN):
            sent = callback.sent
        else:
            sent = ()
        return tuple(each for each in sent if self._fits(token, key, (each,)))

    def recorded_key_of(self, token: str) -> str | None:
        """Return the key of the journal whose create, unknown since a session before, a token belongs to."""
        if not isinstance(self.given, CallbackUrls):
            return None
        if self._recorded is None:
            self._recorded = {}
            keeper = self.entries.keeper
            for record in () if keeper is None else keeper.records.values():
                if record.state is State.UNKNOWN:
                    for sent in unknown_creates(record):
                        for each in self.given.tokens(record.key, sent.name):
                            self._recorded[_digest(each)] = record.key
        return self._recorded.get(_digest(token))

    def forget(self, job: Job) -> None:
        """Forget the tokens of a job whose task is known."""
        if job.callback is not None and isinstance(self.given, CallbackUrls):
            for sent in job.callback.sent:
                for token in self.given.tokens(job.key, sent.name):
                    self._jobs.pop(_digest(token), None)

    def _fits(self, token: str, key: str, creates: tuple[Sent, ...]) -> bool:
        assert isinstance(self.given, CallbackUrls)
        fits = False
        for sent in creates:
            fits |= self.given.check(token, key, sent.name)
        return fits

    def _name(self, job: Job) -> Sent:
        keeper = self.entries.keeper
        last = keeper.records[job.key].last if keeper is not None and job.journalled else None
        if last is not None:
            return Sent(attempt_name(last), last.intent_at)
        # Without a journal a key lasts as long as the session, and so does this name.
        return Sent(secrets.token_hex(8), wall_now())


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "replace")).digest()
