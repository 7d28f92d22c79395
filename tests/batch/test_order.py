"""In which order a batch starts its rows."""

from decimal import Decimal
from pathlib import Path

import pytest

from seedance_async.batch import BatchRunner, ExitCode, RunOptions
from tests.batch.driving import StartEmulator, run
from tests.batch.plans import plan_of


@pytest.mark.parametrize(
    ("options", "started"),
    [
        (RunOptions(), ["short", "long", "middle"]),
        (RunOptions(order="longest-first"), ["long", "middle", "short"]),
        (RunOptions(order="longest-first", budget=Decimal(10)), ["short", "long", "middle"]),
    ],
    ids=["of the file", "longest first", "not enough for all"],
)
async def test_the_order_of_the_rows(
    emulator: StartEmulator, tmp_path: Path, options: RunOptions, started: list[str]
) -> None:
    """Rows start as in the file, or the longest first where all can be paid; reports have the order of the file."""
    service = await emulator(limit=1)
    plan = plan_of(
        *({"prompt": prompt, "duration": length} for prompt, length in (("short", 4), ("long", 15), ("middle", 9)))
    )
    report = await run(service, BatchRunner(plan, tmp_path, options))
    assert report.exit_code is ExitCode.DONE
    assert [task.order.prompt for task in service.world.tasks.values()] == started
    assert [ended.row.inputs.prompt for ended in report.rows] == ["short", "long", "middle"]
