"""What `seedance jobs` does: the jobs of a folder as its journal has them, also while a batch runs or after a crash."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, TextIO

from attrs import field, frozen
from rich.console import Console
from rich.text import Text

from seedance_async.batch import JOURNAL, RETENTION, ExitCode, Folder, FolderJob, FolderJobs, JobStatus
from seedance_async.cli.demo_folder import NOTE
from seedance_async.cli.explain import without_secrets
from seedance_async.cli.folders import as_it_stands, is_without_log, look_into_begun, user_of
from seedance_async.cli.summary import Ways, credits_json, how_to_resume, how_to_try_again
from seedance_async.cli.terminal import Terminal, amount, count, one_line, span
from seedance_async.clock import wall_now
from seedance_async.core.digest import VERSION
from seedance_async.core.record import JobCredits

#: From here on a job has one line.
WIDE: Final = 72
_SHOWN_DIGITS: Final = 8
_LONGEST_NAME: Final = 24
_INDENT: Final = "    "
_MOST_GROUPS: Final = 10
_STYLES: Final[Mapping[str, str]] = {
    "state": "dim",
    "done": "green",
    "failed": "red",
    "refused": "red",
    "not_saved": "yellow",
    "expired": "yellow",
    "unknown": "bold yellow",
}
_GO_ON: Final[frozenset[JobStatus]] = frozenset({"queued", "running", "not_saved", "withdrawn"})


def show_jobs(
    folder: str, terminal: Terminal, *, states: Sequence[JobStatus], groups: Sequence[str], json: bool
) -> int:
    """Print the jobs of a folder, all or those in one of these states and of one of these groups."""
    path = Path(folder)
    user = user_of(path)
    found = look_into_begun(path)
    # Asked before and after: what one process wrote in between must not look like what another one left behind.
    user = user or user_of(found.path)
    found = as_it_stands(found, user)
    if user is None and is_without_log(found.path):
        terminal.complain(f"{JOURNAL}-wal was not copied along: what was written down last is missing here")
    every = found.jobs()
    jobs = [job for job in every.jobs if (not states or job.status in states) and (not groups or job.group in groups)]
    if json:
        terminal.json(_json(found.path, user, every, jobs))
        return int(ExitCode.DONE)
    screen = Screen.of(sys.stdout)
    screen.show(jobs)
    sys.stdout.flush()
    for text in _summary(found, user, every, len(jobs)):
        terminal.say(text)
    return int(ExitCode.DONE)


def short_key(key: str) -> str:
    """Show a key so that it fits: of a digest its beginning, which stands for it on the command line too."""
    if not key.startswith(f"{VERSION}:"):
        return key
    for mark in ("~", "#"):
        digest, found, rest = key.partition(mark)
        if found:
            return digest[: len(VERSION) + 1 + _SHOWN_DIGITS] + found + rest
    return key[: len(VERSION) + 1 + _SHOWN_DIGITS]


@frozen
class _Cells:
    """What is shown of one job."""

    status: str
    age: str
    credits: str
    name: str
    file: str
    detail: str

    @classmethod
    def of(cls, job: FolderJob, *, whole: bool) -> "_Cells":
        name = job.key if whole or job.id == job.key else short_key(job.key)
        detail = job.prompt if job.error is None else without_secrets(job.error)
        return cls(
            status=job.status,
            age=span(job.age.total_seconds()),
            credits="" if job.credits is None else amount(job.credits),
            name=one_line(name),
            file="" if job.file is None else one_line(job.file.as_posix()),
            detail=one_line(detail)
            + ("" if job.group is None else f" (group {one_line(job.group)})")
            + (" (its row left the file)" if job.left else ""),
        )


_HEADER: Final = _Cells("state", "age", "credits", "key", "file", "prompt, or why there is no video")


@frozen
class Screen:
    """Where the list goes: a terminal of some width, or a pipe, for which nothing is cut."""

    console: Console
    width: int | None

    @classmethod
    def of(cls, stream: TextIO) -> "Screen":
        """Return what a stream is."""
        console = Console(file=stream, highlight=False, markup=False, emoji=False)
        return cls(console, console.width if console.is_terminal else None)

    def show(self, jobs: Iterable[FolderJob]) -> None:
        """Print a line for each job, or two or three where the terminal is narrow."""
        for text, status in self.lines(jobs):
            if self.width is None:
                # Nothing to style or to wrap, and there may be ten thousand of them.
                self.console.file.write(f"{text}\n")
                continue
            line = Text(text)
            if status is not None and (style := _STYLES.get(status)) is not None:
                line.stylize(style, 0, len(status) if status != _HEADER.status else len(line))
            self.console.print(line, soft_wrap=True)

    def lines(self, jobs: Iterable[FolderJob]) -> Iterable[tuple[str, str | None]]:
        """Return the lines, each with the state it begins with, or None."""
        cells = [_Cells.of(job, whole=self.width is None) for job in jobs]
        if cells and self.width is not None:
            cells.insert(0, _HEADER)
        columns = _Columns.of(cells, self.width)
        for each in cells:
            if self.width is None or self.width >= WIDE:
                yield self._fitted(columns.head(each) + "  " + columns.tail(each)), each.status
            else:
                yield self._fitted(columns.head(each)), each.status
                if each is _HEADER:
                    continue
                yield self._fitted(_INDENT + (each.file or each.detail)), None
                if each.file and each.status != "done":
                    yield self._fitted(_INDENT + each.detail), None

    def _fitted(self, text: str) -> str:
        if self.width is not None and len(text) > self.width:
            text = one_line_end(text, self.width)
        return text.rstrip()


def one_line_end(text: str, width: int) -> str:
    """Cut a line that is too long for the screen, blanks kept."""
    return text[: max(width, 4) - 3].rstrip() + "..."


@frozen
class _Columns:
    """How wide the columns are, by what is in them."""

    widths: Mapping[str, int] = field(repr=False)
    limit: int | None

    @classmethod
    def of(cls, cells: Sequence[_Cells], width: int | None) -> "_Columns":
        names = ("status", "age", "credits", "name", "file")
        widths = {name: max((len(getattr(each, name)) for each in cells), default=0) for name in names}
        if width is not None:
            widths["name"] = min(widths["name"], _LONGEST_NAME)
            # What is left is shared by the file and what there is to say.
            rest = width - sum(widths[name] + 2 for name in names[:4])
            widths["file"] = min(widths["file"], max(12, rest * 2 // 5))
        return cls(widths, width)

    def head(self, each: _Cells) -> str:
        name = each.name if self.limit is None else one_line(each.name, max(4, self.widths["name"]))
        return "  ".join(
            (
                each.status.ljust(self.widths["status"]),
                each.age.rjust(self.widths["age"]),
                each.credits.rjust(self.widths["credits"]),
                name.ljust(self.widths["name"]),
            )
        )

    def tail(self, each: _Cells) -> str:
        file = each.file if self.limit is None else one_line(each.file, max(4, self.widths["file"]))
        return f"{file.ljust(self.widths['file'])}  {each.detail}"


def _summary(found: Folder, user: str | None, every: FolderJobs, shown: int) -> list[str]:
    path, counts = found.path, every.counts
    states = ", ".join(f"{number:,} {status}" for status, number in counts.items())
    lines = [f"{count(len(every.jobs), 'job')}: {states}" if states else "no job was written down here"]
    if shown != len(every.jobs):
        lines[0] += f"; {shown:,} shown"
    if money := _money(every.credits):
        lines.append(f"credits: {money}")
    lines += _money_of_groups(every)
    if counts.get("expired"):
        lines.append(
            f"expired: finished more than {RETENTION.days} days ago, and the service keeps files no longer; "
            "--reroll ID makes a new video"
        )
    if counts.get("unknown"):
        lines.append("unknown: sent, and nobody can tell whether it was accepted and paid; see the account's page")
    if user is not None:
        return [*lines, f"in use by {user}"]
    if (path / NOTE).exists():
        return lines
    if not _GO_ON.isdisjoint(counts):
        lines.append(how_to_resume(path))
    ways = Ways.of(found.records, wall_now())
    lines += [how_to_try_again(path, bare=bare) for bare in (False, True) if (ways.bare if bare else ways.again)]
    return lines


def _money_of_groups(every: FolderJobs) -> list[str]:
    """Say what the groups have cost, if there are any: those that have cost most."""
    if not any(group is not None for group in every.by_group):
        return []
    costs = [("no group" if group is None else f"group {group}", cost) for group, cost in every.by_group.items()]
    costs.sort(key=lambda each: each[1].used + each[1].reserved + each[1].maybe, reverse=True)
    lines = [f"  {one_line(name)}: {_money(cost) or 'nothing yet'}" for name, cost in costs[:_MOST_GROUPS]]
    if len(costs) > _MOST_GROUPS:
        lines.append(f"  and {count(len(costs) - _MOST_GROUPS, 'group')} more, see --json")
    return lines


def _money(credits: JobCredits) -> str:
    parts = ((credits.used, "used"), (credits.reserved, "reserved for running tasks"), (credits.maybe, "perhaps paid"))
    return ", ".join(f"{amount(number)} {word}" for number, word in parts if number)


def _json(path: Path, user: str | None, every: FolderJobs, jobs: Iterable[FolderJob]) -> dict[str, object]:
    return {
        "folder": path,
        "in_use_by": user,
        "counts": {str(status): number for status, number in every.counts.items()},
        "credits": credits_json(every.credits),
        "groups": [{"group": group, "credits": credits_json(cost)} for group, cost in every.by_group.items()],
        "jobs": [_job_json(job) for job in jobs],
    }


def _job_json(job: FolderJob) -> dict[str, object]:
    return {
        "key": job.key,
        "id": job.id,
        "line": job.line,
        "state": job.status,
        "age_seconds": int(job.age.total_seconds()),
        "task_id": job.task_id,
        "credits": job.credits,
        "file": None if job.file is None else job.file.as_posix(),
        "error": None if job.error is None else without_secrets(job.error),
        "prompt": job.prompt,
        "variant_of": job.variant_of,
        "left": job.left,
        "source": job.source or None,
        "group": job.group,
    }
