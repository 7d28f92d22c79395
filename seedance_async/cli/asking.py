"""Questions before something is spent that cannot be got back."""

import sys

from seedance_async.batch.exit_codes import ExitCode
from seedance_async.cli.explain import CommandError
from seedance_async.cli.terminal import Terminal


def somebody_there(terminal: Terminal) -> bool:
    """Whether a person sees the question and can answer it."""
    return sys.stdin.isatty() and terminal.console.is_terminal


def confirm(terminal: Terminal, question: str) -> bool:
    """Ask; anything but yes means no."""
    *lines, last = question.split("\n")
    for line in lines:
        terminal.complain(line)
    terminal.console.print(f"{last} [y/N] ", end="")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def ask_to_spend(terminal: Terminal) -> None:
    """Ask before spending.

    Raises:
        CommandError: The answer is not yes, or nobody is there to give one.
    """
    if not somebody_there(terminal):
        raise CommandError("nobody is there to say yes; add --yes to spend these credits")
    if not confirm(terminal, "Go on?"):
        raise CommandError("nothing was sent", ExitCode.FAILED)
