"""The command line `seedance`: the entry point, which needs nothing but the standard library.

Everything else of this package needs the extra `cli` (cyclopts, rich) and is imported only by `main`.
"""

import importlib.util
import signal
import sys
from collections.abc import Sequence

_NEEDED = ("cyclopts", "rich")
#: Above it are the exit codes of commands that a signal ended.
_SIGNALLED = 128


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        argv: The words after `seedance`; those of this process where None.

    Returns:
        An `ExitCode`, or 128 plus the number of the signal that ended the command.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        print(
            f"seedance: the command line needs {' and '.join(missing)}; "
            'install it with: pip install "seedance-async[cli]"',
            file=sys.stderr,
        )
        return 2
    from seedance_async.cli.app import run  # noqa: PLC0415 (only possible with the extra)

    if argv is not None:
        return run(argv)
    code = run(sys.argv[1:])
    if code > _SIGNALLED:  # a further signal must not change the exit code while the interpreter ends
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            if hasattr(signal, name):  # Windows has no SIGHUP
                signal.signal(getattr(signal, name), signal.SIG_IGN)
    return code
