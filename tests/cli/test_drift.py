"""What the service charges or delivers differs from what was planned."""

from collections.abc import Callable
from pathlib import Path

import pytest

from seedance_async.testing import EmulatorThread
from tests.cli.harness import QUICK, Seedance


@pytest.mark.parametrize(("more", "made"), [((), 1), (("--on-drift", "stop"), 1), (("--on-drift", "go"), 3)])
def test_drift_stops_a_batch_unless_told_otherwise(
    seedance: Seedance,
    serve: Callable[..., EmulatorThread],
    tmp_path: Path,
    more: tuple[str, ...],
    made: int,
) -> None:
    """The first video that costs something else than planned ends the submitting; it is saved, and said."""
    served = serve(limit=1, faults=["credits-drift"])
    file, out = tmp_path / "rows.txt", tmp_path / "out"
    file.write_text("one\ntwo\nthree\n")
    ended = seedance("batch", file, "-o", out, "--yes", "--concurrency", "1", *more, *QUICK)
    assert served.statistics().accepted >= made
    if made == 3:
        assert ended.code == 0
        assert len(list(out.glob("*.mp4"))) == 3
    else:
        assert ended.code == 1
        assert served.statistics().accepted < 3
        assert len(list(out.glob("*.mp4"))) == served.statistics().accepted
        assert "planned" in ended.err
        assert (out / "remaining.csv").exists() or (out / "remaining.txt").exists()
