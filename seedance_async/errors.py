"""Every error of this package, sorted by whose fault it is and whether money may be gone.

SeedanceError
├── ConfigurationError        the session or the environment is set up wrongly
├── InputError                inputs the service would refuse or bill for nothing; nothing was sent
├── BudgetExceededError       the request does not fit into the session's budget; nothing was sent
├── KeyConflictError          the key already stands for other inputs; nothing was sent
├── QueueFullError            as many jobs wait as may; carries `retry_after`
├── SlotTimeoutError          no slot came free within `timeout`; the job was withdrawn (also a TimeoutError)
├── WithdrawnError            `handle.cancel()` took the job back before anything was sent
├── ConnectionFailedError     the service was not reached; nothing was sent
├── SessionClosedError        the session ended first; carries the ids of tasks that still run
├── OutcomeUnknownError       a create left, and no answer says whether it was accepted
├── TaskFailedError           the service accepted the task and ended it with `fail`; refunded
├── TaskTimeoutError          the task has not ended by its deadline; it may still (also a TimeoutError)
├── UploadError               a file could not be uploaded; the job that needs it was not sent
├── DownloadError             a finished video could not be saved; it can be fetched again
├── JournalError              the journal cannot be opened or written; nothing is sent that was not written down
├── DeliveryError             what came to a callback URL is no delivery of the service
└── ApiError                  the service answered with an HTTP error
    ├── BadRequestError           400, carries `problems`
    ├── AuthenticationError       401
    ├── InsufficientCreditsError  402, carries `required` and `available`
    ├── PermissionDeniedError     403
    ├── TaskNotFoundError         404
    ├── ConcurrencyLimitError     429, carries `limit` and `current`
    └── ServerError               5xx

Each carries `charged`: `"no"`, `"yes"` or `"maybe"`, the answer to "are credits gone because of this?". A failed
task is `"no"`: the service refunds it in full. `task_id` and `key` are set where the error belongs to one task
or job.

All arguments are positional and reach `Exception.__init__`, so that pickle and copy keep them.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from attrs import frozen

Charged = Literal["no", "yes", "maybe"]
FailureKind = Literal["moderation", "reference", "input", "server", "unknown"]


@frozen
class Problem:
    """One thing that is wrong with an input.

    Attributes:
        path: Where, in the names of the Python inputs: `"aspect_ratio"`, `"images[2]"`, `"prompt"`.
        message: What is wrong and what is allowed, as a sentence without the path.
        given: What was given, shortened and with secrets removed, or None where nothing was.
        suggestion: The name or value that was probably meant, if one is near.
    """

    path: str
    message: str
    given: str | None = None
    suggestion: str | None = None

    def __str__(self) -> str:
        given = "" if self.given is None else f" (given: {self.given})"
        hint = "" if self.suggestion is None else f"; did you mean {self.suggestion!r}?"
        return f"{self.path}: {self.message}{given}{hint}"


class SeedanceError(Exception):
    """Base of every error that this package raises on purpose."""

    charged: Charged = "no"
    task_id: str | None = None
    key: str | None = None


class ConfigurationError(SeedanceError):
    """The session or its environment is set up wrongly. Nothing was sent."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class InputError(SeedanceError):
    """Inputs that the service would refuse, or would bill while ignoring a part of them. Nothing was sent.

    Attributes:
        problems: Everything that is wrong, each with its path.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        if len(self.problems) == 1:
            return str(self.problems[0])
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        return f"{len(self.problems)} problems with the inputs:\n{lines}"


class BudgetExceededError(SeedanceError):
    """The request does not fit into what is left of the budget. Nothing was sent.

    Attributes:
        required: Credits the request would reserve; None where the price is not known.
        available: Credits left in the budget.
    """

    def __init__(self, required: Decimal | None, available: Decimal) -> None:
        self.required = required
        self.available = available
        super().__init__(required, available)

    def __str__(self) -> str:
        if self.required is None:
            return (
                "the price of this request is not known, so it cannot be held within the budget "
                f"({self.available} credits left); leave out the budget or use priced inputs"
            )
        return f"{self.required} credits are needed and {self.available} are left in the budget"


class QueueFullError(SeedanceError):
    """As many jobs wait as may. Nothing was sent, and nothing was queued.

    Attributes:
        limit: The most that may wait: the session's `max_waiting`, or its `max_waiting_per_group`.
        waiting: How many do. It may be more than the limit: what a journal brings is not refused.
        retry_after: Seconds after which there is probably room, whole ones from 1 on, estimated from the session's own
            slots and how long its tasks take. Somebody else may have taken the room by then.
        of_group: Whether it is the limit of the job's group.
        group: The job's group; None for that of all jobs without one.
    """

    def __init__(
        self,
        limit: int,
        waiting: int,
        retry_after: int,
        of_group: bool = False,  # noqa: FBT001, FBT002 (arguments of errors are positional, so that copies keep them)
        group: str | None = None,
    ) -> None:
        self.limit = limit
        self.waiting = waiting
        self.retry_after = retry_after
        self.of_group = of_group
        self.group = group
        super().__init__(limit, waiting, retry_after, of_group, group)

    def __str__(self) -> str:
        whose = "" if not self.of_group else " without a group" if self.group is None else f" of group {self.group!r}"
        return (
            f"{self.waiting} jobs{whose} wait already, and {self.limit} may; try again in about {self.retry_after} s, "
            "or raise the limit"
        )


class KeyConflictError(SeedanceError):
    """The key already stands for a job with other inputs that runs or has finished. Nothing was sent."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(key)

    def __str__(self) -> str:
        return (
            f"key {self.key!r} already stands for other inputs; use a new key for a new video, "
            "or the same inputs to get the job that runs or has finished"
        )


