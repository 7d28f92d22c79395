"""What the library logs is for the application that asks for it, and for the command line."""

import subprocess
import sys

WARN = "import logging; logging.getLogger('seedance_async').warning('the service is slow')"


def said(code: str) -> str:
    """What a program of its own writes to stderr."""
    ended = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout == ""
    return ended.stderr


def test_an_application_that_set_up_no_logging_sees_nothing() -> None:
    """Python would print warnings of a library to stderr, into the midst of whatever the application shows there."""
    assert said(f"import seedance_async; {WARN}") == ""
    assert said("import seedance_async; " + WARN.replace("'seedance_async'", "'seedance_async.testing'")) == ""


def test_an_application_that_set_up_logging_sees_everything_once() -> None:
    """Records go on to the root logger, whenever it was set up."""
    once = "WARNING:seedance_async:the service is slow\n"
    assert said(f"import logging, seedance_async; logging.basicConfig(); {WARN}") == once
    assert said(f"import logging; logging.basicConfig(); import seedance_async; {WARN}") == once


def test_the_command_line_still_shows_warnings() -> None:
    """Its own handler prints them while a command runs, without the application setting anything up."""
    code = f"from seedance_async.cli.loglines import log_lines\nwith log_lines():\n    {WARN}"
    assert said(code) == "seedance: the service is slow\n"
