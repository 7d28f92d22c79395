"""Commands as processes of their own: signals in the middle, pipes, terminals."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from seedance_async.cli.demo_folder import choose_folder
from seedance_async.journal import read_journal
from seedance_async.testing import EmulatorThread
from tests.cli.harness import QUICK, Seedance, environ_of, on_a_terminal, read_until, running, said

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="signals and terminals as POSIX has them"),
    pytest.mark.usefixtures("signals_heard"),
]

SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


@pytest.fixture
def stuck_rows(tmp_path: Path) -> Path:
    """Four rows whose tasks never end."""
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps({"id": f"r{n}", "prompt": f"lake {n} [stuck]"}) + "\n" for n in range(4)))
    return file


@pytest.mark.parametrize("signum", SIGNALS)
def test_a_signal_in_the_middle_of_a_batch(
    signum: signal.Signals, serve: Callable[..., EmulatorThread], stuck_rows: Path, tmp_path: Path
) -> None:
    """Nothing more is sent; what runs is counted, its ids are written down, and the command that goes on is given."""
    served = serve(limit=2)
    out = tmp_path / "out"
    with running("batch", stuck_rows, "-o", out, "--yes", "--json", *QUICK) as command:
        seen = read_until(command, "accepted as task_", 2)
        command.send_signal(signum)
        told, rest = command.communicate(timeout=30)
    ids = re.findall(r"accepted as (task_\w+)", seen)
    assert command.returncode == SIGNALS[signum]
    assert "Traceback" not in rest
    assert "2 tasks still running" in rest
    assert said(rest, "go on: seedance ") == ["resume", str(out)]
    report = json.loads(told)
    assert (report["running"], report["counts"]) == (ids, {"running": 2, "not_submitted": 2})
    assert Path(report["remaining_file"]).read_text().count("\n") == 2
    assert served.statistics().accepted == 2


def test_a_second_signal_leaves_at_once(serve: Callable[..., EmulatorThread], stuck_rows: Path, tmp_path: Path) -> None:
    """Even while an answer is on its way; the known ids are still told and already in the manifest."""
    serve(limit=4, faults=["hang-after-accept:nth=2"])
    out = tmp_path / "out"
    with running("batch", stuck_rows, "-o", out, "--yes", *QUICK) as command:
        read_until(command, "accepted as task_", 3)
        command.send_signal(signal.SIGINT)
        read_until(command, "once more")
        began = time.monotonic()
        command.send_signal(signal.SIGINT)
        _, rest = command.communicate(timeout=30)
    assert command.returncode == 130
    assert time.monotonic() - began < 5
    assert "3 tasks still running" in rest
    lines = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    assert len({line["task_id"] for line in lines if line["status"] == "running"}) == 3
    assert any(line["status"] == "unknown" for line in lines)


@pytest.mark.parametrize("pause", [0.0, 0.01, 0.05])
def test_two_signals_at_once_lose_no_id(
    pause: float, serve: Callable[..., EmulatorThread], stuck_rows: Path, tmp_path: Path
) -> None:
    """Whatever the first one has got to when the second one comes: the ids are in the journal, and said is it once."""
    serve(limit=2)
    out = tmp_path / "out"
    with running("batch", stuck_rows, "-o", out, "--yes", *QUICK) as command:
        seen = read_until(command, "accepted as task_", 2)
        command.send_signal(signal.SIGINT)
        time.sleep(pause)
        command.send_signal(signal.SIGINT)
        _, rest = command.communicate(timeout=30)
    ids = re.findall(r"accepted as (task_\w+)", seen)
    assert command.returncode == 130
    assert rest.count(f"seedance resume {out}\n") == 1
    assert {record.task_id for record in read_journal(out / "journal.db")} >= set(ids)
    written = [json.loads(line)["task_id"] for line in (out / "manifest.jsonl").read_text().splitlines()]
    # A create that was on the wire has no id.
    assert sorted(task_id for task_id in written if task_id is not None) == sorted(ids)


def test_a_second_batch_in_the_same_folder(
    serve: Callable[..., EmulatorThread], seedance: Seedance, stuck_rows: Path, tmp_path: Path
) -> None:
    """It is refused at once while the first one works, whose jobs can be listed meanwhile; a kill leaves no lock."""
    served = serve(limit=2)
    out = tmp_path / "out"
    with running("batch", stuck_rows, "-o", out, "--yes", *QUICK) as command:
        read_until(command, "accepted as task_", 2)
        again: list[list[str | Path]] = [["batch", stuck_rows, "-o", out], ["resume", out]]
        for words in again:
            ended = seedance(*words, "--yes", *QUICK)
            assert (ended.code, f"in use by process {command.pid}" in ended.err) == (2, True)
        told = json.loads(seedance("jobs", out, "--json").out)
        assert told["counts"]["running"] == 2
        assert f"process {command.pid}" in told["in_use_by"]
        command.kill()
        command.wait(30)
    told = json.loads(seedance("jobs", out, "--json").out)
    assert (told["in_use_by"], told["counts"]["running"]) == (None, 2)
    assert served.statistics().accepted == 2


def test_a_batch_that_was_killed_is_gone_on_with(
    serve: Callable[..., EmulatorThread], seedance: Seedance, tmp_path: Path
) -> None:
    """Its tasks are watched and saved, the rest is sent, nothing is paid for twice."""
    served = serve(limit=3)
    file, out = tmp_path / "rows.txt", tmp_path / "out"
    file.write_text("".join(f"lake {number}\n" for number in range(9)))
    with running("batch", file, "-o", out, "--yes", *QUICK) as command:
        read_until(command, "accepted as task_", 4)
        command.kill()
        command.wait(30)
    ended = seedance("resume", out, "--yes", "--json", *QUICK)
    # A create that was on the wire is the only thing that nobody can know.
    lost = json.loads(ended.out)["counts"].get("unknown", 0)
    assert ended.code == (4 if lost else 0)
    assert len(list(out.glob("*.mp4"))) == 9 - lost
    assert max(served.statistics().accepted_by_prompt.values()) == 1


@pytest.mark.parametrize("pause", [0.0, 0.05])
def test_a_second_signal_does_not_contradict_the_first(
    pause: float, serve: Callable[..., EmulatorThread], tmp_path: Path
) -> None:
    """What became of the money is said once."""
    served = serve(limit=1, foreign=1)
    with running("generate", "a lake", "-o", tmp_path, *QUICK) as command:
        read_until(command, "queued")
        while served.statistics().refusals == 0:
            time.sleep(0.01)
        command.send_signal(signal.SIGINT)
        time.sleep(pause)
        command.send_signal(signal.SIGINT)
        _, rest = command.communicate(timeout=30)
    assert command.returncode == 130
    assert rest.count("interrupted; nothing was sent") == 1
    assert "may be paid" not in rest


def test_a_closed_pipe_does_not_end_a_paid_batch(account: EmulatorThread, tmp_path: Path) -> None:
    """`seedance batch ... 2>&1 | head -3` makes and saves everything."""
    file, out = tmp_path / "rows.txt", tmp_path / "out"
    file.write_text("".join(f"lake {number}\n" for number in range(12)))
    with running("batch", file, "-o", out, "--yes", *QUICK) as command:
        read_until(command, "accepted as task_")
        assert command.stderr is not None
        assert command.stdout is not None
        command.stderr.close()
        command.stdout.close()
        assert command.wait(30) == 0
    assert len(list(out.glob("*.mp4"))) == 12


def test_a_signal_while_one_video_is_made(account: EmulatorThread, tmp_path: Path) -> None:
    """The id and the command that fetches it."""
    target = tmp_path / "lake.mp4"
    with running("generate", "a lake [takes:900]", "-o", target, *QUICK) as command:
        read_until(command, "task_")
        command.send_signal(signal.SIGINT)
        out, rest = command.communicate(timeout=30)
    assert (command.returncode, out) == (130, "")
    fetch = re.search(r"seedance (download task_\w+ -o \S+ --wait)", rest)
    assert fetch is not None
    with running(*fetch.group(1).split(), *QUICK) as command:
        out, _ = command.communicate(timeout=30)
    assert (command.returncode, out) == (0, f"{target}\n")


@pytest.mark.parametrize(("limit", "status", "charged"), [(1, "interrupted", "no"), (2, "interrupted", "yes")])
def test_an_interruption_is_an_object_too(
    serve: Callable[..., EmulatorThread], tmp_path: Path, limit: int, status: str, charged: str
) -> None:
    """With `--json`: whether it is paid for, and its id."""
    served = serve(limit=limit, foreign=1)
    with running("generate", "a lake [takes:900]", "-o", tmp_path, "--json", *QUICK) as command:
        read_until(command, "queued" if limit == 1 else "task_")
        while served.statistics().creates == 0:
            time.sleep(0.01)
        command.send_signal(signal.SIGINT)
        out, rest = command.communicate(timeout=30)
    told = json.loads(out)
    assert (told["status"], told["charged"], told["task_id"] is None) == (status, charged, limit == 1)
    assert told["error"].splitlines()[0] in rest


def test_a_signal_while_waiting_for_a_slot(serve: Callable[..., EmulatorThread], tmp_path: Path) -> None:
    """Nothing is sent and nothing is spent."""
    served = serve(limit=1, foreign=1)
    with running("generate", "a lake", "-o", tmp_path, *QUICK) as command:
        read_until(command, "queued")
        while served.statistics().refusals == 0:
            time.sleep(0.01)
        command.send_signal(signal.SIGTERM)
        _, rest = command.communicate(timeout=30)
    assert command.returncode == 143
    assert "nothing was sent" in rest
    assert served.statistics().accepted == 0


def test_a_signal_in_a_demo(tmp_path: Path) -> None:
    """Nobody is left with the impression that something runs and was paid; the next demo takes the same folder."""
    out = tmp_path / "demo"
    with running("demo", "-o", out) as command:
        read_until(command, "accepted as task_", 4)
        command.send_signal(signal.SIGINT)
        _, rest = command.communicate(timeout=30)
    assert command.returncode == 130
    assert "nothing to fetch or to pay" in rest
    assert "seedance resume" not in rest
    assert choose_folder(out) == out


def test_a_reader_that_goes_away(account: EmulatorThread) -> None:
    """`seedance status ... | head -1` ends without a complaint of the interpreter."""
    with running("status", "--json", "task_a", "task_b") as command:
        assert command.stdout is not None
        command.stdout.close()
        assert command.stderr is not None
        said = command.stderr.read()
        command.wait(30)
    assert [line.split(":")[0] for line in said.splitlines()] == ["task_a", "task_b"]
    assert command.returncode == 1


def test_rows_from_a_pipe(account: EmulatorThread, tmp_path: Path) -> None:
    """`-` is standard input; nobody can be asked then, so `--yes` is wanted."""
    for words, code in ((["--yes"], 0), ([], 2)):
        ended = subprocess.run(
            [sys.executable, "-m", "seedance_async", "batch", "-", "-o", tmp_path / str(code), *words, *QUICK],
            input="a lake\n", capture_output=True, text=True, timeout=60, check=False,
            env={**os.environ, **environ_of(account)},
        )  # fmt: skip
        assert ended.returncode == code, ended.stderr


def test_an_emulator_in_another_process(seedance: Seedance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says how to reach it, serves, and accounts for what was asked when it ends."""
    with running("emulator", "--port", "0", "--speed", "600", "--fault", "http-502:on=poll,nth=1") as command:
        assert command.stdout is not None
        url, key, use = (command.stdout.readline().strip() for _ in range(3))
        variables = dict(re.findall(r"(\w+)=(\S+)", use))
        assert url.endswith(variables["SEEDANCE_BASE_URL"])
        assert key.endswith(variables["KINOVI_API_KEY"])
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        words = ("--output-resolution", "480p", "--duration", "4", "--aspect-ratio", "1:1")
        assert seedance("generate", "a lake", "-o", tmp_path, *words, *QUICK).code == 0
        command.send_signal(signal.SIGINT)
        _, rest = command.communicate(timeout=30)
    assert command.returncode == 0
    assert "1 create: 1 accepted" in rest
    assert "60 spent" in rest


