"""The commands as a tree, and the one place where an error becomes a sentence and an exit code."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from cyclopts import App, CycloptsError

from seedance_async._version import __version__
from seedance_async.batch.exit_codes import ExitCode
from seedance_async.cli.batch_commands import batch, jobs, resume
from seedance_async.cli.batch_options import spelled_out
from seedance_async.cli.commands import demo, download, emulator, generate, quote, status, upload
from seedance_async.cli.explain import explain
from seedance_async.cli.interrupts import Interrupted
from seedance_async.cli.loglines import log_lines
from seedance_async.cli.terminal import Terminal, tolerate_any_text

_EXIT_CODES = """
Exit codes: 0 all done; 1 some failed; 2 usage or bad input, nothing was sent; 3 key or credits;
4 unknown outcomes are left; 130 interrupted (143 by SIGTERM, 129 by SIGHUP).
Where several apply: interrupted, then 4, then 3, then 1.

Environment: KINOVI_API_KEY (or SEEDANCE_API_KEY), SEEDANCE_BASE_URL, SEEDANCE_CATALOGUE, NO_COLOR.
The key is never an option, so that it stays out of shell histories and process lists.
"""


def make_app() -> App:
    """Build the command tree."""
    app = App(
        name="seedance",
        help="Generate video with Seedance. Try `seedance demo` first: it needs no key and spends nothing.",
        help_epilogue=_EXIT_CODES,
        version=__version__,
        result_action="return_value",
        suppress_keyboard_interrupt=False,
    )
    for command in (generate, batch, resume, jobs, quote, emulator, demo):
        app.command(command)
    for name, of_tasks in (("status", status), ("download", download)):
        app.command(of_tasks, usage=f"Usage: seedance {name} [OPTIONS] TASK_ID...")
    app.command(upload, usage="Usage: seedance upload [OPTIONS] FILE...")
    return app


def run(words: Sequence[str]) -> int:
    """Run one command and return its exit code; no exception leaves this function."""
    tolerate_any_text()
    try:
        with log_lines():
            code = make_app()(spelled_out(words), exit_on_error=False, print_error=False)
        sys.stdout.flush()
    except CycloptsError as error:
        return _usage(error, words)
    except Interrupted as interrupted:
        return interrupted.exit_code
    except KeyboardInterrupt:  # before a loop listens, so nothing was sent
        _complain("interrupted; nothing was sent")
        return 130
    except BrokenPipeError:
        _close_quietly()
        return int(ExitCode.FAILED)
    except Exception as error:  # noqa: BLE001 (the last place before a traceback)
        text, exit_code = explain(error)
        _complain(text)
        return int(exit_code)
    return int(code) if isinstance(code, int) else 0


def _usage(error: CycloptsError, words: Sequence[str]) -> int:
    command = " ".join(["seedance", *(error.command_chain or ())])
    _complain(f"{error}\nTry: {command} --help")
    if command == "seedance generate" and "--json" in words:
        # A script reads an object whatever went wrong.
        Terminal().json({"task_id": None, "status": "error", "error": str(error), "charged": "no"})
    return int(ExitCode.USAGE)


def _complain(text: str) -> None:
    with suppress(OSError):
        print(f"seedance: {text}", file=sys.stderr)


def _close_quietly() -> None:
    """Keep the interpreter from complaining about a reader that went away (`seedance status ... | head`)."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
