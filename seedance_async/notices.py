"""What a session makes of deliveries: it looks at the task they speak of, and believes the answer.

1. A delivery about a task that runs brings the next poll of that task forward, see `core.haste` and `poller`.
2. One about a task that is not known yet, or whose id is on its way into the journal, is remembered while a create is
   on the wire, see `core.early`.
3. Nothing else changes, whatever a delivery says.
"""

from attrs import define, field

from seedance_async.core.delivery import Delivery
from seedance_async.core.early import Early
from seedance_async.core.haste import Haste
from seedance_async.job import Job
from seedance_async.poller import Poller
from seedance_async.register import Register


@define(eq=False)
class Notices:
    """Takes the deliveries of one open session."""

    register: Register
    poller: Poller
    _early: Early = field(init=False, factory=Early)

    def notify(self, delivery: Delivery, token: str | None) -> None:
        """Take a delivery."""
        job = self.register.tasks.get(delivery.task_id)
        if job is None or job.noting:
            if self.register.on_wire:
                self._early.remember(delivery.task_id, token, self.register.now())
            return
        self._look(job, ended=delivery.ended)

    def accepted(self, job: Job) -> None:
        """Begin to watch a task that was accepted, at once if a delivery about it came before."""
        self.poller.add(job)
        assert job.task_id is not None
        early = self._early.take(job.task_id, self.register.now())
        if early is not None:
            self._look(job, ended=True)

    def _look(self, job: Job, *, ended: bool) -> None:
        register = self.register
        register.counts.deliveries += 1
        now = register.now()
        if job.haste is None:
            job.haste = Haste()
        moment = job.haste.heard(now, job.asked_at, ended=ended)
        self.poller.hasten(job, moment)
