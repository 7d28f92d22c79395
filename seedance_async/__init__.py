"""Async-first SDK for generating video with Seedance 2.0 through the Kinovi API.

    async with AsyncSeedance() as seedance:
        result = await seedance.generate("a lake at dawn", duration=8)
        path = await seedance.download(result, "lake.mp4")

Start with `AsyncSeedance`. `seedance_async.errors` draws the tree of errors.
"""

import logging
from typing import TYPE_CHECKING, Any

from seedance_async._version import __version__
from seedance_async.completed import as_completed
from seedance_async.core.catalogue import Catalogue
from seedance_async.core.inputs import ImageToVideo, Inputs, OmniReference, TextToVideo, VideoEdit, VideoExtend
from seedance_async.core.lifecycle import State as JobState
from seedance_async.core.polling import FixedPolling, Look, Polling, PollingPolicy
from seedance_async.core.pricing import Quote
from seedance_async.core.prior import Prior
from seedance_async.core.record import Attempt, JobCredits, JobRecord
from seedance_async.core.results import Output, TaskFault, TaskSnapshot, VideoResult
from seedance_async.core.retry import RetryPolicy
from seedance_async.core.spec import ModelSpec
from seedance_async.errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    BudgetExceededError,
    ConcurrencyLimitError,
    ConfigurationError,
    ConnectionFailedError,
    DeliveryError,
    DownloadError,
    InputError,
    InsufficientCreditsError,
    JournalError,
    KeyConflictError,
    OutcomeUnknownError,
    PermissionDeniedError,
    Problem,
    QueueFullError,
    SeedanceError,
    ServerError,
    SessionClosedError,
    SlotTimeoutError,
    TaskFailedError,
    TaskNotFoundError,
    TaskTimeoutError,
    UploadError,
    WithdrawnError,
)
from seedance_async.events import (
    Accepted,
    Attached,
    AttemptEnded,
    Drift,
    Finished,
    GateClosed,
    GateOpened,
    HookEvent,
    LimitChanged,
    PollEnded,
    PossibleDouble,
    Queued,
    Refusal,
    SessionBegun,
    SessionEnded,
    SlotAcquired,
    SlotGivenUp,
    StatusChanged,
    Unclaimed,
    WaitEnded,
)
from seedance_async.file_events import DownloadEnded, DownloadProgress, DownloadStarted, Uploaded
from seedance_async.groups import GroupStatistics
from seedance_async.handle import Estimate, TaskHandle
from seedance_async.hooks import Hook
from seedance_async.items import Item, Items
from seedance_async.journal.book import JobBook, PlannedJob
from seedance_async.journal.protocol import Journal
from seedance_async.session import AsyncSeedance
from seedance_async.settings import Timeouts
from seedance_async.slots import Slots, SlotStatistics
from seedance_async.statistics import SessionStatistics

if TYPE_CHECKING:
    from seedance_async.journal.sqlite import SqliteJournal
    from seedance_async.streaming import VideoStream

__all__ = [
    "Accepted",
    "ApiError",
    "AsyncSeedance",
    "Attached",
    "Attempt",
    "AttemptEnded",
    "AuthenticationError",
    "BadRequestError",
    "BudgetExceededError",
    "Catalogue",
    "ConcurrencyLimitError",
    "ConfigurationError",
    "ConnectionFailedError",
    "DeliveryError",
    "DownloadEnded",
    "DownloadError",
    "DownloadProgress",
    "DownloadStarted",
    "Drift",
    "Estimate",
    "Finished",
    "FixedPolling",
    "GateClosed",
    "GateOpened",
    "GroupStatistics",
    "Hook",
    "HookEvent",
    "ImageToVideo",
    "InputError",
    "Inputs",
    "InsufficientCreditsError",
    "Item",
    "Items",
    "JobBook",
    "JobCredits",
    "JobRecord",
    "JobState",
    "Journal",
    "JournalError",
    "KeyConflictError",
    "LimitChanged",
    "Look",
    "ModelSpec",
    "OmniReference",
    "OutcomeUnknownError",
    "Output",
    "PermissionDeniedError",
    "PlannedJob",
    "PollEnded",
    "Polling",
    "PollingPolicy",
    "PossibleDouble",
    "Prior",
    "Problem",
    "QueueFullError",
    "Queued",
    "Quote",
    "Refusal",
    "RetryPolicy",
    "SeedanceError",
    "ServerError",
    "SessionBegun",
    "SessionClosedError",
    "SessionEnded",
    "SessionStatistics",
    "SlotAcquired",
    "SlotGivenUp",
    "SlotStatistics",
    "SlotTimeoutError",
    "Slots",
    "SqliteJournal",
    "StatusChanged",
    "TaskFailedError",
    "TaskFault",
    "TaskHandle",
    "TaskNotFoundError",
    "TaskSnapshot",
    "TaskTimeoutError",
    "TextToVideo",
    "Timeouts",
    "Unclaimed",
    "UploadError",
    "Uploaded",
    "VideoEdit",
    "VideoExtend",
    "VideoResult",
    "VideoStream",
    "WaitEnded",
    "WithdrawnError",
    "__version__",
    "as_completed",
]

# Without any handler Python prints warnings to stderr, which is the application's.
logging.getLogger("seedance_async").addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    # Loaded when they are asked for: they need aiohttp and SQLite, and the import of this package does not.
    if name == "VideoStream":
        from seedance_async.streaming import VideoStream  # noqa: PLC0415

        return VideoStream
    if name == "SqliteJournal":
        from seedance_async.journal.sqlite import SqliteJournal  # noqa: PLC0415

        return SqliteJournal
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
