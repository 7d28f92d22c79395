"""From the rows of a batch file to what will be sent, where each video goes and what all of it costs.

Everything is decided here and nothing is sent: whatever can be wrong with a row is found together with everything
that is wrong with the others.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import PurePosixPath, PureWindowsPath
from typing import Final

from attrs import Factory, evolve, field, frozen

from seedance_async.core.catalogue import Catalogue
from seedance_async.core.inputs import INPUT_FIELDS, Inputs
from seedance_async.core.media_types import Look, no_look
from seedance_async.core.pricing import Quote, quote_requests
from seedance_async.core.rates import credits_text
from seedance_async.core.request import Request, prepare_row
from seedance_async.core.row_files import NamePattern, clashes, numbered, plan_files
from seedance_async.core.row_keys import doubled_variants, key_of_variant, row_keys, wrong_ids
from seedance_async.core.rows import Row, RowFormat, RowSource, known_column, line_of, where
from seedance_async.errors import InputError, Problem

SHOWN_PROBLEMS: Final = 20
_FORMAT_NAMES: Final[Mapping[RowFormat, str]] = {"jsonl": "JSONL", "csv": "CSV", "text": "plain text"}


@frozen
class PlannedRow:
    """One row that can be sent.

    Attributes:
        index: Its number among the rows, from 1.
        line: The line of the file on which it starts, from 1.
        id: Its `id`, or None.
        key: What names its job, see `row_keys`.
        digest: Name of its inputs.
        inputs: What is asked for.
        request: The same with the model's facts and its price.
        file: Where the video goes, relative to the output folder.
        carried: Columns that start with `#`.
        raw: The row as it was written.
        filled: Fields that the row left empty and the defaults gave it.
        base: Key of the row's first video; that of the row itself, unless it is a variant.
        variant: Which of the row's videos it is, from 1.
        own_name: Whether the row names its file itself (`output`).
        whole: Whether the inputs can be sent; a journal does not keep links that may be signed.
        source: Name of the file that it is a row of, without its folder.
    """

    index: int
    line: int
    id: str | None
    key: str
    digest: str
    inputs: Inputs
    request: Request = field(repr=False)
    file: PurePosixPath
    carried: Mapping[str, object] = field(repr=False)
    raw: Mapping[str, object] = field(repr=False)
    filled: Mapping[str, object] = field(factory=dict[str, object], repr=False)
    base: str = field(default=Factory(lambda self: self.key, takes_self=True))
    variant: int = 1
    own_name: bool = False
    whole: bool = True
    source: str = ""


@frozen
class Plan:
    """A batch that can be sent.

    Attributes:
        source: The file it was read from.
        rows: In the order of the file.
        quote: Credits of all rows; its indices count `rows` from 0.
    """

    source: RowSource = field(repr=False)
    rows: tuple[PlannedRow, ...]
    quote: Quote

    def first(self, count: int) -> "Plan":
        """Keep the first `count` rows, for example those that fit into a budget."""
        rows = self.rows[:count]
        return evolve(self, rows=rows, quote=quote_requests(row.request for row in rows))

    def seconds(self, concurrency: int) -> float:
        """Estimate the seconds that the whole batch takes with `concurrency` tasks at a time."""
        typical = [row.request.typical_seconds for row in self.rows]
        return max(sum(typical) / concurrency, max(typical, default=0.0))


def make_plan(
    source: RowSource,
    *,
    defaults: Mapping[str, object],
    catalogue: Catalogue,
    name_pattern: str | None = None,
    count: int = 1,
    look: Look = no_look,
) -> Plan:
    """Check every row and decide its key, its file and its price.

    Args:
        source: The rows.
        defaults: Fields of the inputs for rows that do not give them.
        catalogue: What the rows are checked against.
        name_pattern: How files are called, such as `"{id}.mp4"` (see `NamePattern`), for rows without an `output`;
            None is their `id`, else their number and prompt.
        count: Videos of each row that has no `count` of its own. The second and later ones are rows of the plan too.
        look: Looks at local files, and reads them: the name of a row is that of their content.

    Returns:
        The plan, with at least one row.

    Raises:
        InputError: With every problem of every row, each with the file's name and the line.
    """
    problems = list(source.problems)
    known = {problem.path for problem in problems}
    pattern: NamePattern | None = None
    if name_pattern is not None:
        try:
            pattern = NamePattern.parse(name_pattern)
        except InputError as error:
            problems += error.problems
    problems += wrong_ids(source)
    requests: dict[int, Request] = {}
    for position, row in enumerate(source.rows):
        try:
            requests[position] = prepare_row({**_unknown(row), **defaults, **row.fields}, catalogue, look)
        except InputError as error:
            problems += [problem for problem in _placed(error, source.name, row.line) if problem.path not in known]
    digests = {position: request.digest for position, request in requests.items()}
    keys = row_keys(source.rows, digests)
    counts = {position: source.rows[position].count or count for position in requests}
    problems += doubled_variants(source, keys, counts)
    rows: list[PlannedRow] = []
    if not problems:
        inputs = {position: request.inputs for position, request in requests.items()}
        files, problems = plan_files(source, keys, inputs, pattern)
        rows = [
            PlannedRow(
                index=position + 1,
                line=row.line,
                id=row.id,
                key=key_of_variant(keys[position], variant),
                digest=digests[position],
                inputs=requests[position].inputs,
                request=requests[position],
                file=files[position] if variant == 1 else numbered(files[position], variant),
                carried=row.carried,
                raw=row.raw,
                filled={name: value for name, value in defaults.items() if name not in row.fields},
                base=keys[position],
                variant=variant,
                own_name=row.output is not None,
                source=file_name(source.name),
            )
            for position, row in enumerate(source.rows)
            if position in files
            for variant in range(1, counts[position] + 1)
        ]
        problems += clashes(source.name, ((row.line, row.file) for row in rows))
    if problems:
        # Found one kind after the other, and mended from the top of the file down.
        raise InputError(sorted(problems, key=line_of))
    if not rows:
        raise InputError([Problem(source.name, "holds no rows")])
    return Plan(source, tuple(rows), quote_requests(row.request for row in rows))


def file_name(name: str) -> str:
    """Return the name of a batch file without its folder."""
    return PureWindowsPath(name).name or name


def _unknown(row: Row) -> dict[str, object]:
    """Return what reading refused for its name: not to be told again, but it may be what seems to be missing."""
    return {
        name: value
        for name, value in row.raw.items()
        if not known_column(name, INPUT_FIELDS) and not (isinstance(value, str) and not value.strip())
    }


def _placed(error: InputError, name: str, line: int) -> list[Problem]:
    return [evolve(problem, path=where(name, line, problem.path)) for problem in error.problems]


@frozen
class BudgetVerdict:
    """How a plan relates to a budget.

    Attributes:
        fits: Whether every row is priced and all of them together fit.
        fitting: How many rows fit in the order of the file.
        message: What to tell the user when it does not fit.
    """

    fits: bool
    fitting: int
    message: str | None = None


def judge_budget(plan: Plan, budget: Decimal) -> BudgetVerdict:
    """Compare a plan with the credits it may use."""
    planned = plan.quote
    fitting = planned.fitting(budget)
    if planned.unpriced:
        shown = ", ".join(str(plan.rows[index].line) for index in planned.unpriced[:SHOWN_PROBLEMS])
        more = len(planned.unpriced) - SHOWN_PROBLEMS
        return BudgetVerdict(
            fits=False,
            fitting=fitting,
            message=(
                f"a budget cannot hold for rows of unknown price: lines {shown}"
                f"{f' and {more:,} more' if more > 0 else ''} "
                f"({planned.unpriced_reasons[planned.unpriced[0]]}); leave out the budget, or those rows"
            ),
        )
    if planned.credits <= budget:
        return BudgetVerdict(fits=True, fitting=len(plan.rows))
    rows = _rows_text(len(plan.rows))
    if fitting:
        enough = f"enough for the first {fitting:,} of {rows}"
    else:
        enough = f"not enough for {'the 1 row' if len(plan.rows) == 1 else f'even the first of {rows}'}"
    return BudgetVerdict(
        fits=False,
        fitting=fitting,
        message=(
            f"the budget of {credits_text(budget, grouped=True)} credits is {enough}; "
            f"{'it needs' if len(plan.rows) == 1 else 'all of them need'} {credits_text(planned.credits, grouped=True)}"
        ),
    )


def describe_plan(plan: Plan, concurrency: int) -> tuple[str, ...]:
    """Say what a plan will do, as lines to show before anything is spent.

    Args:
        plan: The plan.
        concurrency: Tasks at a time, for the estimate of hours.
    """
    count, planned = len(plan.rows), plan.quote
    cost = f"{credits_text(planned.credits, grouped=True)} credits"
    if planned.unpriced:
        cost += f" and {_rows_text(len(planned.unpriced))} of unknown price"
    videos = "1 video" if count == 1 else f"{count:,} videos"
    time = f"about {_duration_text(plan.seconds(concurrency))} with {concurrency} at a time"
    # What goes on by its journal was read from no file.
    origin = f"; read as {_FORMAT_NAMES[plan.source.format]}" if plan.source.rows else ""
    lines = [f"{videos}, {cost}, {time}{origin}"]
    if planned.settles_later:
        lines.append(
            f"{_rows_text(len(planned.settles_later))}: settled afterwards on the length of the given video, "
            "which can cost more"
        )
    lines += [f"{name}: only the {known} catalogue knows this" for name, known in planned.only_in.items()]
    lines += [f"{name}: no catalogue knows this; it is sent as given" for name in planned.extra]
    if plan.source.comments:
        lines.append(f"lines starting with '#' that were skipped: {plan.source.comments}")
    return tuple(lines)


def describe_problems(problems: Sequence[Problem], most: int = SHOWN_PROBLEMS) -> tuple[str, ...]:
    """Show what is wrong, one line each, and how much more there is beyond `most`."""
    lines = [str(problem) for problem in problems[:most]]
    if len(problems) > most:
        lines.append(f"... and {len(problems) - most:,} more")
    return tuple(lines)


def _duration_text(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours"


def _rows_text(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"
