"""The lock of a journal: one holder, whatever happens to its file (P2)."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seedance_async.filelock import Claim, claim
from seedance_async.journal.lockfile import Holder, LockFile, NoLocksError, TakenError, holder_of
from tests.core.record_histories import AT


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the lock's file is."""
    return tmp_path / "journal.db.lock"


def taken(path: Path, claim: Callable[[int], Claim] = claim) -> LockFile:
    """A lock that is held."""
    lock = LockFile(path, claim=claim)
    lock.take("studio", AT)
    return lock


def test_one_holder(path: Path) -> None:
    """A second one is told who the first is; when that gives it back the file is gone and the lock is free."""
    lock = taken(path)
    assert lock.held
    with pytest.raises(TakenError) as caught:
        taken(path)
    assert str(caught.value.holder) == f"process {os.getpid()} on studio since 2026-11-23 09:30:00 UTC"
    lock.give_back()
    assert not lock.held
    assert not path.exists()
    lock.give_back()
    taken(path).give_back()


def test_a_file_that_was_left_behind(path: Path) -> None:
    """It is no lock, whatever it says; who takes it next says its own name there."""
    path.write_text('{"pid": 1, "host": "a name that is longer than the one that comes", "since": "ever"}')
    lock = taken(path)
    assert json.loads(path.read_text())["host"] == "studio"
    lock.give_back()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows removes no open file")
def test_a_file_that_is_removed_between_opening_and_claiming(path: Path) -> None:
    """The claim of a file without a name is worth nothing: the one that has the name is taken instead."""
    first = taken(path)
    tries = 0

    def late(descriptor: int) -> Claim:
        nonlocal tries
        tries += 1
        first.give_back()
        return claim(descriptor)

    second = taken(path, late)
    assert tries == 2
    assert second.held
    with pytest.raises(TakenError):
        taken(path)
    second.give_back()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows removes no open file")
def test_the_file_of_another_is_left_alone(path: Path) -> None:
    """Whose file was removed by force does not remove the one of its successor."""
    first = taken(path)
    path.unlink()
    second = taken(path)
    assert not first.held
    assert second.held
    first.give_back()
    assert second.held
    second.give_back()


def test_no_locks(path: Path) -> None:
    """A file system without locks is said to be one, and no file is left there."""
    with pytest.raises(NoLocksError):
        taken(path, lambda _: "impossible")
    assert not path.exists()


def test_a_forked_child_lets_go(path: Path) -> None:
    """It closes what it inherited; the file and the parent's lock stay."""
    lock = taken(path)
    child = LockFile(path)
    assert lock._file is not None
    child._file = os.fdopen(os.dup(lock._file.fileno()), "r+b", buffering=0)
    child.let_go()
    child.let_go()
    assert lock.held
    with pytest.raises(TakenError):
        taken(path)
    lock.give_back()


def test_a_look_says_who_has_it(path: Path) -> None:
    """And nobody where it is free; the file of a killed process stays where it is."""
    assert holder_of(path) is None
    assert not path.exists()
    lock = taken(path)
    assert str(holder_of(path)) == f"process {os.getpid()} on studio since 2026-11-23 09:30:00 UTC"
    lock.give_back()
    path.write_text('{"pid": 1}')
    assert holder_of(path) is None
    assert path.read_text() == '{"pid": 1}'


def test_a_look_is_in_nobodys_way(path: Path) -> None:
    """Whoever takes the lock while somebody looks gets it a moment later."""
    path.touch()
    with path.open("rb") as look:
        looked = False

        def meets_a_look(descriptor: int) -> Claim:
            nonlocal looked
            if not looked:
                looked = claim(look.fileno(), shared=True) == "ours"
                found = claim(descriptor)
                look.close()
                return found
            return claim(descriptor)

        taken(path, meets_a_look).give_back()
    assert looked


@pytest.mark.skipif(sys.platform == "win32", reason="Windows shares no claims")
def test_two_looks_do_not_see_each_other(path: Path) -> None:
    """Two lists of one folder do not take each other for a batch."""
    path.touch()
    with path.open("rb") as look:
        assert claim(look.fileno(), shared=True) == "ours"
        assert holder_of(path) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "another process"),
        ("half a li", "another process"),
        ("[]", "another process"),
        ('{"pid": "x", "host": 7}', "another process"),
        ('{"pid": 7}', "process 7"),
        ('{"pid": 7, "host": "studio"}', "process 7 on studio"),
    ],
)
def test_who_has_it(path: Path, text: str, expected: str) -> None:
    """As far as the file says: it may be read in the moment before it is written."""
    lock = taken(path)
    path.write_text(text)
    with pytest.raises(TakenError) as caught:
        taken(path)
    assert str(caught.value.holder) == expected
    lock.give_back()


def test_nobody_known() -> None:
    """The sentence is one without any of its parts."""
    assert str(Holder()) == "another process"
    assert str(Holder(since="noon")) == "another process since noon"
