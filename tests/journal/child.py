"""A process of its own with a journal: `child.py COMMAND PATH`. What it says is one line each."""

import argparse
import contextlib
import os
import random
import signal
import sys
import time
from pathlib import Path

from seedance_async.errors import JournalError
from seedance_async.journal import read_journal
from seedance_async.journal.database import Database
from seedance_async.journal.lockfile import LockFile, TakenError
from tests.core.record_histories import AT, queued


def say(text: object) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def hold(path: Path) -> None:
    """Have the journal open, with two records in it, until the input ends."""
    database = Database(path)
    database.open()
    database.write([queued("a"), queued("b")])
    say("open")
    sys.stdin.read()


def write(path: Path) -> None:
    """Write one record after the other, for ever; say each that is durable."""
    database = Database(path)
    records = database.open()
    for number in range(len(records), 10**9):
        database.write([queued(str(number))])
        say(number)


def forget(path: Path) -> None:
    """Have the journal open, and end as a program does that never heard of closing."""
    database = Database(path)
    database.open()
    database.write([queued("a")])
    sys.exit("the end")


def leave_child(path: Path) -> None:
    """Have the journal open, and a forked child that lives on until the input ends."""
    database = Database(path)
    database.open()
    database.write([queued("a")])
    if os.fork() == 0:
        say("forked")
        sys.stdin.read()
        return
    time.sleep(3600)


def end_child(path: Path) -> None:
    """Fork a child that ends as any Python program does; write before and afterwards."""
    database = Database(path)
    database.open()
    database.write([queued("a")])
    pid = os.fork()
    if pid == 0:
        return
    os.waitpid(pid, 0)
    database.write([queued("b")])
    say([record.key for record in read_journal(path)])
    database.close()
    say(sorted(file.name for file in path.parent.iterdir()))


def kill(path: Path) -> None:
    """Kill writers at random moments; after each, everything that they called durable is there."""
    rng = random.Random(7)
    survived = 0
    for _ in range(20):
        reads, writes = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reads)
            database = Database(path)
            keys = len(database.open())
            while True:
                database.write([queued(str(keys)), queued(f"{keys}+")])
                os.write(writes, b".")
                keys += 2
        os.close(writes)
        time.sleep(rng.uniform(0, 0.1))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        with os.fdopen(reads, "rb") as pipe:
            durable = len(pipe.read()) * 2
        # The next writer finds it as the crash left it, or as a close did. A new one may not be there yet.
        before, survived = survived, len(read_journal(path)) if path.exists() else 0
        assert survived % 2 == 0, "half a write is there"
        assert before + durable <= survived <= before + durable + 2, (before, durable, survived)
        if rng.random() < 0.5:
            database = Database(path)
            assert len(database.open()) == survived
            database.close()
    say(f"survived {survived > 0}")


def race(path: Path) -> None:
    """Take and give back the lock from several processes at the same time; no two have it at any moment."""
    claim, turns = path.with_name("held"), path.with_name("turns")
    until = time.monotonic() + 0.5
    pids: list[int] = []
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            while time.monotonic() < until:
                lock = LockFile(path)
                try:
                    lock.take("host", AT)
                except TakenError:
                    continue
                with claim.open("x"):
                    pass
                with turns.open("a", encoding="utf-8") as file:
                    file.write(f"{os.getpid()}\n")
                claim.unlink()
                lock.give_back()
            return
        pids.append(pid)
    say([os.waitpid(pid, 0)[1] for pid in pids])
    say(len(set(turns.read_text(encoding="utf-8").split())) > 1)


def tear(path: Path) -> None:
    """Be killed in the middle of a write, where there is no log: half of it is in the file."""
    database = Database(path, place=lambda _: ("lent", "9p"))
    database.open()
    database.write([queued(str(number)) for number in range(50)])
    assert database._connection is not None
    database._connection.execute("PRAGMA cache_size = 1")
    database._connection.execute("BEGIN IMMEDIATE")
    database._connection.execute("UPDATE jobs SET notes = 'half', digest = printf('%.*c', 3000, 'x')")
    os.kill(os.getpid(), signal.SIGKILL)


def fill(path: Path) -> None:
    """Write until the disk is full, make room, and write on."""
    database = Database(path)
    database.open()
    filler = path.with_name("filler")
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    written: list[str] = []
    try:
        for number in range(1000):
            database.write([queued(str(number), digest="d" * 5000)])
            written.append(str(number))
    except JournalError as error:
        say(error)
    try:
        database.write([queued("full", digest="d" * 50_000)])
    except JournalError as error:
        say(error)
    filler.unlink()
    database.write([queued("room")])
    keys = [record.key for record in read_journal(path)]
    assert keys[: len(written)] == written
    say(keys[-1])
    database.close()
    say(len(read_journal(path)) == len(keys))


def fail(path: Path) -> None:
    """Write until the system refuses longer files, have it allow them again, and write on."""
    if sys.platform == "win32":
        return
    import resource

    database = Database(path)
    database.open()
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, most))
    try:
        for number in range(1000):
            database.write([queued(str(number), digest="d" * 5000)])
    except JournalError as error:
        say(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    database.write([queued("again")])
    keys = [record.key for record in read_journal(path)]
    database.close()
    assert keys == [*(str(number) for number in range(len(keys) - 1)), "again"]
    say(len(read_journal(path)) == len(keys) > 2)


def look(path: Path) -> None:
    """Open the journal, and read it; say what comes of either."""
    try:
        Database(path).open()
    except JournalError as error:
        say(error)
    say(len(read_journal(path)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    commands = {
        each.__name__: each
        for each in (hold, write, forget, leave_child, end_child, kill, race, tear, fill, fail, look)
    }
    parser.add_argument("command", choices=commands)
    parser.add_argument("path", type=Path)
    given = parser.parse_args()
    commands[given.command](given.path)
