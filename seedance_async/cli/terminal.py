"""What the commands print, and where: answers to standard output, everything else to standard error."""

import io
import json
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import PurePath
from typing import Final, TextIO, cast

from attrs import define, field
from rich.console import Console
from rich.text import Text

from seedance_async.core.rates import credits_text

#: How lines begin that hold a command to paste; they are never broken.
TO_PASTE: Final = ("fetch: ", "fetch it with: ", "go on: ", "try again: ")


def one_line(text: str, width: int | None = None) -> str:
    """Show foreign text (a prompt, the service's words) on one line.

    Control characters become blanks, so that a file of prompts cannot steer the terminal.

    Args:
        text: The text.
        width: The most characters to show, at least 4; None for all of them.
    """
    if not text.isprintable():
        text = "".join(char if char.isprintable() else " " for char in text)
    flat = " ".join(text.split())
    if width is None or len(flat) <= width:
        return flat
    return flat[: max(width, 4) - 3].rstrip() + "..."


def amount(credits: Decimal | None) -> str:
    """Show credits: `"1,240"`, `"99.8"`, or `"unpriced"` where the price is not known."""
    return "unpriced" if credits is None else credits_text(credits, grouped=True)


def span(seconds: float) -> str:
    """Show a length of time: `"7s"`, `"2m05s"`, `"3h20m"`, `"5d"`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < 48 * 3600:
        return f"{whole // 3600}h{whole % 3600 // 60:02}m"
    return f"{whole // 86400}d"


def count(number: int, one: str, many: str | None = None) -> str:
    """Show a number with its noun: `"1 video"`, `"2,000 videos"`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def quoted(word: str) -> str:
    """Show a word as a shell takes it back: bare where that is safe, else in quotes."""
    if word and all(char.isalnum() or char in "_-./:=@,+\\~" for char in word):
        return word
    if os.name == "nt":
        return f'"{word}"'
    return "'" + word.replace("'", "'\"'\"'") + "'"


class Lasting(io.TextIOBase):
    """A stream that goes quiet when its reader or its terminal goes away: nobody's paid batch ends for that."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the stream."""
        return self._stream.encoding

    def write(self, text: str, /) -> int:
        """Write, or lose the text."""
        with self._going_on():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush, or lose what was to be flushed."""
        with self._going_on():
            self._stream.flush()

    def close(self) -> None:
        """Do nothing: the stream is another's. Its owner may even have closed it when this one is thrown away."""

    def isatty(self) -> bool:
        """Whether the stream is a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """The number of the stream's file."""
        return self._stream.fileno()

    @contextmanager
    def _going_on(self) -> Generator[None]:
        try:
            yield
        except OSError:  # a closed pipe, or the EIO of a terminal that is gone
            # What the stream still holds is lost here, and not when the interpreter ends, which would complain.
            with suppress(OSError, ValueError):
                number = self._stream.fileno()
                devnull = os.open(os.devnull, os.O_WRONLY)
                os.dup2(devnull, number)
                os.close(devnull)


def _console() -> Console:
    # Nothing of ours is markup: a prompt may well hold brackets or something like ":smile:".
    stderr = cast("TextIO", Lasting(sys.stderr))
    # Only a terminal breaks lines, between words; a log has one line for each.
    return Console(file=stderr, highlight=False, markup=False, emoji=False, soft_wrap=not stderr.isatty())


@define
class Terminal:
    """The two streams of one command.

    Attributes:
        quiet: Whether to leave out progress and summaries; errors and answers are still printed.
        console: Standard error as rich sees it: width, colours, whether it is a terminal.
    """

    quiet: bool = False
    console: Console = field(factory=_console)

    @property
    def live(self) -> bool:
        """Whether progress may be redrawn in place."""
        return self.console.is_terminal and not self.console.is_dumb_terminal and not self.quiet

    def say(self, text: str = "", style: str = "") -> None:
        """Print a line about what happens, unless quiet."""
        if not self.quiet:
            self._print(text, style)

    def complain(self, text: str) -> None:
        """Print what went wrong, quiet or not."""
        self._print(text, "")

    def _print(self, text: str, style: str) -> None:
        for line in text.split("\n"):
            whole = line.lstrip().startswith(TO_PASTE) or self.console.soft_wrap
            self.console.print(Text(line, style=style), soft_wrap=whole)

    def answer(self, text: str) -> None:
        """Print a line of the answer to standard output, at once."""
        print(text, flush=True)

    def json(self, value: object) -> None:
        """Print the answer as JSON to standard output; credits become numbers, paths become strings."""
        print(json.dumps(value, indent=2, default=_plain), flush=True)


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, PurePath):
        return str(value)
    raise TypeError(type(value).__name__)


def tolerate_any_text() -> None:
    """Keep a terminal or file that cannot show a character from ending the command."""
    for stream in (sys.stdout, sys.stderr):
        _tolerate(stream)


def _tolerate(stream: TextIO) -> None:
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is None:  # a stream that a caller put there, such as a test's
        return
    utf8 = (stream.encoding or "").lower().replace("-", "") == "utf8"
    with suppress(ValueError):
        # File names that are not UTF-8 reach a script as the bytes they are; what another encoding lacks is escaped.
        reconfigure(errors="surrogateescape" if utf8 and stream is sys.stdout else "backslashreplace")
