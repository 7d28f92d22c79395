"""Rows out of a journal: a folder can be gone on with, and looked at, without the file it was made from."""

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Final

from attrs import evolve

from seedance_async.core.catalogue import BUILT_IN, Catalogue
from seedance_async.core.filenames import safe_name
from seedance_async.core.frozen import thaw
from seedance_async.core.inputs import Inputs, TextToVideo
from seedance_async.core.job_notes import JobNotes, read_notes
from seedance_async.core.lifecycle import State
from seedance_async.core.plan import Plan, PlannedRow
from seedance_async.core.pricing import quote_requests
from seedance_async.core.record import JobRecord
from seedance_async.core.record_inputs import CUT, KIND, inputs_from_json, plain_value, recorded_look, shown_inputs
from seedance_async.core.request import BASE_DEADLINE, Request, prepare
from seedance_async.core.rows import RowSource
from seedance_async.errors import InputError

#: Seconds such a task usually takes, where the catalogue does not know its model.
_USUAL: Final = 240.0


def plan_of_records(records: Iterable[JobRecord], catalogue: Catalogue, name: str) -> Plan:
    """Make a plan of the jobs of a folder, without those whose row had left the file.

    Args:
        records: The journal's.
        catalogue: For jobs that were checked against one that is not built in.
        name: How messages call the journal.

    Returns:
        The plan, perhaps without rows.
    """
    rows: list[PlannedRow] = []
    columns: dict[str, None] = {}
    for record in records:
        notes = read_notes(record)
        if not notes.left:
            row = row_of_record(record, catalogue, index=len(rows) + 1, notes=notes)
            columns.update(dict.fromkeys(row.raw))
            rows.append(row)
    source = RowSource(name, "jsonl", (), columns=tuple(columns))
    return Plan(source, tuple(rows), quote_requests(row.request for row in rows))


def row_of_record(
    record: JobRecord, catalogue: Catalogue, *, index: int = 0, notes: JobNotes | None = None
) -> PlannedRow:
    """Return the row that a job was made for, as far as the journal keeps it.

    Args:
        record: The job.
        catalogue: Where the model's facts are taken from, if the job's own catalogue is not built in.
        index: The row's number, for a job without one.
        notes: The job's notes, where they were read already.
    """
    notes = read_notes(record) if notes is None else notes
    inputs, whole = _inputs(record)
    return PlannedRow(
        index=notes.index or index,
        line=notes.line or index,
        id=notes.id,
        key=record.key,
        digest=record.digest,
        inputs=inputs,
        request=_request(record, inputs, BUILT_IN.get(record.catalogue, catalogue)),
        file=notes.saved or notes.file or _own_file(record.key, inputs),
        carried=notes.carried,
        raw=_raw(record, notes),
        base=notes.variant_of or record.key,
        variant=notes.variant,
        whole=whole,
        source=notes.source,
    )


def _inputs(record: JobRecord) -> tuple[Inputs, bool]:
    try:
        return inputs_from_json(record.inputs), True
    except InputError:
        shown = shown_inputs(record.inputs)
    return shown if shown is not None else TextToVideo(str(record.inputs.get("prompt", record.key))), False


def _request(record: JobRecord, inputs: Inputs, catalogue: Catalogue) -> Request:
    try:
        request = prepare(inputs, catalogue, recorded_look(record.inputs))
    except InputError:
        # It was checked when it was sent; this is for looking at it, and for how long its task may take.
        spec = catalogue.find(inputs.model) or catalogue.models[0]
        request = Request(
            inputs=inputs,
            catalogue=catalogue,
            spec=spec,
            resolution=inputs.output_resolution or spec.limits.default_resolution,
            credits=record.credits,
            unpriced=None if record.credits is not None else "its price was not known when it was queued",
            settles_later=False,
            expected_size=None,
            typical_seconds=_USUAL,
            deadline_seconds=BASE_DEADLINE,
            only_in=(),
        )
    # What runs or has finished was priced when it was accepted; what is still to be sent costs what it costs now.
    accepted = record.state in {State.RUNNING, State.SUCCEEDED, State.UNKNOWN, State.GONE}
    return evolve(request, credits=record.credits) if accepted else request


def _own_file(key: str, inputs: Inputs) -> PurePosixPath:
    suffix = ".mov" if getattr(inputs, "output_format", None) == "mov" else ".mp4"
    return PurePosixPath(safe_name(f"{key}{suffix}"))


def _raw(record: JobRecord, notes: JobNotes) -> dict[str, object]:
    given = {name: plain_value(name, thaw(value)) for name, value in record.inputs.items() if name not in {KIND, CUT}}
    name = {} if notes.id is None else {"id": notes.id}
    return {**name, **given, **notes.carried}
