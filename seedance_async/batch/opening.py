"""What a folder holds: its journal and its files, looked at without taking the journal.

Another batch may run meanwhile. All of it blocks: call it in a thread where there is an event loop.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from stat import S_ISREG
from typing import Final

from attrs import field, frozen

from seedance_async.clock import wall_now
from seedance_async.core.catalogue import BUILT_IN, Catalogue
from seedance_async.core.folder_jobs import FolderJobs, folder_jobs
from seedance_async.core.job_notes import last_run_of, read_notes, saved_of
from seedance_async.core.plan import Plan
from seedance_async.core.record import JobRecord
from seedance_async.core.recorded_rows import plan_of_records
from seedance_async.core.run_options import DEFAULT_OPTIONS, RunOptions
from seedance_async.core.stand import stand
from seedance_async.core.standing import FolderStanding
from seedance_async.journal import read_journal

#: The journal of a folder.
JOURNAL: Final = "journal.db"


@frozen
class Folder:
    """A folder at one moment.

    Attributes:
        path: The folder.
        records: The journal's records, the oldest first; none where there is no journal.
        sizes: Bytes of the videos that are there, by their path relative to the folder.
    """

    path: Path
    records: tuple[JobRecord, ...] = field(repr=False)
    sizes: Mapping[str, int] = field(repr=False)

    @property
    def journal(self) -> Path:
        """The journal's file."""
        return self.path / JOURNAL

    @property
    def catalogue(self) -> Catalogue | None:
        """The built-in catalogue that the newest jobs were checked against; None where there are no such jobs."""
        return BUILT_IN.get(self.records[-1].catalogue) if self.records else None

    @property
    def budget(self) -> Decimal | None:
        """The budget of the newest run; None where it had none."""
        return last_run_of(read_notes(record) for record in self.records).budget

    def plan(self, catalogue: Catalogue) -> Plan:
        """Make a plan of the jobs themselves, to go on without the batch file; perhaps without rows."""
        return plan_of_records(self.records, catalogue, str(self.journal))

    def standing(
        self, plan: Plan, options: RunOptions = DEFAULT_OPTIONS, *, catalogue: Catalogue = Catalogue.CLASSIC
    ) -> FolderStanding:
        """Say what a run of the plan would do here, see `stand`.

        Args:
            plan: Of a batch file, or `plan`.
            options: What the user wants.
            catalogue: What variants made by `reroll` are checked against.

        Raises:
            InputError: The options name what is not there, or files clash.
        """
        return stand(plan, self.records, self.sizes, options, now=wall_now(), catalogue=catalogue)

    def jobs(self) -> FolderJobs:
        """List the jobs."""
        return folder_jobs(self.records, self.sizes, wall_now())


def open_folder(path: Path) -> Folder:
    """Look into a folder. One without a journal, or that is not there, is empty.

    Raises:
        JournalError: There is a journal and it cannot be read.
    """
    journal = path / JOURNAL
    records = read_journal(journal) if journal.exists() else ()
    return Folder(path, records, sizes_of(path, records))


def sizes_of(folder: Path, records: Iterable[JobRecord]) -> dict[str, int]:
    """Return the bytes of the saved videos that are there, by their relative path."""
    sizes: dict[str, int] = {}
    for record in records:
        saved = saved_of(record)
        if saved is not None:
            size = _size(folder / saved)
            if size is not None:
                sizes[saved.as_posix()] = size
    return sizes


def _size(path: Path) -> int | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size if S_ISREG(status.st_mode) else None
