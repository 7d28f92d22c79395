"""The command line `seedance`: the entry point, which needs nothing but the standard library.

Everything else of this package needs the extra `cli` (cyclopts, rich) and is imported only by `main`.
"""

import importlib.util
import sys
from collections.abc import Sequence

_NEEDED = ("cyclopts", "rich")


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

    return run(sys.argv[1:] if argv is None else argv)
