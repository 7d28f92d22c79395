"""Tools for tests: the emulated service, its pure model, faults, and an event loop on virtual time."""

from seedance_async.testing.durations import DurationModel, FixedDurations, TypicalDurations
from seedance_async.testing.emulator import Emulator
from seedance_async.testing.statistics import Statistics
from seedance_async.testing.virtual_clock import VirtualClockLoop
from seedance_async.testing.world import World

__all__ = [
    "DurationModel",
    "Emulator",
    "FixedDurations",
    "Statistics",
    "TypicalDurations",
    "VirtualClockLoop",
    "World",
]
