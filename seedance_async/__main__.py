"""`python -m seedance_async` is the command `seedance`."""

import sys

from seedance_async.cli import main

if __name__ == "__main__":
    sys.exit(main())
