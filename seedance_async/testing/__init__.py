"""Tools for tests: the emulated service, its pure model, faults, and an event loop on virtual time.

```python
async with Emulator(limit=3, durations=60.0, faults=["drop-after-accept:nth=2"]) as emulator:
    async with AsyncSeedance(emulator.api_key, base_url=emulator.base_url) as seedance:
        await seedance.generate("a lake at dawn")
    assert emulator.statistics().accepted == 1
```

Everything is loaded when it is first used: pytest imports this package in every run that has it installed.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seedance_async.testing.clips import Clip, ClipMode
    from seedance_async.testing.durations import DurationModel, FixedDurations, Span, TypicalDurations
    from seedance_async.testing.emulator import Emulator
    from seedance_async.testing.failures import FAILURES, Failure
    from seedance_async.testing.fault_kinds import KINDS, Kind
    from seedance_async.testing.faults import Fault, Faults
    from seedance_async.testing.journal_checks import check_journal
    from seedance_async.testing.journals import MemoryJournal, MemoryStore
    from seedance_async.testing.keys import DEMO_PREFIX
    from seedance_async.testing.orders import Order, OrderReader
    from seedance_async.testing.statistics import Statistics
    from seedance_async.testing.tasks import Twist, WorldTask
    from seedance_async.testing.thread import EmulatorThread
    from seedance_async.testing.virtual_clock import VirtualClockLoop
    from seedance_async.testing.world import Accepted, World

__all__ = [
    "DEMO_PREFIX",
    "FAILURES",
    "KINDS",
    "Accepted",
    "Clip",
    "ClipMode",
    "DurationModel",
    "Emulator",
    "EmulatorThread",
    "Failure",
    "Fault",
    "Faults",
    "FixedDurations",
    "Kind",
    "MemoryJournal",
    "MemoryStore",
    "Order",
    "OrderReader",
    "Span",
    "Statistics",
    "Twist",
    "TypicalDurations",
    "VirtualClockLoop",
    "World",
    "WorldTask",
    "check_journal",
]

_MODULES = {
    "clips": ("Clip", "ClipMode"),
    "durations": ("DurationModel", "FixedDurations", "Span", "TypicalDurations"),
    "emulator": ("Emulator",),
    "failures": ("FAILURES", "Failure"),
    "fault_kinds": ("KINDS", "Kind"),
    "faults": ("Fault", "Faults"),
    "journal_checks": ("check_journal",),
    "journals": ("MemoryJournal", "MemoryStore"),
    "keys": ("DEMO_PREFIX",),
    "orders": ("Order", "OrderReader"),
    "statistics": ("Statistics",),
    "tasks": ("Twist", "WorldTask"),
    "thread": ("EmulatorThread",),
    "virtual_clock": ("VirtualClockLoop",),
    "world": ("Accepted", "World"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    """Load what is asked for from the module that has it."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
