"""What the user wants of one run over a folder, beside the rows."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from attrs import field, frozen

from seedance_async.core.frozen import EMPTY
from seedance_async.core.order import Order

RetryFailed = Literal["no", "again", "all"]
"""Which failed jobs get another attempt: none; those that may come out differently (the service's own failures,
references that could not be fetched, unknown reasons); all, those that moderation or a check refused included."""

OnDrift = Literal["stop", "go"]


@frozen(kw_only=True)
class RunOptions:
    """What one run does beyond the rows that were never accepted.

    Attributes:
        retry_failed: Which failed jobs get another attempt. Money: failed tasks are refunded.
        resubmit_unknown: Send again what was sent and whose answer was lost. Money: may be paid twice.
        redo_changed: Make rows anew whose inputs changed after their video was paid for, as the next variant.
        reroll: Ids or keys of which the next variant is made; a key may be shortened to a beginning that fits no other.
        reroll_fields: Fields of the inputs that these variants have instead of the row's own.
        limit: Submit at most so many of the rows that are still to be done, in the order of the file.
        only: Submit only rows with these ids or keys; `*`, `?` and `[...]` stand for parts of an id.
        order: In which order rows are started: that of the file, or those first that usually take longest.
        attempts: How often a task is made that the service fails for reasons of its own and refunds.
        wait_for_credits: Go on after a 402: try one row every ten minutes until there are credits.
        on_drift: Whether a server that charges or delivers something else than planned stops the submitting.
        overwrite: Replace files that stand where videos go and are none of this folder's jobs.
        budget: The budget of the session, to be written down for a run without the batch file. The session holds it.
    """

    retry_failed: RetryFailed = "no"
    resubmit_unknown: bool = False
    redo_changed: bool = False
    reroll: tuple[str, ...] = ()
    reroll_fields: Mapping[str, object] = field(default=EMPTY)
    limit: int | None = None
    only: tuple[str, ...] = ()
    order: Order = "source"
    attempts: int = 3
    wait_for_credits: bool = False
    on_drift: OnDrift = "stop"
    overwrite: bool = False
    budget: Decimal | None = None


DEFAULT_OPTIONS = RunOptions()
