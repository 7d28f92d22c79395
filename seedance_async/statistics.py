"""What a session has done so far, in numbers."""

from collections.abc import Mapping
from decimal import Decimal

from attrs import define, frozen

from seedance_async.groups import GroupStatistics


@define
class Counts:
    """The counters of a session, kept as it works."""

    accepted: int = 0
    refusals: int = 0
    unknown: int = 0
    polls: int = 0
    polls_failed: int = 0
    succeeded: int = 0
    failed: int = 0
    deliveries: int = 0


@frozen
class SessionStatistics:
    """A session at one moment.

    Attributes:
        limit: Slots, as far as known.
        in_progress: Slots held; attached tasks may make it more than the limit.
        on_wire: Slots whose create is on the wire.
        waiting: Jobs that wait for a slot.
        foreign: Slots that others use, as far as known and recent.
        pending: Tasks accepted and not yet seen to end.
        creates: Creates that left, or tried to.
        accepted: Creates the service accepted.
        refusals: Creates answered with 429; not charged.
        unknown: Creates whose outcome is not known.
        polls: Polls sent.
        polls_failed: Polls without a proper answer.
        succeeded: Tasks that ended in success.
        failed: Tasks that ended in failure; refunded.
        deliveries: Webhooks that spoke of a task that ran.
        credits_reserved: Credits held for jobs that are queued or run, by list price.
        credits_used: Credits of finished tasks, as the service counted them.
        credits_maybe: Credits of creates whose outcome is not known, by list price.
        groups: The jobs of each group by its name, None for those without one: of every group with a job that waits or
            is in progress, and of the 1,000 that had one last.
        older_groups: What all other groups have cost. Together they are `credits_reserved` and so on.
        gate: `"open"`, or why no create leaves for now.
    """

    limit: int
    in_progress: int
    on_wire: int
    waiting: int
    foreign: int
    pending: int
    creates: int
    accepted: int
    refusals: int
    unknown: int
    polls: int
    polls_failed: int
    succeeded: int
    failed: int
    deliveries: int
    credits_reserved: Decimal
    credits_used: Decimal
    credits_maybe: Decimal
    groups: Mapping[str | None, GroupStatistics]
    older_groups: GroupStatistics
    gate: str
