"""The options of `batch` and `resume`, and what a run is told by them."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final, Literal

from attrs import evolve, frozen
from cyclopts import Group, Parameter

from seedance_async.cli.explain import CommandError
from seedance_async.cli.options import Count, CreditsOption, Flag, NamePatternOption
from seedance_async.errors import InputError, Problem

AGAIN = Group("Run again", sort_key=5)
BATCH = Group("Batch", sort_key=10)

#: Begins the name of a file of keys.
FILE_OF_KEYS: Final = "@"
_RETRY: Final = "--retry-failed"

Names = Annotated[tuple[str, ...], Parameter(metavar="KEY...", consume_multiple=(1, None))]


@Parameter(name="*", group=AGAIN, show_default=False, negative_iterable=())
@frozen(kw_only=True)
class AgainOptions:
    """What a run does beyond the rows that were never accepted."""

    retry_failed: Annotated[Literal["again", "all"] | None, Parameter(metavar="[=all]", show_choices=False)] = None
    """Try failed rows again: those that may come out differently, or all, what moderation refused included."""
    resubmit_unknown: Flag = False
    """Send rows of unknown outcome again, which may be paid twice; nothing else ever repeats them."""
    reroll: Names = ()
    """Make one more video of these rows, by id or key, and keep the older one; @FILE has one a line."""
    set: Annotated[tuple[str, ...], Parameter(metavar="NAME=VALUE")] = ()
    """With --reroll: a field that the new videos have instead of the row's, such as seed=7; repeat for more."""
    only: Names = ()
    """Send only these rows, by id or key; * ? [...] stand for parts of one, @FILE has one a line."""
    limit: Count | None = None
    """Send at most so many rows; the others are left for another run."""
    take_over: Flag = False
    """Go on with a folder that was last in use on another computer, and is not any more."""
    without_log: Flag = False
    """Go on with a folder whose journal.db-wal was not copied along: what that file held may be paid twice."""
    move_service: Flag = False
    """Go on with a folder whose jobs were sent to another --base-url, where both are the same service."""


@Parameter(name="*", group=AGAIN, show_default=False, negative_iterable=())
@frozen(kw_only=True)
class ChangedOptions:
    """What only a run with its file can be told."""

    redo_changed: Flag = False
    """Make rows anew that changed after their video was paid for; the older video is kept."""


@Parameter(name="*", group=BATCH, show_default=False)
@frozen(kw_only=True)
class RunningOptions:
    """How a batch goes about its rows."""

    budget: CreditsOption = None
    """Most credits over the life of the folder; where what is to be sent needs more, nothing is sent."""
    concurrency: Annotated[str | None, Parameter(metavar="COUNT")] = None
    """Most tasks in progress at once, or auto (default): start small and find the account's limit."""
    order: Literal["source", "longest-first"] = "source"
    """Start rows in the order of the file (source, default), or those first that usually take longest."""
    attempts: Count = 3
    """Tries per row, for failures that the service words as its own; they are refunded (default 3)."""
    wait_for_credits: Flag = False
    """When credits end, try one row every ten minutes instead of stopping; a refused try is free."""
    on_drift: Literal["stop", "go"] = "stop"
    """When a video costs or measures something else than planned: submit nothing further (stop, default), or go on."""
    overwrite: Flag = False
    """Replace files that stand where videos go and are none of this folder's."""


@Parameter(name="*", group=BATCH, show_default=False)
@frozen(kw_only=True)
class FileOptions:
    """How the rows of a file become videos."""

    count: Count = 1
    """Videos of every row without a count of its own; the second is named as the first, with -2."""
    name: NamePatternOption = None
    """Pattern for file names, such as '{id}.mp4' or '{index:04}-{prompt}.mp4', for rows without an output."""


def spelled_out(words: Sequence[str]) -> list[str]:
    """Give `--retry-failed` the value that it has alone: the parser knows no option whose value can be left out."""
    end = words.index("--") if "--" in words else len(words)
    return [*(f"{_RETRY}=again" if word == _RETRY else word for word in words[:end]), *words[end:]]


def parse_keys(option: str, given: Iterable[str]) -> tuple[str, ...]:
    """Read the keys of `--only` or `--reroll`, those in files included.

    Raises:
        CommandError: A file cannot be read, or holds none.
    """
    keys: list[str] = []
    for word in given:
        keys += _keys_in(option, Path(word[1:])) if word.startswith(FILE_OF_KEYS) else [word]
    return tuple(dict.fromkeys(keys))


def _keys_in(option: str, file: Path) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise CommandError(f"{option} @{file}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise CommandError(f"{option} @{file}: is not UTF-8 text") from None
    if not (keys := [line.strip() for line in lines if line.strip()]):
        raise CommandError(f"{option} @{file}: holds no keys")
    return keys


def parse_fields(pairs: Sequence[str], reroll: Sequence[str]) -> Mapping[str, object]:
    """Read the fields of `--set`, as a cell of a CSV is read; nothing behind the sign takes a field away.

    Raises:
        CommandError: One is not NAME=VALUE or comes twice, or there is nothing that it could be for.
        InputError: Values that their fields cannot have, all of them.
    """
    from seedance_async.core.text import coerce_text  # noqa: PLC0415 (not for --help)

    if pairs and not reroll:
        raise CommandError("--set belongs to --reroll: it says what the new videos have instead")
    fields: dict[str, object] = {}
    problems: list[Problem] = []
    for pair in pairs:
        name, equals, text = pair.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not name:
            raise CommandError(f"--set wants NAME=VALUE, not {pair!r}")
        if name in fields:
            raise CommandError(f"--set gives {name} twice")
        fields[name] = None
        try:
            fields[name] = coerce_text(name, text) if text.strip() else None
        except InputError as error:
            problems += [evolve(problem, path=f"--set {problem.path}") for problem in error.problems]
    if problems:
        raise InputError(problems)
    return fields


@contextmanager
def naming_options() -> Generator[None]:
    """Name `only` and `reroll` in problems as the command line does.

    Raises:
        InputError: The problems, so named.
    """
    try:
        yield
    except InputError as error:
        raise InputError([evolve(problem, path=_as_option(problem.path)) for problem in error.problems]) from None


def _as_option(path: str) -> str:
    return f"--{path}" if path in {"only", "reroll"} or path.startswith("reroll ") else path