class SlotTimeoutError(SeedanceError, TimeoutError):
    """No slot came free in time. The job was withdrawn before anything was sent.

    Attributes:
        timeout: The seconds that were allowed.
        position: The job's place in the queue when it was withdrawn; 1 is the next.
    """

    def __init__(self, timeout: float, position: int | None = None) -> None:
        self.timeout = timeout
        self.position = position
        super().__init__(timeout, position)

    def __str__(self) -> str:
        place = "" if self.position is None else f"; it was number {self.position} in the queue"
        return f"no slot came free within {self.timeout:g} s and the job was withdrawn{place}"


class WithdrawnError(SeedanceError):
    """The job was taken back by `cancel()` before anything was sent."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(key)

    def __str__(self) -> str:
        return f"job {self.key!r} was withdrawn before anything was sent"


class ConnectionFailedError(SeedanceError):
    """The service was not reached, so nothing was accepted.

    Attributes:
        reason: What happened, with secrets removed.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)

    def __str__(self) -> str:
        return f"the service was not reached: {self.reason}"


class SessionClosedError(SeedanceError):
    """The session was closed, or its background work ended, before the job did.

    Attributes:
        task_ids: Tasks that were accepted and may still run: `attach` them in a new session.
        reason: Why the session ended, where it was not an ordinary close.
    """

    def __init__(self, task_ids: Sequence[str] = (), reason: str | None = None) -> None:
        self.task_ids = tuple(task_ids)
        self.reason = reason
        if self.task_ids:
            self.charged: Charged = "yes"
        super().__init__(self.task_ids, reason)

    def __str__(self) -> str:
        text = "the session is closed" if self.reason is None else f"the session has ended: {self.reason}"
        if self.task_ids:
            text += f"; still running on the service: {', '.join(self.task_ids)} (attach them in a new session)"
        return text


class OutcomeUnknownError(SeedanceError):
    """A create left and no answer says whether the service accepted it. It is never sent again by itself.

    Attributes:
        reason: What was seen, with secrets removed.
        credits: What it has cost if it was accepted; None where the price is not known.
    """

    charged: Charged = "maybe"

    def __init__(self, reason: str, credits: Decimal | None = None, key: str | None = None) -> None:
        self.reason = reason
        self.credits = credits
        self.key = key
        super().__init__(reason, credits, key)

    def __str__(self) -> str:
        cost = "an unknown number of" if self.credits is None else str(self.credits)
        name = "" if self.key is None else f" for key {self.key!r}"
        return (
            f"the create{name} was sent but its answer was lost ({self.reason}). The task may run and may have cost "
            f"{cost} credits; the service offers no way to find out. Look at the account's page, then submit again "
            "only if you accept that it may be paid a second time (resubmit_unknown=True with the same key)"
        )


class TaskFailedError(SeedanceError):
    """The service accepted the task and ended it with `fail`. Failed tasks are refunded in full.

    Attributes:
        code: The service's code, a string even where it looks like a number; None where none was given.
        message: The service's message.
        kind: What the message is about: `"moderation"`, `"reference"`, `"input"`, `"server"` (worth another try)
            or `"unknown"`.
    """

    def __init__(self, task_id: str, code: str | None, message: str, kind: FailureKind) -> None:
        self.task_id = task_id
        self.code = code
        self.message = message
        self.kind: FailureKind = kind
        super().__init__(task_id, code, message, kind)

    def __str__(self) -> str:
        code = "" if self.code is None else f" [{self.code}]"
        return f"task {self.task_id} failed ({self.kind}){code}: {self.message}"


class TaskTimeoutError(SeedanceError, TimeoutError):
    """The task had not ended when its time was up. It is still watched and stays in `session.pending`.

    Attributes:
        reason: What ended the wait.
    """

    charged: Charged = "yes"

    def __init__(self, task_id: str, reason: str = "its deadline passed") -> None:
        self.task_id = task_id
        self.reason = reason
        super().__init__(task_id, reason)

    def __str__(self) -> str:
        return (
            f"task {self.task_id} was not seen to end: {self.reason}. It is paid for and may still finish; "
            "attach it to wait on"
        )


class UploadError(SeedanceError):
    """A file could not be uploaded. Uploads are free; a job that needs the file was not sent.

    Attributes:
        reason: What happened, with secrets removed.
        path: The file; None for bytes.
    """

    def __init__(self, reason: str, path: str | None = None) -> None:
        self.reason = reason
        self.path = path
        super().__init__(reason, path)

    def __str__(self) -> str:
        what = "the file" if self.path is None else self.path
        return f"{what} was not uploaded: {self.reason}"


