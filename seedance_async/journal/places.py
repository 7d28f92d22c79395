"""Where a journal may lie: whether the locks of a file system hold, and whether processes share memory there.

1. Network file systems are refused: their locks hold on one machine only, or until a server restarts, and a second
   writer pays twice.
2. On ordinary disks processes share memory, which a write-ahead log needs.
3. Any other is taken for one that another system lends to this one (a virtual machine's or a container's view of its
   host, programs in user space): it has locks, and perhaps no memory that processes share. No such log there.
4. Where the system does not say what it is, it is taken for a disk.
"""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

Place = Literal["disk", "lent", "network"]

_NETWORK: Final = frozenset({
    "acfs", "afpfs", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "gfs", "gfs2", "glusterfs", "gpfs", "juicefs",
    "lustre", "ncp", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "panfs", "pvfs2", "smb", "smb2", "smb3", "smbfs",
    "sshfs", "webdav", "wekafs",
    # Programs in user space, "fuse." and their name.
    "blobfuse", "blobfuse2", "curlftpfs", "davfs2", "gcsfuse", "goofys", "google-drive-ocamlfuse", "gvfsd-fuse",
    "mfs", "moosefs", "mount-s3", "mountpoint-s3", "rclone", "s3fs", "s3ql", "seaweedfs", "weed",
})  # fmt: skip
_DISK: Final = frozenset({
    "apfs", "aufs", "bcachefs", "btrfs", "devtmpfs", "ecryptfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "fat",
    "hfs", "hfsplus", "jfs", "msdos", "nilfs2", "ntfs", "ntfs3", "overlay", "ramfs", "refs", "reiserfs", "rootfs",
    "tmpfs", "ubifs", "udf", "ufs", "vfat", "xfs", "zfs",
})  # fmt: skip
_MACOS_LINE: Final = re.compile(r".* on (?P<at>/.*) \((?P<options>[^()]*)\)")
_DRIVE_REMOTE: Final = 4


def place_of(folder: Path) -> tuple[Place, str]:
    """Return what kind of place a folder is, and the name of its file system. Blocks."""
    name = _file_system(folder.resolve())
    return kind_of(name), name


def kind_of(file_system: str) -> Place:
    """Return what kind of place a file system is, by its name."""
    family, _, program = file_system.lower().partition(".")
    if (program or family) in _NETWORK or family in _NETWORK:
        return "network"
    return "disk" if family in _DISK or not family else "lent"


def linux_file_system(folder: str, mountinfo: str) -> str:
    """Return the name of a folder's file system, by the text of `/proc/self/mountinfo`; empty if it is not there."""
    found, longest = "", -1
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields, described = before.split(" "), after.split(" ")
        if len(fields) < 5:
            continue
        at = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[4])
        # Of two at the same place the later one covers the earlier one.
        if _is_in(folder, at) and len(at) >= longest:
            found, longest = described[0], len(at)
    return found


def macos_file_system(folder: str, mounts: str) -> str:
    """Return the name of a folder's file system, by the output of `mount`; `nfs` for any that is not local."""
    found, longest = "", -1
    for line in mounts.splitlines():
        match = _MACOS_LINE.fullmatch(line)
        if match is None or not _is_in(folder, match["at"]) or len(match["at"]) < longest:
            continue
        name, *options = (option.strip() for option in match["options"].split(","))
        longest = len(match["at"])
        found = name if "local" in options else "nfs"
    return found


def _is_in(folder: str, at: str) -> bool:
    return at in {"/", folder} or folder.startswith(f"{at}/")


def _file_system(folder: Path) -> str:
    try:
        if sys.platform == "win32":
            return _windows_file_system(folder)
        if sys.platform == "darwin":
            return macos_file_system(str(folder), _output_of(("/sbin/mount",)))
        mountinfo = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
        return linux_file_system(str(folder), mountinfo)
    except (OSError, subprocess.SubprocessError):
        return ""


def _output_of(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, timeout=10, check=False)  # noqa: S603 (a fixed command)
    return done.stdout.decode("utf-8", "surrogateescape")


def _windows_file_system(folder: Path) -> str:
    if sys.platform != "win32":
        return ""
    import ctypes  # noqa: PLC0415 (Windows needs it)

    drive = folder.drive
    if drive.startswith("\\\\") and not drive.startswith(("\\\\?\\", "\\\\.\\")):
        return "smb"
    remote: int = ctypes.windll.kernel32.GetDriveTypeW(f"{drive}\\")
    return "smb" if remote == _DRIVE_REMOTE or drive.upper().startswith("\\\\?\\UNC\\") else ""
