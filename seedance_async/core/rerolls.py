"""Variants that were asked for: `--reroll KEY...`, with other fields if the user likes.

A command that was interrupted may be given again. So a reroll that was made by a run which is not finished yet, with
the same inputs, is what the command asks for, and no further variant is made.
"""

from collections.abc import Mapping, Sequence

from attrs import evolve

from seedance_async.core.catalogue import Catalogue
from seedance_async.core.families import Families
from seedance_async.core.media_types import look_of
from seedance_async.core.plan import PlannedRow
from seedance_async.core.request import prepare_call
from seedance_async.core.row_files import numbered
from seedance_async.core.run_options import RunOptions
from seedance_async.core.selecting import matching_keys
from seedance_async.core.standing import Duty, JobStanding, Standing
from seedance_async.errors import InputError, Problem


def rerolled(
    jobs: Sequence[JobStanding],
    options: RunOptions,
    *,
    families: Families,
    first_rows: Mapping[str, PlannedRow],
    catalogue: Catalogue,
) -> tuple[list[JobStanding], list[Problem]]:
    """Return the variants that `options.reroll` asks for.

    Args:
        jobs: The jobs of the rows.
        options: What the user wants.
        families: Every job of the folder; takes note of the new keys.
        first_rows: The row of each base's first video.
        catalogue: What the variants are checked against.

    Returns:
        The new jobs, and what is wrong.
    """
    found, problems = matching_keys("reroll", options.reroll, [job.row for job in jobs], patterns=False)
    by_key = {job.row.key: job for job in jobs}
    made: list[JobStanding] = []
    for name, keys in found.items():
        # The id of a row with several videos means the row: one more of it.
        source = by_key[keys[0]]
        if source.record is None:
            problems.append(Problem("reroll", "no video of this row was made yet", repr(name)))
            continue
        wanted = source.row if source.wanted is None else source.wanted
        if not wanted.whole:
            message = "its links may be signed and are not kept; give the batch file as well"
            problems.append(Problem("reroll", message, repr(name)))
            continue
        try:
            look = look_of(wanted.request.materials)
            request = prepare_call(wanted.inputs, options.reroll_fields, catalogue, look)
        except InputError as error:
            problems += [evolve(each, path=f"reroll {name}: {each.path}") for each in error.problems]
            continue
        row = evolve(wanted, inputs=request.inputs, request=request, digest=request.digest)
        if not _is_under_way(row, jobs):
            made.append(_variant(row, families, first_rows))
    return made, problems


def _variant(row: PlannedRow, families: Families, first_rows: Mapping[str, PlannedRow]) -> JobStanding:
    first = first_rows.get(row.base, row)
    key, number = families.next_variant(row.base)
    row = evolve(row, key=key, variant=number, file=numbered(first.file, number), own_name=False)
    return JobStanding(row, Standing.REROLL, Duty.SUBMIT, made_by="reroll")


def _is_under_way(row: PlannedRow, jobs: Sequence[JobStanding]) -> bool:
    unfinished = {job.notes.run for job in jobs if job.is_unfinished}
    return any(
        job.made_by == "reroll"
        and job.row.base == row.base
        and job.row.digest == row.digest
        and job.notes.run in unfinished
        for job in jobs
    )
