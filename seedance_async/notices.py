"""What a session makes of deliveries: it looks at the task they speak of, and believes the answer.

1. A delivery about a task that runs brings the next poll of that task forward, see `core.haste` and `poller`.
2. One about a task that is not known yet, or whose id is on its way into the journal, is remembered while a create is
   on the wire, see `core.early`; with a token that fits, by the job itself.
3. One with a token that fits a create of unknown outcome may settle it, see `settling`; so may one that fits a create
   that is to be repeated, because it was answered 500.
4. One about a job with a callback URL of its own has to come to that URL.
5. Nothing else changes, whatever a delivery says.
"""

from attrs import define, field

from seedance_async.callbacks import Callbacks
from seedance_async.core.delivery import Delivery
from seedance_async.core.early import Early
from seedance_async.core.haste import Haste
from seedance_async.core.lifecycle import State
from seedance_async.job import Job
from seedance_async.planner import Planner
from seedance_async.poller import Poller
from seedance_async.register import Register
from seedance_async.settling import Hint, Settling


@define(eq=False)
class Notices:
    """Takes the deliveries of one open session."""

    register: Register
    poller: Poller
    planner: Planner
    callbacks: Callbacks
    settling: Settling
    _early: Early = field(init=False, factory=Early)

    def notify(self, delivery: Delivery, token: str | None) -> None:
        """Take a delivery."""
        task_id, now = delivery.task_id, self.register.now()
        job = self.register.tasks.get(task_id)
        if job is not None and not job.noting:
            if self.callbacks.vouches(job, token):
                self._look(job, ended=delivery.ended)
            if job.request is not None:
                return
        if token and self._tells(task_id, token):
            return
        self.planner.arrivals.came(task_id, now)
        if self.register.on_wire and (job is None or job.noting):
            self._early.remember(task_id, token, now)

    def accepted(self, job: Job) -> None:
        """Begin to watch a task that was accepted, at once if a delivery about it came before."""
        self.poller.add(job)
        assert job.task_id is not None
        self.callbacks.forget(job)
        early = self._early.take(job.task_id, self.register.now())
        told = job.callback is not None and job.callback.told is not None and job.callback.told[0] == job.task_id
        if told or (early is not None and self.callbacks.vouches(job, early[0])):
            self._look(job, ended=True)

    def unknown(self, job: Job) -> None:
        """Look into what a delivery told of a job whose create turns out to have an unknown outcome."""
        callback = job.callback
        if callback is not None and callback.told is not None:
            task_id, token = callback.told
            self.settling.begin(Hint(task_id, token, job.key, job))

    def _tells(self, task_id: str, token: str) -> bool:
        """Take in a task id with the token of a create that is on the wire, or whose outcome is unknown."""
        job = self.callbacks.job_of(token)
        key = self.callbacks.recorded_key_of(token) if job is None else job.key
        if key is None:
            return False
        if job is None or job.state is State.UNKNOWN:
            self.settling.begin(Hint(task_id, token, key, job))
        elif job.callback is not None:
            job.callback.told = task_id, token
            if job.callback.doubted:
                self.settling.begin(Hint(task_id, token, key, job))
        return True

    def _look(self, job: Job, *, ended: bool) -> None:
        register = self.register
        register.counts.deliveries += 1
        now = register.now()
        if job.callback is not None:
            job.callback.heard_at = now
        if job.haste is None:
            job.haste = Haste()
        moment = job.haste.heard(now, job.asked_at, ended=ended)
        self.poller.hasten(job, moment)
