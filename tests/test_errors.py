"""Every error: made, raised, copied, pickled, shown, and where it stands in the tree."""

import copy
import inspect
import pickle
import re
import traceback
from decimal import Decimal
from typing import Any

import pytest

from seedance_async import errors
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

RATIO = Problem("aspect_ratio", "is one of 16:9, 9:16", "'wide'", "16:9")
SEED = Problem("seed", "is a whole number")
BODY = {"message": "No.", "errors": [{"path": ["duration"]}]}

#: One of each class and form: the error, what it shows, `charged`.
SAMPLES: list[tuple[SeedanceError, str, str]] = [
    (ConfigurationError("no API key"), "no API key", "no"),
    (InputError([SEED]), "seed: is a whole number", "no"),
    (InputError([RATIO, SEED]), "2 problems with the inputs:\n  aspect_ratio: ", "no"),
    (InputError([]), "0 problems", "no"),
    (BudgetExceededError(Decimal(200), Decimal(10)), "200 credits are needed and 10 are left in the budget", "no"),
    (BudgetExceededError(None, Decimal(10)), "the price of this request is not known", "no"),
    (KeyConflictError("order-17"), "key 'order-17' already stands for other inputs", "no"),
    (SlotTimeoutError(5.0, 3), "no slot came free within 5 s and the job was withdrawn; it was number 3", "no"),
    (SlotTimeoutError(0.25), "no slot came free within 0.25 s and the job was withdrawn", "no"),
    (WithdrawnError("order-17"), "job 'order-17' was withdrawn before anything was sent", "no"),
    (ConnectionFailedError("refused"), "the service was not reached: refused", "no"),
    (SessionClosedError(), "the session is closed", "no"),
    (SessionClosedError(["task_1", "task_2"]), "still running on the service: task_1, task_2", "yes"),
    (SessionClosedError((), "it crashed"), "the session has ended: it crashed", "no"),
    (OutcomeUnknownError("hang"), "the create was sent but its answer was lost (hang)", "maybe"),
    (OutcomeUnknownError("hang", Decimal(415), "order-17"), "for key 'order-17' was sent", "maybe"),
    (
        TaskFailedError("task_1", "500", "Generation failed.", "server"),
        "task task_1 failed (server) [500]: Generation failed.",
        "no",
    ),
    (TaskFailedError("task_1", None, "No.", "unknown"), "task task_1 failed (unknown): No.", "no"),
    (TaskTimeoutError("task_1"), "task task_1 was not seen to end: its deadline passed", "yes"),
    (TaskTimeoutError("task_1", "20 polls failed"), "was not seen to end: 20 polls failed", "yes"),
    (QueueFullError(100, 120, 40), "120 jobs wait already, and 100 may; try again in about 40 s", "no"),
    (QueueFullError(5, 5, 40, True, "anna"), "5 jobs of group 'anna' wait already, and 5 may", "no"),
    (QueueFullError(5, 5, 40, True), "5 jobs without a group wait already", "no"),
    (UploadError("refused"), "the file was not uploaded: refused", "no"),
    (UploadError("refused", "/tmp/cat.png"), "/tmp/cat.png was not uploaded: refused", "no"),
    (DownloadError("disk full"), "the video was not saved: disk full", "yes"),
    (DownloadError("disk full", "/tmp/a.mp4", "task_1"), "/tmp/a.mp4 was not saved (task task_1): disk full", "yes"),
    (DeliveryError("is no JSON"), "the body is no JSON", "no"),
    (JournalError("the disk is full"), "the journal: the disk is full", "no"),
    (JournalError("is in use", "/tmp/journal.db"), "the journal /tmp/journal.db: is in use", "no"),
    (ApiError(418, "No."), "HTTP 418: No.", "no"),
    (BadRequestError(400, "Unknown model"), "HTTP 400: Unknown model", "no"),
    (BadRequestError(400, "Invalid inputs", BODY, [SEED]), "HTTP 400: Invalid inputs; seed: is a whole number", "no"),
    (AuthenticationError(401, "Invalid API Key"), "HTTP 401: Invalid API Key", "no"),
    (
        AuthenticationError(401, "Invalid API Key", BODY, "the environment variable SEEDANCE_API_KEY"),
        "HTTP 401: Invalid API Key (the key came from the environment variable SEEDANCE_API_KEY)",
        "no",
    ),
    (InsufficientCreditsError(402, "No.", BODY, Decimal(200), Decimal(10)), "(required 200, available 10)", "no"),
    (InsufficientCreditsError(402, "No."), "HTTP 402: No.", "no"),
    (PermissionDeniedError(403, "Access denied", BODY), "HTTP 403: Access denied", "no"),
    (TaskNotFoundError(404, "Task not found"), "HTTP 404: Task not found", "no"),
    (ConcurrencyLimitError(429, "No.", BODY, 3, 3), "HTTP 429: No.", "no"),
    (ConcurrencyLimitError(429, "No."), "HTTP 429: No.", "no"),
    (ServerError(502, "an HTML page"), "HTTP 502: an HTML page", "no"),
]

CLASSES = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, SeedanceError)]


def state(error: BaseException) -> tuple[Any, ...]:
    """Everything that an error carries."""
    return type(error), error.args, vars(error), str(error), repr(error)


def named(sample: Any) -> str:
    """The class of a sample, for the test's name."""
    return type(sample).__name__


samples = pytest.mark.parametrize(
    ("error", "shown", "charged"),
    SAMPLES,
    ids=[f"{type(error).__name__}-{number}" for number, (error, _, _) in enumerate(SAMPLES)],
)


