"""`benchmarks/RESULTS.md`: what a full run has found, with the command that made it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks.report import Report, table

FILE: Final = Path(__file__).parent / "RESULTS.md"


def write(reports: Sequence[Report], facts: Mapping[str, object], *, minutes: float, arguments: str) -> Path:
    """Write the file, and return it."""
    FILE.write_text(as_markdown(reports, facts, minutes=minutes, arguments=arguments), encoding="utf-8")
    return FILE


def as_markdown(reports: Sequence[Report], facts: Mapping[str, object], *, minutes: float, arguments: str) -> str:
    """The whole text: where and when, every aim, every table."""
    today = dt.datetime.now(dt.UTC).date()
    versions = facts["versions"]
    assert isinstance(versions, Mapping)
    aims = [
        [f"{report.scenario}: {ratio.name}", str(ratio.value), f"{ratio.aim:g}", "met" if ratio.met else "MISSED"]
        for report in reports
        for ratio in report.ratios
        if ratio.aim is not None
    ]
    missed = sum(row[-1] == "MISSED" for row in aims)
    named = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    where = f"{facts['python']}, {facts['system']}, {facts['processor']}, {facts['cores']} cores, {named}"
    lines = [
        "# Results of the benchmarks",
        "",
        "Written by one run, and not by hand:",
        "",
        "```sh",
        f'make bench ARGS="{arguments}"',
        "```",
        "",
        f"{today}, {where}.",
        "",
        f"The load of the machine was {facts['load']} at the start, and the run took {minutes:.1f} minutes.",
        "Seeds, rounds and sizes are below each table; the seed decides durations, faults and the order of candidates.",
        "[README.md](README.md) says what each scenario is, and what its figures depend on.",
        "",
        f"{len(aims) - missed} of {len(aims)} aims are met, {missed} missed:",
        "",
        *(f"**{report.scenario} failed.**\n" for report in reports if report.failed),
        "```text",
        *(line[2:] for line in table([["what", "median (range)", "aim", ""], *aims])),
        "```",
        "",
    ]
    for report in reports:
        settings = ", ".join(f"{name} {value}" for name, value in report.settings.items())
        lines += [f"## {report.scenario}", "", "```text", report.as_text(), "", f"  {settings}", "```", ""]
    return "\n".join(lines)
