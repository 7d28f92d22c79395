"""From an exception to a sentence for a person and an exit code for a script."""

import os
import traceback
from pathlib import Path
from typing import Final

from seedance_async._version import __version__
from seedance_async.batch.exit_codes import ExitCode
from seedance_async.core.plan import describe_problems
from seedance_async.core.rates import credits_text
from seedance_async.core.redact import redact, redact_links
from seedance_async.errors import (
    AuthenticationError,
    BudgetExceededError,
    ConfigurationError,
    DownloadError,
    InputError,
    InsufficientCreditsError,
    JournalError,
    KeyConflictError,
    OutcomeUnknownError,
    PermissionDeniedError,
    SeedanceError,
    SessionClosedError,
    TaskTimeoutError,
)

KEY_VARIABLES = ("KINOVI_API_KEY", "SEEDANCE_API_KEY")
#: A shorter text is no key, and taking it out would garble every message.
SHORTEST_KEY: Final = 6


class CommandError(Exception):
    """A command cannot go on.

    Attributes:
        text: What to tell the user, without a full stop of politeness.
        exit_code: What the process ends with.
    """

    def __init__(self, text: str, exit_code: ExitCode = ExitCode.USAGE) -> None:
        self.text = text
        self.exit_code = exit_code
        super().__init__(text, exit_code)


def explain(error: BaseException) -> tuple[str, ExitCode]:
    """Say what went wrong and which exit code that is.

    Secrets are removed by value and by shape: some of these texts come from other libraries. Notes that a command
    attached (`add_note`), such as the ids of tasks that still run, follow on lines of their own.
    """
    if isinstance(error, CommandError):
        text, exit_code = error.text, error.exit_code
    elif isinstance(error, InputError) and len(error.problems) > 1:
        lines = [f"  {line}" for line in describe_problems(error.problems)]
        text, exit_code = "\n".join([f"{len(error.problems):,} problems:", *lines]), ExitCode.USAGE
    elif isinstance(error, SeedanceError):
        text, exit_code = words_of(error), exit_code_of(error)
    elif isinstance(error, OSError):
        text, exit_code = _os_error(error), ExitCode.FAILED
    else:
        text, exit_code = _defect(error), ExitCode.FAILED
    notes: list[str] = getattr(error, "__notes__", [])
    return without_secrets("\n".join([text, *notes])), exit_code


def words_of(error: SeedanceError) -> str:
    """Say an error of the library in the words of commands, where its own sentence speaks of Python."""
    match error:
        case OutcomeUnknownError():
            cost = "an unknown number of" if error.credits is None else credits_text(error.credits, grouped=True)
            return (
                f"it was sent and the answer was lost ({error.reason}). It may run and may have cost {cost} credits: "
                "look at the account's page, and send it again only if paying twice is acceptable"
            )
        case TaskTimeoutError():
            return f"task {error.task_id} was not seen to end: {error.reason}. It is paid for and may still finish"
        case SessionClosedError():
            reason = "the session was closed" if error.reason is None else error.reason
            running = ", ".join(error.task_ids)
            return f"{reason}; still running on the service, paid for: {running}" if running else reason
        case KeyConflictError():
            return f"the id {error.key!r} stands for another video already"
        case DownloadError():
            return str(error).replace("overwrite=True", "--overwrite")
        case JournalError():
            said = str(error).replace("open the journal with take_over=True", "add --without-log")
            return said.replace("open the journal with move_service=True", "add --move-service")
        case _:
            return str(error)


def exit_code_of(error: SeedanceError) -> ExitCode:
    """Sort an error into the documented exit codes."""
    if isinstance(error, (InputError, ConfigurationError, KeyConflictError)):
        return ExitCode.USAGE
    if isinstance(error, (AuthenticationError, InsufficientCreditsError, BudgetExceededError)):
        return ExitCode.ACCOUNT
    if isinstance(error, PermissionDeniedError) and error.task_id is None:  # with an id: somebody else's task
        return ExitCode.ACCOUNT
    if isinstance(error, OutcomeUnknownError):
        return ExitCode.UNKNOWN
    return ExitCode.FAILED


def without_secrets(text: str) -> str:
    """Remove the API key by value and whatever may sign a URL."""
    keys = (os.environ.get(name, "").strip() for name in KEY_VARIABLES)
    return redact_links(redact(text, *(key for key in keys if len(key) >= SHORTEST_KEY)))


def _os_error(error: OSError) -> str:
    reason = error.strerror or str(error) or type(error).__name__
    return reason if error.filename is None else f"{error.filename}: {reason}"


def _defect(error: BaseException) -> str:
    """Name an exception that nobody foresaw, with its place but without a page of traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "seedance_async" in Path(frame.filename).parts]
    place = "" if not ours else f" in {Path(ours[-1].filename).name}, line {ours[-1].lineno}"
    return (
        f"unexpected {type(error).__name__}{place}: {error}\n"
        f"This is a defect of seedance-async {__version__}; please report these lines to the project's issue tracker"
    )
