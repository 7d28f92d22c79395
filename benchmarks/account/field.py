"""Who runs in the scenarios, and how their runs become a table."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Final

from benchmarks.account.figures import Figures, figures
from benchmarks.account.running import Candidate, Setting, run_all
from benchmarks.report import Spread

FLOOR: Final = "floor: knows when tasks end"
LOOP: Final = "loop: aiohttp, every 3 s"
TENACIOUS: Final = "httpx and tenacity"
AUTO: Final = "ours, auto"


def ours(slots: int) -> str:
    """The name of ours where the user names the limit."""
    return f"ours, {slots} slots"


def everybody(slots: int) -> dict[str, Candidate]:
    """The candidates, each as their users have them; those whose packages are installed."""
    named = {"concurrency": slots}
    found = {FLOOR: Candidate("oracle", named), LOOP: Candidate("loop", named)}
    if find_spec("httpx") and find_spec("tenacity"):
        found[TENACIOUS] = Candidate("tenacious", named)
    found[AUTO] = Candidate("ours")
    found[ours(slots)] = Candidate("ours", named)
    return found


def compete(jobs: Mapping[str, tuple[Candidate, Sequence[Setting]]]) -> dict[str, list[Figures]]:
    """Run every candidate against its settings, one per round, in turns."""
    most = max(len(settings) for _, settings in jobs.values())
    # The longest ones first, so that no core is left alone with one at the end.
    order = sorted(jobs, key=lambda name: jobs[name][0].module != "tenacious")
    turns = [(name, number) for number in range(most) for name in order if number < len(jobs[name][1])]
    runs = run_all([(jobs[name][0], jobs[name][1][number]) for name, number in turns])
    found: dict[str, list[Figures]] = {name: [] for name in jobs}
    for (name, _), run in zip(turns, runs, strict=True):
        found[name].append(figures(run))
    return found


def rows(found: Mapping[str, Sequence[Figures]]) -> dict[str, dict[str, Spread]]:
    """The table of what was found."""
    return {
        name: {column: Spread.of([each.columns[column] for each in runs]) for column in runs[0].columns}
        for name, runs in found.items()
    }


def over(mine: Sequence[Figures], theirs: Sequence[Figures]) -> Spread:
    """One makespan over another, round by round."""
    return Spread.of([a.makespan / b.makespan for a, b in zip(mine, theirs, strict=False)])
