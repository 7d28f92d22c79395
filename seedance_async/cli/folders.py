"""The folder of a batch, looked at before anything is done in it: is it one, whose is it, does somebody use it?

Nothing here takes the journal. What is found may have changed a moment later: the session that opens the journal
finds that out and says it in the same words.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from attrs import evolve

from seedance_async.batch import JOURNAL, ExitCode, Folder, open_folder
from seedance_async.cli.demo_folder import NOTE
from seedance_async.cli.explain import CommandError, words_of
from seedance_async.cli.terminal import one_line, quoted, span
from seedance_async.core.record_steps import recovered
from seedance_async.core.redact import redact_url
from seedance_async.errors import JournalError
from seedance_async.journal import JournalHost, foreign_service, journal_host, lacks_log
from seedance_async.journal.lockfile import holder_of

_LOCK: Final = f"{JOURNAL}.lock"


@contextmanager
def journal_opening() -> Generator[None]:
    """Turn a journal that cannot be had into a usage error: nothing was sent.

    Raises:
        CommandError: Why, and what can be done.
    """
    try:
        yield
    except JournalError as error:
        raise CommandError(words_of(error)) from None


def look_into(path: Path) -> Folder:
    """Look into a folder that may be new.

    Raises:
        CommandError: There is a journal and it cannot be read.
    """
    with journal_opening():
        return open_folder(path)


def look_into_begun(path: Path) -> Folder:
    """Look into a folder in which a batch was begun.

    Raises:
        CommandError: There is none, or its journal cannot be read.
    """
    if path.name == JOURNAL and path.is_file():
        path = path.parent
    if not path.is_dir():
        raise CommandError(f"{path} is a file; name the folder of a batch" if path.exists() else _missing(path))
    if not (path / JOURNAL).exists():
        hint = _with_videos(path)
        raise CommandError(f"no batch was begun in {path}: there is no {JOURNAL} in it{hint}")
    return look_into(path)


def _missing(path: Path) -> str:
    return f"there is no folder {path}; seedance batch FILE -o {quoted(str(path))} makes it"


def _with_videos(path: Path) -> str:
    """Say where a batch is that the user may have meant."""
    with suppress(OSError):
        inside = sorted(child.name for child in path.iterdir() if (child / JOURNAL).is_file())
        if inside:
            shown = ", ".join(str(path / name) for name in inside[:3])
            return f"; there is one in {shown}{', ...' if len(inside) > 3 else ''}"
    return ""


def refuse_demo(path: Path) -> None:
    """Refuse to work in a demo's folder: its service has ended, and its tasks and credits are imaginary.

    Raises:
        CommandError: The folder is a demo's.
    """
    if (path / NOTE).exists():
        raise CommandError(f"{path} holds a demo, whose service has ended with it; take another folder")


def user_of(path: Path) -> str | None:
    """Say which process works in a folder: `"process 17 on studio since ..."`; None if none does, or nobody knows."""
    try:
        holder = holder_of(path / _LOCK)
    except OSError:  # a folder that may only be read, a file system without locks: opening says more
        return None
    return None if holder is None else one_line(str(holder))


def refuse_used(path: Path) -> None:
    """Refuse a folder in which another batch runs, before anybody is asked anything.

    Raises:
        CommandError: Who uses it, and the ways out.
    """
    user = user_of(path)
    if user is not None:
        raise CommandError(used_text(path, user))


def used_text(path: Path, user: str) -> str:
    """Say why a second batch is refused, and what can be done instead."""
    shown = quoted(str(path))
    return (
        f"{path} is in use by {user}: two batches in one folder would pay twice.\n"
        f"Wait for it, stop it (Ctrl-C there loses nothing), or take another folder with -o.\n"
        f"To see how far it is: seedance jobs {shown}"
    )


def is_without_log(path: Path) -> bool:
    """Whether the journal of a folder lacks what was written to it last, while nobody works there."""
    if user_of(path) is not None or not (path / JOURNAL).exists():
        return False
    with journal_opening():
        return lacks_log(path / JOURNAL)


def refuse_without_log(path: Path, *, agreed: bool) -> None:
    """Refuse a folder that was copied while a batch ran, or after it was killed, without a part of its journal.

    Raises:
        CommandError: What is missing, and the ways out.
    """
    if not agreed and is_without_log(path):
        raise CommandError(
            f"{path} was copied without {JOURNAL}-wal, which holds what was written down last: rows that are not in "
            f"{JOURNAL} may run on the service, paid for.\n"
            f"Copy that file, too. If it is lost, --without-log goes on without it: what it held may be paid twice"
        )


def refuse_other_service(path: Path, base_url: str, *, agreed: bool) -> None:
    """Refuse a folder whose jobs were sent to another service.

    Raises:
        CommandError: Which one, and the ways out.
    """
    if agreed or not (path / JOURNAL).exists():
        return
    with journal_opening():
        other = foreign_service(path / JOURNAL, base_url)
    if other is not None:
        raise CommandError(
            f"the jobs of {path} were sent to {one_line(other)}, and this run would ask {redact_url(base_url)} for "
            "them, where they count as gone.\n"
            "Give the --base-url (or SEEDANCE_BASE_URL) that they were sent to, or take another folder with -o. If "
            "both are the same service by another name, add --move-service"
        )


def as_it_stands(found: Folder, user: str | None) -> Folder:
    """Take what was on the wire when a process died for what it is: unknown."""
    if user is not None:
        return found
    now = datetime.now(UTC)
    return evolve(found, records=tuple(recovered(record, now) for record in found.records))


def take_over(path: Path, *, agreed: bool, ask: Callable[[str], bool] | None, warn: Callable[[str], None]) -> None:
    """See whether a folder comes from elsewhere, and whether that is meant.

    Args:
        path: The folder.
        agreed: Whether the user has said so already.
        ask: Puts a question to the user; None where nobody is there.
        warn: Tells the user something.

    Raises:
        CommandError: It does, and the user does not want to go on, or cannot be asked.
    """
    if not (path / JOURNAL).exists():
        return
    with journal_opening():
        host = journal_host(path / JOURNAL)
    if host is None:
        return
    if host.here:
        _warn_of_copy(path, host, warn)
        return
    text = (
        f"{path} was last in use on another computer: {one_line(host.name, 60)}, {_ago(host.at)}, "
        f"as {one_line(host.path)}.\n"
        "Go on here only if nothing goes on there any more: two live copies of a folder pay twice for what is still "
        "to be sent."
    )
    if agreed:
        return
    if ask is None:
        raise CommandError(f"{text}\nTo go on here, add --take-over")
    if not ask(f"{text}\nGo on here?"):
        raise CommandError("nothing was sent", ExitCode.FAILED)


def _warn_of_copy(path: Path, host: JournalHost, warn: Callable[[str], None]) -> None:
    """Say it where the folder was copied and the original is still there."""
    original = Path(host.path)
    with suppress(OSError):
        if original.is_file() and not original.samefile(path / JOURNAL):
            warn(f"{path} is a copy of {original.parent}: what is still to be sent is paid twice if both go on")


def _ago(moment: datetime) -> str:
    since = datetime.now(UTC) - moment
    if since < timedelta(0):
        return f"on {moment:%Y-%m-%d}"
    return f"{span(since.total_seconds())} ago" if since < timedelta(days=2) else f"{since.days} days ago"
