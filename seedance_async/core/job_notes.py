"""What a batch writes down with each of its jobs, in the `notes` of the job's record.

    file        where the video goes, relative to the folder, with `/` on every system
    saved       where it is, once it is complete; the same form
    bytes       how long the complete file was
    source      the name of the batch file, without its folder
    index       the row's number in the file, from 1
    line        the line on which the row starts
    id          the row's `id`, where it has one
    carried     the row's columns that start with `#`
    variant_of  the key of the first variant, for the second and later ones
    variant     their number
    made_by     `"redo"` or `"reroll"`, for variants that no row and no `count` asks for
    run         number of the run that wrote the job down first
    budget      the budget of that run, as text; missing where it had none
    left        true while no row of that file stands for the job

One note is the folder's and no job's. It is on the first job of the journal, and there only where `run` and `budget` of
the jobs do not tell it; where several have one, the newest run's holds:

    last_run    {"run": number, "budget": text or null}: the budget since that run

Notes are read with care: a journal may come from a later release, or have been edited.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import PurePosixPath
from typing import Any, Final, Literal

from attrs import field, frozen

from seedance_async.core.frozen import EMPTY, is_mapping, thaw
from seedance_async.core.plan import PlannedRow
from seedance_async.core.record import JobRecord
from seedance_async.core.row_files import is_harmless
from seedance_async.core.rows import CARRIED

MadeBy = Literal["redo", "reroll"]
_MAKERS: Final[Mapping[str, MadeBy]] = {"redo": "redo", "reroll": "reroll"}


@frozen
class JobNotes:
    """The notes of one job, as far as they can be used. The fields are those of the module's table."""

    file: PurePosixPath | None = None
    saved: PurePosixPath | None = None
    bytes: int | None = None
    source: str = ""
    index: int | None = None
    line: int | None = None
    id: str | None = None
    carried: Mapping[str, Any] = field(default=EMPTY, repr=False)
    variant_of: str | None = None
    variant: int = 1
    made_by: MadeBy | None = None
    run: int = 0
    budget: Decimal | None = None
    left: bool = False
    last_run: "LastRun | None" = None


@frozen
class LastRun:
    """The newest run over a folder.

    Attributes:
        run: Its number, from 1; 0 where none is known.
        budget: Its budget in credits over the life of the folder, or None.
    """

    run: int = 0
    budget: Decimal | None = None


def read_notes(record: JobRecord) -> JobNotes:
    """Read what a batch wrote down with a job; what has another form counts as missing."""
    notes = record.notes
    carried: object = notes.get("carried")
    of = _text(notes.get("variant_of"))
    return JobNotes(
        file=_path(notes.get("file")),
        saved=saved_of(record),
        bytes=_number(notes.get("bytes")),
        source=_text(notes.get("source")) or "",
        index=_number(notes.get("index")),
        line=_number(notes.get("line")),
        id=_text(notes.get("id")),
        carried=(
            {name: thaw(value) for name, value in carried.items() if str(name).startswith(CARRIED)}
            if is_mapping(carried)
            else EMPTY
        ),
        variant_of=of,
        variant=(_number(notes.get("variant")) or 1) if of is not None else 1,
        made_by=_MAKERS.get(str(notes.get("made_by"))),
        run=_number(notes.get("run")) or 0,
        budget=_credits(notes.get("budget")),
        left=notes.get("left") is True,
        last_run=_last_run(notes.get("last_run")),
    )


def saved_of(record: JobRecord) -> PurePosixPath | None:
    """Read only where the video of a job is."""
    return _path(record.notes.get("saved"))


def note_of_run(run: int, budget: Decimal | None) -> dict[str, Any]:
    """Return the note that tells of the newest run."""
    return {"last_run": {"run": run, "budget": None if budget is None else str(budget)}}


def last_run_of(notes: Iterable[JobNotes]) -> LastRun:
    """Return the newest run over a folder, from the notes of all its jobs, the oldest first."""
    known = list(notes)
    by_jobs = max((LastRun(each.run, each.budget) for each in known), key=_number_of, default=LastRun())
    noted = max((each.last_run for each in known if each.last_run is not None), key=_number_of, default=LastRun())
    return noted if noted.run >= by_jobs.run else by_jobs


def notes_for(row: PlannedRow, *, made_by: MadeBy | None, run: int, budget: Decimal | None) -> dict[str, Any]:
    """Return the notes of a job that is about to be written down; None takes an older note away."""
    is_variant = row.base != row.key
    return {
        "file": row.file.as_posix(),
        "saved": None,
        "bytes": None,
        "source": row.source or None,
        "index": row.index,
        "line": row.line,
        "id": row.id,
        "carried": dict(row.carried) or None,
        "variant_of": row.base if is_variant else None,
        "variant": row.variant if is_variant else None,
        "made_by": made_by,
        "run": run,
        "budget": None if budget is None else str(budget),
        "left": None,
    }


def _number_of(run: LastRun) -> int:
    return run.run


def _last_run(value: object) -> LastRun | None:
    if not is_mapping(value) or (run := _number(value.get("run"))) is None:
        return None
    return LastRun(run, _credits(value.get("budget")))


def _path(value: object) -> PurePosixPath | None:
    if not isinstance(value, str) or not value.strip() or not is_harmless(value):
        return None
    return PurePosixPath(value)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _credits(value: object) -> Decimal | None:
    try:
        credits = Decimal(value) if isinstance(value, str) else None
    except InvalidOperation:
        return None
    return credits if credits is not None and credits.is_finite() else None