def copies(error: SeedanceError) -> list[SeedanceError]:
    """An error copied and pickled in every way."""
    pickled = [pickle.loads(pickle.dumps(error, protocol)) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    return [copy.copy(error), copy.deepcopy(error), *pickled]


def test_every_class_has_a_sample() -> None:
    """No error is left out here."""
    assert {type(error) for error, _, _ in SAMPLES} | {SeedanceError} == set(CLASSES)


@samples
def test_shown(error: SeedanceError, shown: str, charged: str) -> None:
    """An error reads as a sentence, and says whether credits are gone."""
    assert shown in str(error)
    assert type(error).__name__ in repr(error)
    assert error.charged == charged


@samples
def test_raised(error: SeedanceError, shown: str, charged: str) -> None:
    """An error can be raised, caught as what it is, and shown with its traceback."""
    with pytest.raises(SeedanceError) as caught:
        raise copy.copy(error)
    assert state(caught.value) == state(error)
    text = "".join(traceback.format_exception(caught.value))
    assert shown.splitlines()[0] in text


@samples
def test_copied_and_pickled(error: SeedanceError, shown: str, charged: str) -> None:
    """Copies and pickles of every protocol carry all that the error carries, and have no traceback or cause."""
    for twin in copies(error):
        assert twin is not error
        assert state(twin) == state(error)
        assert twin.charged == charged
        assert twin.__traceback__ is None
        assert twin.__cause__ is None


@samples
def test_what_is_set_later_is_kept(error: SeedanceError, shown: str, charged: str) -> None:
    """`charged`, `key` and `task_id` of one instance survive copying and pickling, and touch no other."""
    changed = copy.copy(error)
    changed.charged, changed.key, changed.task_id = "maybe", "order-99", "task_99"
    for twin in copies(changed):
        assert (twin.charged, twin.key, twin.task_id) == ("maybe", "order-99", "task_99")
    assert error.charged == charged
    assert type(error)(*error.args).charged == charged


@samples
def test_made_again_from_its_arguments(error: SeedanceError, shown: str, charged: str) -> None:
    """All arguments reach `args`, so that the same error can be made from them."""
    twin = type(error)(*error.args)
    assert str(twin) == str(error)
    assert twin.args == error.args


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_names(kind: type[SeedanceError]) -> None:
    """Each name ends in `Error`, each class says what it means, and each says whether money is gone."""
    assert kind.__name__.endswith("Error")
    assert inspect.getdoc(kind)
    assert kind.charged in {"no", "yes", "maybe"}


@pytest.mark.parametrize("kind", [SlotTimeoutError, TaskTimeoutError])
def test_timeouts_are_timeout_errors(kind: type[Exception]) -> None:
    """Who catches Python's own `TimeoutError` catches these."""
    assert issubclass(kind, TimeoutError)


def test_nothing_else_is_a_foreign_error() -> None:
    """All others are of this tree alone."""
    odd = {kind for kind in CLASSES if not set(kind.__mro__) <= {*CLASSES, Exception, BaseException, object}}
    assert odd == {SlotTimeoutError, TaskTimeoutError}


def test_the_tree_is_drawn_as_it_is() -> None:
    """The drawing in the module's docstring is the real tree: every class, under its base."""
    assert errors.__doc__ is not None
    bases: dict[str, str] = {}
    above = ["SeedanceError"]
    for line in errors.__doc__.splitlines():
        found = re.match(r"^(?P<lead>[ │├└─]*)(?P<name>\w+Error)\b", line)
        if found is None or not found["lead"]:
            continue
        depth = len(found["lead"]) // 4
        above[depth:] = [found["name"]]
        bases[found["name"]] = above[depth - 1]
    # Python calls `TimeoutError` the main base of those that are one too; the tree is that of the first.
    real = {kind.__name__: kind.__bases__[0].__name__ for kind in CLASSES if kind is not SeedanceError}
    assert bases == real


def test_problems_read_well() -> None:
    """A problem names its path, what is wrong, what was given and what was probably meant."""
    assert "aspect_ratio: is one of 16:9, 9:16" in str(RATIO)
    assert "(given: 'wide')" in str(RATIO)
    assert "did you mean '16:9'?" in str(RATIO).lower()
    assert str(SEED) == "seed: is a whole number"


def test_problems_are_kept_as_they_were() -> None:
    """The list that was handed over may change afterwards."""
    problems = [SEED]
    error = InputError(problems)
    problems.append(RATIO)
    assert error.problems == (SEED,)


def test_unknown_says_what_to_do() -> None:
    """The error about an unknown outcome says what it may have cost and how to go on."""
    text = str(OutcomeUnknownError("no answer in time", Decimal(415), "order-17"))
    for part in ("no answer in time", "415 credits", "order-17", "resubmit_unknown=True", "a second time"):
        assert part in text
    assert "an unknown number of credits" in str(OutcomeUnknownError("no answer in time"))


def test_a_task_that_was_not_written_down_is_paid_and_named() -> None:
    """Where the journal failed after a task was accepted, the error has its id in every copy, and says to keep it."""
    error = JournalError("the disk is full", "journal.db")
    error.charged, error.task_id = "yes", "task_1"
    for twin in (error, *copies(error)):
        assert str(twin) == (
            "the journal journal.db: the disk is full; task task_1 was accepted and is not in it: keep this id"
        )
        assert twin.charged == "yes"
