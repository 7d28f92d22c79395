"""Words and numbers as people read them, and streams that survive any text."""

import errno
import io
import json
import os
from decimal import Decimal
from pathlib import Path

import pytest
from rich.console import Console

from seedance_async.cli.terminal import Lasting, Terminal, amount, count, one_line, quoted, span


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "unpriced"),
        (Decimal(0), "0"),
        (Decimal("99.80"), "99.8"),
        (Decimal(1240), "1,240"),
        (Decimal("1E+3"), "1,000"),
    ],
)
def test_credits(value: Decimal | None, text: str) -> None:
    """Exact, without an exponent and without zeros that say nothing."""
    assert amount(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (59.6, "1m00s"), (125, "2m05s"), (12000, "3h20m"), (-3, "0s")]
)
def test_times(seconds: float, text: str) -> None:
    """Seconds, then minutes, then hours."""
    assert span(seconds) == text


def test_counts() -> None:
    """One is singular."""
    assert (count(1, "video"), count(0, "video"), count(2000, "video")) == ("1 video", "0 videos", "2,000 videos")


def test_foreign_text_cannot_steer_the_terminal() -> None:
    """Escape sequences, line breaks and direction marks become blanks."""
    assert one_line("a\x1b[2Jb\r\nc\u202ed\x07") == "a [2Jb c d"


def test_long_text_is_cut() -> None:
    """To exactly the width asked for, or less."""
    assert one_line("abcdefghij", 8) == "abcde..."
    assert one_line("abcdefgh", 8) == "abcdefgh"


@pytest.mark.parametrize(
    ("word", "shown"),
    [("lake.mp4", "lake.mp4"), ("my lake.mp4", "'my lake.mp4'"), ("it's", "'it'\"'\"'s'"), ("", "''")],
)
def test_words_for_a_shell(word: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that we print can be pasted."""
    monkeypatch.setattr("os.name", "posix")
    assert quoted(word) == shown


def test_markup_in_a_prompt_is_text() -> None:
    """Brackets and colons are printed as they are."""
    stream = io.StringIO()
    Terminal(console=Console(file=stream, markup=False, emoji=False, highlight=False)).say("[red]x[/] :smile: [fail:a]")
    assert stream.getvalue() == "[red]x[/] :smile: [fail:a]\n"


def test_quiet_still_complains() -> None:
    """Errors are never left out."""
    stream = io.StringIO()
    terminal = Terminal(quiet=True, console=Console(file=stream))
    terminal.say("progress")
    terminal.complain("trouble")
    assert stream.getvalue() == "trouble\n"


def test_json_has_numbers_for_credits(capsys: pytest.CaptureFixture[str]) -> None:
    """A script need not parse text."""
    Terminal().json({"credits": Decimal("99.8"), "whole": Decimal(200), "file": Path("a.mp4")})
    assert json.loads(capsys.readouterr().out) == {"credits": 99.8, "whole": 200, "file": "a.mp4"}


class _Gone(io.StringIO):
    """A terminal that was closed."""

    def write(self, text: str, /) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_terminal_that_is_gone_ends_nothing() -> None:
    """What is said is lost, and that is all."""
    terminal = Terminal(console=Console(file=Lasting(_Gone())))  # type: ignore[arg-type]
    terminal.say("progress")
    terminal.complain("trouble")


def test_a_closed_pipe_ends_nothing_and_leaves_nothing_to_flush() -> None:
    """Neither now nor when the interpreter flushes its streams."""
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w", encoding="utf-8") as stream:  # noqa: PTH123 (a descriptor)
        terminal = Terminal(console=Console(file=Lasting(stream)))  # type: ignore[arg-type]
        terminal.say("progress")
        terminal.complain("trouble")


def test_a_stream_that_its_owner_has_closed_is_thrown_away_in_peace() -> None:
    """The interpreter closes what is thrown away, and complains if that raises."""
    stream = io.TextIOWrapper(io.BytesIO())
    lasting = Lasting(stream)
    stream.close()
    lasting.close()


def test_lines_break_between_words_and_commands_not_at_all() -> None:
    """A narrow terminal; what is to be pasted stays one line."""
    stream = io.StringIO()
    console = Console(file=stream, width=20, force_terminal=True, color_system=None)
    Terminal(console=console).complain("one two three four five six\n  fetch: seedance download task_1 task_2")
    assert [line.rstrip() for line in stream.getvalue().split("\n")] == [
        "one two three four", "five six", "  fetch: seedance download task_1 task_2", "",
    ]  # fmt: skip
