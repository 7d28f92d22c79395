"""The exit codes of the command line, decided where a batch ends."""

from enum import IntEnum, unique


@unique
class ExitCode(IntEnum):
    """What a script can tell from the exit code.

    Where several apply the most urgent one is given: interrupted, then unknown outcomes, because they may have been
    paid for, then key or credits, then failures.
    """

    DONE = 0
    """Everything asked for was done."""

    FAILED = 1
    """At least one video failed, was not saved or was not submitted; the rest is done."""

    USAGE = 2
    """Bad input, bad options or an unusable folder; nothing was sent."""

    ACCOUNT = 3
    """The key was refused, API access is missing, or credits or the budget ran out."""

    UNKNOWN = 4
    """A create was sent and its answer lost: it may be paid for, and nobody can tell."""

    HANGUP = 129
    """Interrupted by SIGHUP."""

    INTERRUPTED = 130
    """Interrupted by SIGINT, usually Ctrl-C."""

    TERMINATED = 143
    """Interrupted by SIGTERM."""