class DownloadError(SeedanceError):
    """A finished video could not be saved. The task itself is paid and done; only the file is missing.

    Attributes:
        reason: What happened, with secrets removed.
        path: The file that was to be written, where there was one.
    """

    charged: Charged = "yes"

    def __init__(self, reason: str, path: str | None = None, task_id: str | None = None) -> None:
        self.reason = reason
        self.path = path
        self.task_id = task_id
        super().__init__(reason, path, task_id)

    def __str__(self) -> str:
        target = "the video" if self.path is None else self.path
        name = "" if self.task_id is None else f" (task {self.task_id})"
        return f"{target} was not saved{name}: {self.reason}"


class JournalError(SeedanceError):
    """The journal cannot be opened, read or written. A create whose intent was not written down is not sent.

    With a `task_id` the service accepted a task and its id could not be written down: `charged` is `"yes"`, the task is
    in `session.pending` and watched, and its id is only here and in what was printed.

    Attributes:
        reason: What happened and what can be done.
        path: The journal's file, where it has one.
    """

    def __init__(self, reason: str, path: str | None = None) -> None:
        self.reason = reason
        self.path = path
        super().__init__(reason, path)

    def __str__(self) -> str:
        where = "the journal" if self.path is None else f"the journal {self.path}"
        lost = "" if self.task_id is None else f"; task {self.task_id} was accepted and is not in it: keep this id"
        return f"{where}: {self.reason}{lost}"


class ApiError(SeedanceError):
    """The service answered with an HTTP error.

    Attributes:
        status: The HTTP status.
        message: The service's message, or what could be read of the body.
        body: The decoded JSON body, or None where it was not JSON.
    """

    def __init__(self, status: int, message: str, body: object = None) -> None:
        self.status = status
        self.message = message
        self.body = body
        super().__init__(status, message, body)

    def __str__(self) -> str:
        name = "" if self.task_id is None else f" (task {self.task_id})"
        return f"HTTP {self.status}: {self.message}{name}"


class BadRequestError(ApiError):
    """400: the service refused the inputs. Nothing was charged.

    Attributes:
        problems: The service's own list, each with the service's path; empty where it gave none.
    """

    def __init__(self, status: int, message: str, body: object = None, problems: Sequence[Problem] = ()) -> None:
        super().__init__(status, message, body)
        self.problems = tuple(problems)
        self.args = (status, message, body, self.problems)

    def __str__(self) -> str:
        return "; ".join([super().__str__(), *(str(problem) for problem in self.problems)])


class AuthenticationError(ApiError):
    """401: the key is missing, wrong, inactive or expired. Nothing was charged.

    Attributes:
        source: Where the key came from, such as the name of the environment variable.
    """

    def __init__(self, status: int, message: str, body: object = None, source: str | None = None) -> None:
        super().__init__(status, message, body)
        self.source = source
        self.args = (status, message, body, source)

    def __str__(self) -> str:
        source = "" if self.source is None else f" (the key came from {self.source})"
        return super().__str__() + source


class InsufficientCreditsError(ApiError):
    """402: the account has too few credits. Nothing was charged.

    Attributes:
        required: Credits the request needs; None where the service did not say.
        available: Credits the account has; None where the service did not say.
    """

    def __init__(
        self,
        status: int,
        message: str,
        body: object = None,
        required: Decimal | None = None,
        available: Decimal | None = None,
    ) -> None:
        super().__init__(status, message, body)
        self.required = required
        self.available = available
        self.args = (status, message, body, required, available)

    def __str__(self) -> str:
        return f"{super().__str__()} (required {self.required}, available {self.available})"


class PermissionDeniedError(ApiError):
    """403: the account has no API access, or the task belongs to someone else."""


class TaskNotFoundError(ApiError):
    """404: the service knows no such task."""


class ConcurrencyLimitError(ApiError):
    """429: too many tasks in progress. Nothing was charged. A session waits instead of raising this.

    Attributes:
        limit: Tasks the account may have in progress; None where the service did not say.
        current: Tasks it has; None where the service did not say.
    """

    def __init__(
        self,
        status: int,
        message: str,
        body: object = None,
        limit: int | None = None,
        current: int | None = None,
    ) -> None:
        super().__init__(status, message, body)
        self.limit = limit
        self.current = current
        self.args = (status, message, body, limit, current)


class ServerError(ApiError):
    """5xx: the service or something in front of it failed."""


class DeliveryError(SeedanceError):
    """What came to a callback URL is no delivery of the service.

    Attributes:
        reason: What is wrong with it, as the rest of a sentence; repeats nothing of what was sent.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)

    def __str__(self) -> str:
        return f"the body {self.reason}"


def concerns_everything(error: SeedanceError) -> bool:
    """Whether an error speaks of the key or the account, so that every other request would get it too.

    A 403 speaks of one task if it says "Access denied", and otherwise of the account (contract, section 7).
    """
    if isinstance(error, PermissionDeniedError):
        return "access denied" not in error.message.lower()
    return isinstance(error, AuthenticationError)
