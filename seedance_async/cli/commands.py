"""The signatures of the commands, which are their `--help`. What they do is imported when they run."""

# ruff: noqa: PLC0415 (a command that is not run is not imported, so that --help is quick)

from typing import Annotated

from cyclopts import Parameter

from seedance_async.cli.batch_options import FileOptions
from seedance_async.cli.options import (
    CatalogueOption,
    Count,
    CreditsOption,
    FaultOption,
    FileArgument,
    Flag,
    InputOptions,
    JsonFlag,
    OutputOption,
    QuietFlag,
    RowDefaults,
    ServiceOptions,
    Whole,
)
from seedance_async.cli.terminal import Terminal

_INPUTS = InputOptions()
_DEFAULTS = RowDefaults()
_SERVICE = ServiceOptions()
_ROWS = FileOptions()


def generate(
    prompt: str,
    /,
    *,
    output: OutputOption = ".",
    overwrite: Flag = False,
    budget: CreditsOption = None,
    json: JsonFlag = False,
    quiet: QuietFlag = False,
    inputs: InputOptions = _INPUTS,
    service: ServiceOptions = _SERVICE,
) -> int:
    """Make one video, save it and print its file name.

    Asks nothing: the price is shown and the request goes out. What kind of video it is follows from the options:
    --first-frame animates a picture; --image, --video and --audio are references, @image1 in the prompt.

    Parameters
    ----------
    prompt
        What the video shows.
    output
        A file, or a folder that then gets TASK_ID.mp4 (default: this folder).
    overwrite
        Replace the file if it is there.
    budget
        Most credits to spend; a dearer request is not sent.
    json
        Print the result as JSON.
    quiet
        Show errors only.
    """
    from seedance_async.cli.generate import make_one

    terminal = Terminal(quiet=quiet)
    return make_one(prompt, inputs, service, terminal, output=output, overwrite=overwrite, budget=budget, json=json)


def status(
    *task_ids: Annotated[str, Parameter(name="TASK_ID")],
    json: JsonFlag = False,
    service: ServiceOptions = _SERVICE,
) -> int:
    """Show where tasks stand.

    A line each: status, model, credits, time, and why one failed. Exit code 0 means that every task was found,
    whatever its status.

    Parameters
    ----------
    task_ids
        One or more ids.
    json
        Print a list as JSON.
    """
    from seedance_async.cli.tasks import show_status

    return show_status(task_ids, service, Terminal(), json=json)


def download(
    *task_ids: Annotated[str, Parameter(name="TASK_ID")],
    output: OutputOption = ".",
    wait: Flag = False,
    overwrite: Flag = False,
    json: JsonFlag = False,
    quiet: QuietFlag = False,
    service: ServiceOptions = _SERVICE,
) -> int:
    """Save the videos of tasks and print their file names.

    Parameters
    ----------
    task_ids
        One or more ids.
    output
        A folder that gets TASK_ID.mp4, or, for one task, a file (default: this folder).
    wait
        Wait for tasks that still run.
    overwrite
        Replace files that are there.
    json
        Print a list as JSON.
    quiet
        Show errors only.
    """
    from seedance_async.cli.tasks import save_videos

    terminal = Terminal(quiet=quiet)
    return save_videos(task_ids, service, terminal, output=output, wait=wait, overwrite=overwrite, json=json)


def quote(
    file: FileArgument,
    /,
    *,
    budget: CreditsOption = None,
    json: JsonFlag = False,
    rows: FileOptions = _ROWS,
    inputs: RowDefaults = _DEFAULTS,
    service: ServiceOptions = _SERVICE,
) -> int:
    """Check a file of prompts and say what it costs; sends nothing.

    Parameters
    ----------
    file
        The rows, as for batch; - is standard input.
    budget
        Credits to compare with; exit code 3 where they do not suffice.
    json
        Print the price of every row as JSON.
    """
    from seedance_async.cli.quote import show_quote

    return show_quote(file, inputs, service, Terminal(), budget=budget, rows=rows, json=json)


def upload(
    *files: Annotated[str, Parameter(name="FILE")],
    json: JsonFlag = False,
    quiet: QuietFlag = False,
    service: ServiceOptions = _SERVICE,
) -> int:
    """Put files where the service can fetch them and print their URLs.

    Costs nothing. The service deletes an upload after 24 hours. Other commands take files themselves: this is for a
    URL that is used elsewhere.

    Parameters
    ----------
    files
        One or more images, videos or audio files.
    json
        Print a list as JSON.
    quiet
        Show errors only.
    """
    from seedance_async.cli.upload import upload_files

    return upload_files(files, service, Terminal(quiet=quiet), json=json)


def emulator(
    *,
    host: str = "127.0.0.1",
    port: Whole = 8765,
    limit: Count = 5,
    credits: Annotated[str, Parameter(metavar="CREDITS")] = "100000",
    speed: float = 1.0,
    seed: Whole = 0,
    fault: FaultOption = (),
    catalogue: CatalogueOption = None,
    quiet: QuietFlag = False,
) -> int:
    """Serve an imitation of the service on this computer.

    Ctrl-C ends it and prints what was asked of it.

    Parameters
    ----------
    host
        Address to listen on; anything but this computer is warned about.
    port
        Port to listen on; 0 takes a free one.
    limit
        Tasks in progress at once.
    credits
        What the account holds.
    speed
        How many times faster than the service tasks go.
    seed
        For the random durations.
    fault
        What breaks; repeat for more. --fault help lists everything that can.
    catalogue
        Which published contract to follow: classic (default) or latest.
    quiet
        Show errors only.
    """
    from seedance_async.cli.emulate import serve

    terminal = Terminal(quiet=quiet)
    return serve(
        terminal,
        host=host,
        port=port,
        limit=limit,
        credits_text=credits,
        speed=speed,
        seed=seed,
        faults=fault,
        catalogue=catalogue,
    )


def demo(
    *,
    output: OutputOption = "demo-videos",
    quiet: QuietFlag = False,
    json: JsonFlag = False,
) -> int:
    """Make a dozen videos against the emulator: no key, nothing is spent.

    Runs as `seedance batch` does, with an account that takes fewer tasks at once than there are prompts, and one prompt
    that the service refuses. Exit code 0 means that everything else was made.

    Parameters
    ----------
    output
        Folder for the videos (default: demo-videos). A demo that is there already is replaced; anything else is left
        alone and a new folder is made beside it.
    quiet
        Show errors only.
    json
        Print the report as JSON.
    """
    from seedance_async.cli.demo import run_demo

    return run_demo(output, Terminal(quiet=quiet), json=json)