def test_an_emulator_for_everybody_warns() -> None:
    """Other computers can reach it."""
    with running("emulator", "--port", "0", "--host", "0.0.0.0") as command:
        read_until(command, "warning")


def test_a_terminal_is_asked(account: EmulatorThread, tmp_path: Path) -> None:
    """Anything but yes sends nothing."""
    file = tmp_path / "a.txt"
    file.write_text("a lake\n")
    code, seen = on_a_terminal(["batch", file, "-o", tmp_path / "out", *QUICK], "\n")
    assert code == 1
    assert "Go on? [y/N]" in seen
    assert account.statistics().creates == 0
    code, _ = on_a_terminal(["batch", file, "-o", tmp_path / "out", *QUICK], "y\n")
    assert (code, account.statistics().accepted) == (0, 1)


@pytest.mark.parametrize("columns", [30, 80])
def test_the_height_on_a_terminal_is_bounded(account: EmulatorThread, tmp_path: Path, columns: int) -> None:
    """Forty rows never take more lines than the screen has, and done rows leave no line behind."""
    file = tmp_path / "a.txt"
    file.write_text("".join(f"lake number {n}\n" for n in range(40)))
    code, seen = on_a_terminal(["batch", file, "-o", tmp_path / "out", "--yes", *QUICK], "", columns)
    assert code == 0
    # rich goes up line by line before it draws again: that is the height of what it drew.
    heights = [len(re.findall(r"\x1b\[1A", moves)) + 1 for moves in re.findall(r"(?:\x1b\[1A\x1b\[2K)+", seen)]
    assert heights
    assert max(heights) <= 22
    assert "saved" not in seen.split("40 of 40 videos saved")[0].replace("saved in", "")


def test_no_colours_where_none_are_wanted(
    account: EmulatorThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NO_COLOR leaves the cursor movements and nothing else."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    file = tmp_path / "a.txt"
    file.write_text("a lake [fail:moderation]\n")
    with running("batch", file, "-o", tmp_path / "out", "--yes", *QUICK) as command:
        _, seen = command.communicate(timeout=30)
    assert "\x1b" not in seen


def test_a_terminal_that_knows_no_unicode(account: EmulatorThread, tmp_path: Path) -> None:
    """Prompts and file names in any script do not end the command; what cannot be shown is escaped."""
    ended = subprocess.run(
        [sys.executable, "-m", "seedance_async", "generate", "\u6e56 caf\u00e9", "-o", tmp_path / "\u6e56.mp4", *QUICK],
        capture_output=True, timeout=60, check=False,
        env={**os.environ, **environ_of(account), "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert ended.returncode == 0
    assert ended.stdout.endswith(b"\\u6e56.mp4\n")
    assert b"Traceback" not in ended.stderr
