"""Figures to show: rows per candidate, ratios with their aims, as a table and as JSON."""

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import asdict, field, frozen


@frozen
class Spread:
    """One figure over several rounds.

    Attributes:
        median: The middle one.
        least: The smallest.
        most: The largest.
    """

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Sum up the values of all rounds."""
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        if self.least == self.most:
            return f"{self.median:.4g}"
        return f"{self.median:.4g} ({self.least:.4g}-{self.most:.4g})"


@frozen
class Ratio:
    """One ratio, made within each round so that a slow minute of the machine weighs on both sides.

    Attributes:
        name: What is divided by what.
        value: The ratio over the rounds.
        aim: The most it should be, or None where nothing is aimed at.
    """

    name: str
    value: Spread
    aim: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the median keeps to the aim; None without one."""
        return None if self.aim is None else self.value.median <= self.aim


@frozen
class Report:
    """What one scenario has found.

    Attributes:
        scenario: Its name.
        question: What it answers, in one sentence.
        rows: Per candidate, its figures by name, unit included.
        ratios: What to look at.
        settings: What the scenario was run with.
        notes: Sentences that a reader needs.
        failed: Whether it ended with an error instead.
    """

    scenario: str
    question: str
    rows: Mapping[str, Mapping[str, Spread]]
    ratios: Sequence[Ratio]
    settings: Mapping[str, object] = field(factory=dict)
    notes: Sequence[str] = ()
    failed: bool = False

    @property
    def met(self) -> bool:
        """Whether no aim is missed."""
        return not self.failed and all(ratio.met is not False for ratio in self.ratios)

    def as_text(self) -> str:
        """The report as a table for a terminal."""
        columns = list(dict.fromkeys(name for row in self.rows.values() for name in row))
        cells = [["candidate", *columns]]
        cells += [
            [name, *(str(row[column]) if column in row else "" for column in columns)]
            for name, row in self.rows.items()
        ]
        lines = [f"{self.scenario}: {self.question}", *table(cells), ""]
        for ratio in self.ratios:
            verdict = "" if ratio.met is None else f"   aim {ratio.aim:g}: {'met' if ratio.met else 'MISSED'}"
            lines.append(f"  {ratio.name}: {ratio.value}{verdict}")
        lines += [f"  {note}" for note in self.notes]
        return "\n".join(lines)

    def as_json(self, facts: Mapping[str, object]) -> str:
        """The report as JSON, with the facts of the machine."""
        content = asdict(self)
        for ratio, plain in zip(self.ratios, content["ratios"], strict=True):
            plain["met"] = ratio.met
        return json.dumps({**content, "machine": facts}, indent=2)

    def write(self, folder: Path, facts: Mapping[str, object]) -> Path:
        """Write the JSON form into a folder and return the file."""
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{self.scenario}.json"
        file.write_text(self.as_json(facts) + "\n", encoding="utf-8")
        return file


def table(cells: Sequence[Sequence[str]]) -> list[str]:
    """Line up the columns, the first to the left and figures to the right."""
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines: list[str] = []
    for row in cells:
        first, *others = (text.rjust(width) for text, width in zip(row, widths, strict=True))
        lines.append("  ".join([f"  {first.strip():<{widths[0]}}", *others]).rstrip())
    lines.insert(1, "  " + "-" * (sum(widths) + 2 * (len(widths) - 1)))
    return lines
