"""The benchmark of many clients runs; its figures are judged by its aims, on a quiet machine."""

import sys

import pytest

from benchmarks.options import Options
from benchmarks.web import scenario


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
def test_forty_clients_at_once() -> None:
    """All are served, also those who are refused at first; none of those who hang up waits on."""
    report = scenario.run(Options(rounds=1, tasks=1, seed=1, quick=True))
    assert report.rows["followed"]["done"].median == 40
    assert report.rows["full"]["done"].median == 40
    assert report.rows["full"]["503"].median > 0
    assert report.rows["leaving"]["hung up"].median == 40
    assert report.met
