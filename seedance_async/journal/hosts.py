"""Which machine this is: a journal remembers who wrote it last, so that a copy on another machine is noticed."""

import platform
import sys
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from attrs import frozen

_MACHINE_IDS: Final = ("/etc/machine-id", "/var/lib/dbus/machine-id")


@frozen
class JournalHost:
    """Where and when a journal was last opened for writing.

    Attributes:
        name: The machine's name, for people.
        path: The journal's file on that machine.
        at: When it was opened (UTC).
        here: Whether that was this machine. Its identity decides where it has one, so that a new name does not matter;
            else the name. A container has the identity, or the name, that its image or its runtime gives it.
    """

    name: str
    path: str
    at: datetime
    here: bool


def host_name() -> str:
    """Return the name of this machine, for people."""
    return platform.node() or "unknown"


def host_identity(files: tuple[str, ...] = _MACHINE_IDS) -> str:
    """Return what stays the same while this machine does; by its name where it has nothing better.

    The identity itself is a secret of the machine, so only a digest of it is returned.
    """
    found = _machine_id(files)
    text = f"name {host_name()}" if found is None else f"machine {found}"
    return sha256(f"seedance_async journal, {text}".encode()).hexdigest()[:32]


def _machine_id(files: tuple[str, ...]) -> str | None:
    if sys.platform == "win32":
        return _windows_id()
    for file in files:
        try:
            text = Path(file).read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            continue
        # Images of machines that were never started have an empty one, or a word in its place.
        if len(text) == 32:
            return text
    return _macos_id() if sys.platform == "darwin" else None


def _windows_id() -> str | None:
    if sys.platform != "win32":
        return None
    import winreg  # noqa: PLC0415 (Windows has it)

    try:
        place = winreg.OpenKey(
            winreg.HKEY_LOCAL_MACHINE,
            r"SOFTWARE\Microsoft\Cryptography",
            access=winreg.KEY_READ | winreg.KEY_WOW64_64KEY,
        )
        with place:
            return str(winreg.QueryValueEx(place, "MachineGuid")[0])
    except OSError:
        return None


def _macos_id() -> str | None:
    import ctypes  # noqa: PLC0415 (macOS needs it, nobody else)

    uuid = (ctypes.c_ubyte * 16)()
    no_wait = (ctypes.c_long * 2)()
    try:
        failed = ctypes.CDLL(None).gethostuuid(uuid, no_wait)
    except (AttributeError, OSError):
        return None
    return None if failed or not any(uuid) else bytes(uuid).hex()
