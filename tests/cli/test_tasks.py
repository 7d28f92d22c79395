"""`seedance status` and `seedance download`: tasks by their ids."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from seedance_async.testing import EmulatorThread
from tests.cli.harness import QUICK, Seedance


@pytest.fixture
def create(account: EmulatorThread) -> Callable[[str], str]:
    """Create a task by hand and give its id."""

    async def post(prompt: str) -> str:
        url, key = account.base_url, account.api_key
        body = {"model": "seedance-20", "inputs": {"prompt": prompt, "duration": "5", "outputResolution": "720p"}}
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as http,
            http.post(f"{url}/jobs/createTask", json=body) as answer,
        ):
            task_id: str = (await answer.json())["taskId"]
            return task_id

    return lambda prompt: asyncio.run(post(prompt))


def test_status_of_many(seedance: Seedance, create: Callable[[str], str]) -> None:
    """A line each in the order asked for; a wrong id has its own line and spoils nothing but the exit code."""
    first, second = create("a [takes:0]"), create("b [stuck]")
    ended = seedance("status", second, "task_wrong", first)
    assert ended.code == 1
    assert [line.split()[0] for line in ended.out.splitlines()] == [second, first]
    assert "success" in ended.out
    assert "200 credits" in ended.out
    assert "task_wrong" in ended.err
    assert seedance("status", first).code == 0


def test_status_as_json(seedance: Seedance, create: Callable[[str], str]) -> None:
    """A list with an item per id, found or not, and no URL."""
    done, failed = create("a [takes:0]"), create("b [fail:moderation] [takes:0]")
    ended = seedance("status", "--json", done, failed, "task_wrong")
    told = json.loads(ended.out)
    assert [item["task_id"] for item in told] == [done, failed, "task_wrong"]
    assert [item.get("status") for item in told] == ["success", "fail", None]
    assert told[1]["error"]["message"]
    assert told[2]["error"]
    assert "http://" not in ended.out


def test_download_of_many(seedance: Seedance, create: Callable[[str], str], tmp_path: Path) -> None:
    """What is finished is saved and listed; the others are named with what to do, and the exit code tells."""
    done, other, running = create("a [takes:0]"), create("b [takes:0]"), create("c [stuck]")
    ended = seedance("download", done, "task_wrong", running, other, "-o", tmp_path / "new")
    assert ended.code == 1
    assert sorted(ended.out.splitlines()) == sorted(str(tmp_path / "new" / f"{i}.mp4") for i in (done, other))
    assert f"{running}: not finished yet" in ended.err
    assert "--wait" in ended.err
    assert "task_wrong" in ended.err


def test_download_waits_when_told(seedance: Seedance, create: Callable[[str], str], tmp_path: Path) -> None:
    """One task may have a file name of its own."""
    task_id = create("a [takes:200]")
    ended = seedance("download", task_id, "-o", tmp_path / "lake.mp4", "--wait", *QUICK)
    assert (ended.code, ended.out) == (0, f"{tmp_path / 'lake.mp4'}\n")


def test_download_of_a_failed_task(seedance: Seedance, create: Callable[[str], str], tmp_path: Path) -> None:
    """The service's reason, exit code 1."""
    ended = seedance("download", create("a [fail:moderation] [takes:0]"), "-o", tmp_path)
    assert ended.code == 1
    assert "moderation" in ended.err


def test_download_never_replaces(seedance: Seedance, create: Callable[[str], str], tmp_path: Path) -> None:
    """A file that is there stays, unless told."""
    task_id = create("a [takes:0]")
    (tmp_path / "lake.mp4").write_bytes(b"mine")
    assert seedance("download", task_id, "-o", tmp_path / "lake.mp4").code == 2
    assert (tmp_path / "lake.mp4").read_bytes() == b"mine"
    assert seedance("download", task_id, "-o", tmp_path / "lake.mp4", "--overwrite").code == 0


def test_many_videos_need_a_folder(seedance: Seedance, account: EmulatorThread, tmp_path: Path) -> None:
    """A file cannot hold two."""
    (tmp_path / "lake.mp4").write_bytes(b"mine")
    ended = seedance("download", "task_a", "task_b", "-o", tmp_path / "lake.mp4")
    assert ended.code == 2
    assert "folder" in ended.err


def test_a_refused_key_is_said_once_per_id(
    seedance: Seedance, account: EmulatorThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is exit code 3: nothing works before it is mended."""
    monkeypatch.setenv("KINOVI_API_KEY", "sk-planted")
    ended = seedance("status", "task_a")
    assert ended.code == 3
    assert "sk-planted" not in ended.err


def test_a_folder_of_a_batch_knows_the_names(seedance: Seedance, create: Callable[[str], str], tmp_path: Path) -> None:
    """Videos that a batch left behind go where it would have put them; others are called after their tasks."""
    lake, other = create("a [takes:0]"), create("b [takes:0]")
    record = {"key": "lake", "task_id": lake, "status": "running", "planned": "scenes/lake.mp4"}
    (tmp_path / "manifest.jsonl").write_text(f"{json.dumps(record)}\n")
    ended = seedance("download", lake, other, "-o", tmp_path)
    assert ended.code == 0
    assert sorted(ended.out.splitlines()) == sorted([
        str(tmp_path / "scenes" / "lake.mp4"), str(tmp_path / f"{other}.mp4"),
    ])  # fmt: skip
