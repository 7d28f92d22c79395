"""What only a process of its own can show: a full disk, missing permissions, several writers, a kill."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from seedance_async.parts import SYNC_EVERY
from tests.downloads.host import FileHost, HostThread, stall

ROOT = Path(__file__).parents[2]
CHILD = (sys.executable, "-m", "tests.downloads.child")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="mounts, limits and users of POSIX")


def run(*arguments: str, before: tuple[str, ...] = ()) -> list[str]:
    done = subprocess.run(
        [*before, *CHILD, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if not line.startswith("progress")]


def mounted(folder: Path, options: str) -> tuple[str, ...]:
    """The start of a command that sees a file system of its own in `folder`; skips where nobody may mount."""
    unshare = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")
    mount = f"mount -t tmpfs -o {options} tmpfs '{folder}'"
    try:
        allowed = subprocess.run([*unshare, mount], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        allowed = False
    if not allowed:
        pytest.skip("mounting is not allowed here")
    return (*unshare, f'{mount} && exec "$@"', "sh")


def test_full_disk(tmp_path: Path) -> None:
    """A full disk is an error that says where and what to do; the part that fills it is removed."""
    with HostThread(FileHost(content=bytes(6_000_000))) as host:
        lines = run(host.url(), f"{tmp_path}/", before=mounted(tmp_path, "size=3m"))
    problem = f"the disk of {tmp_path} is full; make room and download it again"
    assert lines == [f"error {tmp_path}/task_1.mp4 was not saved (task task_1): {problem}", "left "]


def test_no_room_for_names(tmp_path: Path) -> None:
    """A disk that is full before the first byte is the same error."""
    with HostThread(FileHost()) as host:
        lines = run(host.url(), f"{tmp_path}/", before=mounted(tmp_path, "size=1m,nr_inodes=2"))
    assert "is full; make room" in lines[0]
    assert lines[1] == "left "


def test_read_only(tmp_path: Path) -> None:
    """A read-only file system is an error that says so."""
    with HostThread(FileHost()) as host:
        lines = run(host.url(), f"{tmp_path}/", before=mounted(tmp_path, "ro"))
    assert lines[0].endswith(f"{tmp_path} is read-only; save it elsewhere")
    assert host.asked == []


def test_largest_file(tmp_path: Path) -> None:
    """A file beyond a limit of the system or the process is an error, and its part is removed."""
    with HostThread(FileHost(content=bytes(6_000_000))) as host:
        lines = run(host.url(), f"{tmp_path}/", "--limit-size", "3000000")
    assert "the file is larger than" in lines[0]
    assert lines[1] == "left "


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can become another user")
def test_no_permission() -> None:
    """A folder that belongs to somebody else is an error that says so."""
    # Not below pytest's own folder, which nobody else may even look into.
    with tempfile.TemporaryDirectory() as folder, HostThread(FileHost()) as host:
        Path(folder).chmod(0o755)
        lines = run(host.url(), f"{folder}/", "--as-nobody")
    assert lines[0].endswith(f"no permission to write in {folder}, or another program has the file open")
    assert host.asked == []


def test_several_processes(tmp_path: Path) -> None:
    """Processes that save one file at the same time write one whole file, and all of them say so."""
    with HostThread(FileHost(content=os.urandom(3_000_000))) as host:
        children = [
            subprocess.Popen(
                [*CHILD, host.url(), str(tmp_path / "lake.mp4")], cwd=ROOT, stdout=subprocess.PIPE, text=True
            )
            for _ in range(4)
        ]
        outputs = [child.communicate(timeout=60)[0] for child in children]
    assert all(f"saved {tmp_path / 'lake.mp4'}" in output for output in outputs)
    assert (tmp_path / "lake.mp4").read_bytes() == host.content
    assert [path.name for path in tmp_path.iterdir()] == ["lake.mp4"]


def test_kill(tmp_path: Path) -> None:
    """After a kill there is no final name, and the next process goes on with what was synced."""
    with HostThread(FileHost(content=os.urandom(2 * SYNC_EVERY))) as host:
        host.script = [stall(SYNC_EVERY // 2)]
        with subprocess.Popen(
            [*CHILD, host.url(), str(tmp_path / "lake.mp4")], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            for line in child.stdout:
                if int(line.removeprefix("progress ")) > SYNC_EVERY * 5 // 4:
                    break
            child.kill()
        assert all(path.name.startswith(".lake.mp4.") for path in tmp_path.iterdir())
        lines = run(host.url(), str(tmp_path / "lake.mp4"))
        offset = host.asked[-1].offset
    assert lines == [f"saved {tmp_path / 'lake.mp4'}", "left lake.mp4"]
    assert SYNC_EVERY <= offset < SYNC_EVERY * 5 // 4
    assert (tmp_path / "lake.mp4").read_bytes() == host.content
