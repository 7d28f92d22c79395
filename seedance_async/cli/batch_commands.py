"""The signatures of the commands that work in the folder of a batch. What they do is imported when they run."""

# ruff: noqa: PLC0415 (a command that is not run is not imported, so that --help is quick)

from typing import Annotated, Literal

from cyclopts import Parameter

from seedance_async.cli.batch_options import AgainOptions, ChangedOptions, FileOptions, RunningOptions
from seedance_async.cli.options import (
    FileArgument,
    JsonFlag,
    OutputOption,
    QuietFlag,
    RowDefaults,
    ServiceOptions,
    YesFlag,
)
from seedance_async.cli.terminal import Terminal

_AGAIN = AgainOptions()
_CHANGED = ChangedOptions()
_RUNNING = RunningOptions()
_ROWS = FileOptions()
_DEFAULTS = RowDefaults()
_SERVICE = ServiceOptions()

#: `JobStatus` of the batch, which --help need not load; a test compares the two.
StateName = Literal[
    "queued", "sending", "running", "done", "not_saved", "expired", "failed", "refused", "withdrawn", "unknown"
]
StateOption = Annotated[
    tuple[StateName, ...],
    Parameter(consume_multiple=(1, None), negative_iterable=(), metavar="STATE...", show_default=False),
]
GroupOption = Annotated[
    tuple[str, ...],
    Parameter(consume_multiple=(1, None), negative_iterable=(), metavar="GROUP...", show_default=False),
]


def batch(
    file: FileArgument,
    /,
    *,
    output: OutputOption = "videos",
    yes: YesFlag = False,
    json: JsonFlag = False,
    quiet: QuietFlag = False,
    again: AgainOptions = _AGAIN,
    changed: ChangedOptions = _CHANGED,
    running: RunningOptions = _RUNNING,
    rows: FileOptions = _ROWS,
    inputs: RowDefaults = _DEFAULTS,
    service: ServiceOptions = _SERVICE,
) -> int:
    """Make a video for every row of a file of prompts; given again, it goes on where it was.

    The file is JSONL, CSV or plain text with one prompt a line; - is standard input. Every field of a video is a
    column; the Video options below are for rows that leave theirs empty. Columns of their own: id, output (file
    name), count (videos of the row), and anything that starts with #, which is carried into the reports. What is
    done already, what will be sent and its price are shown before anything is sent.

    The folder gets the videos, journal.db, in which every row is written down before it is paid for, manifest.jsonl
    (a line as each row ends), results.csv and, where rows failed, failed.csv (or .jsonl) to edit and pass in again.
    Ctrl-C stops sending, leaves what runs on the service and says how to go on; a second Ctrl-C leaves at once.
    Neither loses anything, and nothing is paid twice.

    Parameters
    ----------
    file
        The rows.
    output
        Folder for videos and reports (default: videos).
    yes
        Do not ask before spending.
    json
        Print the report as JSON.
    quiet
        Show errors only.
    """
    from seedance_async.cli.batch import manner_of, run_file

    manner = manner_of(again, running, service, redo_changed=changed.redo_changed, yes=yes, json=json)
    return run_file(file, output, Terminal(quiet=quiet), manner, inputs=inputs, rows=rows)


def resume(
    folder: Annotated[str, Parameter(name="DIR")],
    /,
    *,
    yes: YesFlag = False,
    json: JsonFlag = False,
    quiet: QuietFlag = False,
    again: AgainOptions = _AGAIN,
    running: RunningOptions = _RUNNING,
    service: ServiceOptions = _SERVICE,
) -> int:
    """Go on with the folder of a batch, without its file.

    Tasks that run are watched and saved, videos whose file is missing are fetched again, and what was never sent is
    sent. It asks only if something is to be spent. A budget of the last run goes on to hold.

    Parameters
    ----------
    folder
        The folder, as -o of batch.
    yes
        Do not ask before spending.
    json
        Print the report as JSON.
    quiet
        Show errors only.
    """
    from seedance_async.cli.batch import manner_of, resume_folder

    manner = manner_of(again, running, service, yes=yes, json=json)
    return resume_folder(folder, Terminal(quiet=quiet), manner)


def jobs(
    folder: Annotated[str, Parameter(name="DIR")],
    /,
    *,
    state: StateOption = (),
    group: GroupOption = (),
    json: JsonFlag = False,
) -> int:
    """List the jobs of a folder: state, age, credits, key, file, and the prompt or why there is no video.

    It needs no key and sends nothing, and works while a batch runs and after a crash. The age counts from when the
    job was queued, accepted, or ended.

    States: queued (never accepted), sending (the answer is awaited), running (paid), done, not_saved (finished and
    paid, file missing), expired (the same, and older than the service keeps files), failed (refunded), refused (not
    charged), withdrawn, unknown (sent, perhaps paid: the answer was lost).

    Parameters
    ----------
    folder
        The folder, as -o of batch.
    state
        List only jobs in these states.
    group
        List only jobs of these groups, which an application gives them.
    json
        Print the list as JSON.
    """
    from seedance_async.cli.jobs import show_jobs

    return show_jobs(folder, Terminal(), states=state, groups=group, json=json)
