"""What a caller says about a job beside its inputs."""

from attrs import frozen

from seedance_async.core.polling import Polling


@frozen(kw_only=True)
class JobOptions:
    """The options of `enqueue`, which says what each means.

    Attributes:
        key: None for a job without a key of the caller's.
        variant: From 1 on.
        group: None for the group of all jobs without one.
        polling: None for the session's.
        retry_failed: Whether a failed job of the key is tried again.
        resubmit_unknown: Whether a job of the key whose outcome is unknown is sent again.
        patient: Whether the job waits out any outage.
        exempt: Whether it may wait however many do: it was let in before, or its caller has waited for room.
    """

    key: str | None = None
    variant: int = 1
    group: str | None = None
    polling: Polling | None = None
    retry_failed: bool = False
    resubmit_unknown: bool = False
    patient: bool = False
    exempt: bool = False
