"""Where a journal may lie, by the tables of mounts that the systems give."""

import sys
from pathlib import Path

import pytest

from seedance_async.errors import JournalError
from seedance_async.journal.database import Database
from seedance_async.journal.places import Place, kind_of, linux_file_system, macos_file_system, place_of

MOUNTINFO = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 27 0:40 / /data rw,relatime shared:5 - nfs4 nas:/data rw,vers=4.2
31 30 0:41 / /data/ann/disk rw shared:6 master:1 - btrfs /dev/sdb rw
32 27 0:42 / /media/c rw,noatime - 9p C:\\134 rw,aname=drvfs
33 27 0:43 / /srv/two\\040words rw - fuse.sshfs studio: rw
34 27 0:44 / /srv/covered rw - ext4 /dev/sdc rw
35 27 0:45 / /srv/covered rw - cifs //nas/share rw
a line that is none
"""
MOUNTS = """\
/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)
/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled, nobrowse, protect)
//ann@nas/share on /Volumes/share (smbfs, nodev, nosuid, mounted by ann)
nas:/x on /Volumes/two words (nfs, nodev)
studio: on /Volumes/ssh (macfuse, nodev, nosuid, synchronous, mounted by ann)
map auto_home on /System/Volumes/Data/all (autofs, automounted, nobrowse)
"""


@pytest.mark.parametrize(
    ("folder", "name", "place"),
    [
        ("/", "ext4", "disk"),
        ("/videos", "ext4", "disk"),
        ("/data", "nfs4", "network"),
        ("/data/ann", "nfs4", "network"),
        ("/database", "ext4", "disk"),
        ("/data/ann/disk/x", "btrfs", "disk"),
        ("/media/c/videos", "9p", "lent"),
        ("/srv/two words/x", "fuse.sshfs", "network"),
        ("/srv/covered", "cifs", "network"),
    ],
)
def test_linux(folder: str, name: str, place: Place) -> None:
    """The nearest mount point counts, of two at one place the later one."""
    assert linux_file_system(folder, MOUNTINFO) == name
    assert kind_of(name) == place


@pytest.mark.parametrize(
    ("folder", "place"),
    [
        ("/Videos/x", "disk"),
        ("/System/Volumes/Data/x", "disk"),
        ("/Volumes/share/x", "network"),
        ("/Volumes/two words", "network"),
        ("/Volumes/ssh", "network"),
        ("/Volumes/sshd", "disk"),
    ],
)
def test_macos(folder: str, place: Place) -> None:
    """What is not local is of a network, whatever its name."""
    assert kind_of(macos_file_system(folder, MOUNTS)) == place


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("xfs", "disk"), ("overlay", "disk"), ("tmpfs", "disk"), ("apfs", "disk"), ("vfat", "disk"), ("", "disk"),
        ("of-next-year", "lent"),
        ("SMB3", "network"), ("fuse.rclone", "network"), ("fuse.gcsfuse", "network"), ("lustre", "network"),
        ("fuse.gocryptfs", "lent"), ("fuseblk", "lent"), ("virtiofs", "lent"), ("fuse", "lent"),
        ("nfs.something", "network"),
    ],
)  # fmt: skip
def test_names(name: str, place: Place) -> None:
    """A program in user space is known by its own name; one that is not known may share no memory."""
    assert kind_of(name) == place


def test_no_table() -> None:
    """What nobody says anything about is taken for a disk."""
    assert linux_file_system("/x", "") == ""
    assert macos_file_system("/x", "nothing here") == ""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the table of mounts of Linux")
def test_this_machine(tmp_path: Path) -> None:
    """The table of this system is found and understood, also by way of a link."""
    assert place_of(Path("/proc/self"))[1] == "proc"
    (tmp_path / "link").symlink_to("/proc")
    assert place_of(tmp_path / "link" / "self")[1] == "proc"
    assert place_of(tmp_path)[1] != ""


def test_the_folder_of_the_file_counts(tmp_path: Path) -> None:
    """A link to a journal elsewhere is judged by where it leads."""
    (tmp_path / "share").mkdir()
    (tmp_path / "journal.db").symlink_to(tmp_path / "share" / "journal.db")
    asked: list[Path] = []

    def place(folder: Path) -> tuple[Place, str]:
        asked.append(folder)
        return "network", "nfs"

    with pytest.raises(JournalError, match="network file system"):
        Database(tmp_path / "journal.db", place=place).open()
    assert asked == [tmp_path / "share"]
