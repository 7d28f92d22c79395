"""Plans and ended rows to test with."""

import csv
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from seedance_async.batch.formats import read_csv, read_jsonl
from seedance_async.core.catalogue import Catalogue
from seedance_async.core.plan import Plan, make_plan
from seedance_async.core.record import JobRecord
from seedance_async.core.results import Output, VideoResult
from seedance_async.core.run_options import DEFAULT_OPTIONS, RunOptions
from seedance_async.core.stand import stand
from seedance_async.core.standing import FolderStanding

SIGNED = "https://files.example/clip.mp4?X-Amz-Signature=abc123"


def plan_of(*rows: Mapping[str, object], catalogue: Catalogue = Catalogue.CLASSIC, name: str | None = None) -> Plan:
    """Plan rows as if they had been read from `rows.jsonl`."""
    source = read_jsonl("rows.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows), bom=False)
    return make_plan(source, defaults={}, catalogue=catalogue, name_pattern=name)


def plan_of_csv(lines: Iterable[str], *, bom: bool = False) -> Plan:
    """Plan rows as if they had been read from `rows.csv`."""
    source = read_csv("rows.csv", "\n".join(lines), bom=bom)
    return make_plan(source, defaults={}, catalogue=Catalogue.CLASSIC)


NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def standing_of(
    plan: Plan,
    records: Iterable[JobRecord] = (),
    sizes: Mapping[str, int] | None = None,
    options: RunOptions = DEFAULT_OPTIONS,
) -> FolderStanding:
    """Put a plan and a folder together, which is new unless records are given."""
    return stand(plan, records, sizes or {}, options, now=NOW, catalogue=Catalogue.CLASSIC)


def video(task_id: str, used: str | None = "415") -> VideoResult:
    """Make a result as the service reports it."""
    return VideoResult(
        task_id,
        "seedance-20",
        (Output(SIGNED, 1920, 1080, "video/mp4", seed=7),),
        None if used is None else Decimal(used),
        datetime(2026, 11, 1, 12, 0, tzinfo=UTC),
        datetime(2026, 11, 1, 12, 2, 30, 500_000, tzinfo=UTC),
    )


def table(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
