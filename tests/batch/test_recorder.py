"""The manifest while a batch runs."""

import asyncio
import json
from pathlib import Path

import pytest

from seedance_async.batch.manifest import Manifest, Record
from seedance_async.batch.recorder import Recorder


class FailingManifest(Manifest):
    """A manifest on a disk that is full for a while."""

    full = True

    def append(self, records: object) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        super().append(records)  # type: ignore[arg-type]


def _record(number: int) -> Record:
    return {"key": str(number), "status": "done"}


def _keys(folder: Path) -> list[str]:
    return [json.loads(line)["key"] for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines()]


async def test_records_are_durable_in_order_before_anybody_is_told(tmp_path: Path) -> None:
    """Whoever is told finds the line in the file."""
    manifest = Manifest(tmp_path)
    recorder = Recorder(manifest, pytest.fail)
    told: list[int] = []

    def tell(number: int) -> None:
        assert str(number) in _keys(tmp_path)
        told.append(number)

    for number in range(20):
        recorder.put(_record(number), lambda number=number: tell(number))  # type: ignore[misc]
        if number % 7 == 0:
            await asyncio.sleep(0.01)
    await recorder.flush()
    manifest.close()
    assert told == list(range(20))
    assert _keys(tmp_path) == [str(number) for number in range(20)]


async def test_what_could_not_be_written_is_kept_and_written_later(tmp_path: Path) -> None:
    """A disk that gets room again costs no line; nobody waits for ever meanwhile."""
    manifest = FailingManifest(tmp_path)
    troubles: list[str] = []
    recorder = Recorder(manifest, troubles.append)
    told: list[str] = []
    recorder.put(_record(1), lambda: told.append("one"))
    await recorder.flush()
    assert told == ["one"]
    assert troubles == [f"{tmp_path / 'manifest.jsonl'} cannot be written: No space left on device"]
    manifest.full = False
    recorder.put(_record(2), lambda: told.append("two"))
    await recorder.flush()
    manifest.close()
    assert told == ["one", "two"]
    assert _keys(tmp_path) == ["1", "2"]


async def test_a_flush_tries_once_more(tmp_path: Path) -> None:
    """The end of a batch is the last chance of a line."""
    manifest = FailingManifest(tmp_path)
    recorder = Recorder(manifest, lambda _message: None)
    recorder.put(_record(1))
    await recorder.flush()
    manifest.full = False
    await recorder.flush()
    manifest.close()
    assert _keys(tmp_path) == ["1"]


async def test_a_way_out_that_cannot_wait_writes_everything(tmp_path: Path) -> None:
    """What a thread has in hand may be there twice, and is there."""
    manifest = Manifest(tmp_path)
    recorder = Recorder(manifest, pytest.fail)
    for number in range(5):
        recorder.put(_record(number))
    recorder.write_now()
    manifest.close()
    assert set(_keys(tmp_path)) == {"0", "1", "2", "3", "4"}
    await recorder.flush()
