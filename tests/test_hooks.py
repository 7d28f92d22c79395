"""Hooks: who is told, in which order, and that none disturbs another."""

import asyncio
import inspect
import logging
from typing import get_args

import pytest
from attrs import fields, has

import seedance_async
from seedance_async import events, file_events
from seedance_async.events import HookEvent, LimitChanged, Queued
from seedance_async.hooks import Hooks


def test_every_hook_is_told_in_order() -> None:
    """Each record goes to each hook, in the order in which they were given."""
    told: list[tuple[str, HookEvent]] = []
    several = Hooks([lambda event: told.append(("first", event)), lambda event: told.append(("second", event))])
    records: list[HookEvent] = [Queued("order-17"), LimitChanged(3)]
    for event in records:
        several.call(event)
    assert told == [("first", records[0]), ("second", records[0]), ("first", records[1]), ("second", records[1])]


def test_a_hook_that_raises(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged with its traceback, disturbs nobody, and is called again."""
    told: list[HookEvent] = []
    calls = 0

    def broken(event: HookEvent) -> None:
        nonlocal calls
        calls += 1
        raise RuntimeError("oops")

    several = Hooks([broken, told.append])
    with caplog.at_level(logging.ERROR, "seedance_async"):
        several.call(Queued("order-17"))
        several.call(Queued("order-18"))
    assert told == [Queued("order-17"), Queued("order-18")]
    assert calls == 2
    assert [record.getMessage() for record in caplog.records] == ["a hook failed on Queued"] * 2
    assert all(record.exc_info and record.exc_info[0] is RuntimeError for record in caplog.records)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_in_a_hook(error: type[BaseException]) -> None:
    """What ends a program is not caught here."""

    def interrupted(event: HookEvent) -> None:
        raise error

    with pytest.raises(error):
        Hooks([interrupted]).call(Queued("order-17"))


def test_no_hooks_cost_nothing() -> None:
    """Whether somebody listens can be asked before a record is made."""
    assert not Hooks([])
    assert Hooks([print])


@pytest.mark.parametrize("kind", get_args(HookEvent), ids=lambda kind: kind.__name__)
def test_records(kind: type) -> None:
    """A record is frozen, says what it means, and names its fields."""
    assert has(kind)
    assert inspect.getdoc(kind)
    assert kind.__setattr__ is not object.__setattr__
    names = [attribute.name for attribute in fields(kind)]
    event = kind(*[None] * len(names))
    for name in names:
        with pytest.raises(AttributeError):
            setattr(event, name, 5)
        assert name in repr(event)


def test_every_record_is_an_event() -> None:
    """No record of the module is left out of the union, nor of the package."""
    modules = (events, file_events)
    records = {
        value
        for module in modules
        for value in vars(module).values()
        if inspect.isclass(value) and value.__module__ == module.__name__
    }
    assert records == set(get_args(HookEvent))
    assert all(getattr(seedance_async, record.__name__) is record for record in records)


class OwnCancellation(asyncio.CancelledError):
    """A cancellation that is nobody's but the hook's."""


@pytest.mark.parametrize("error", [OwnCancellation, asyncio.CancelledError, GeneratorExit])
def test_a_hook_that_raises_what_is_no_exception(error: type[BaseException], caplog: pytest.LogCaptureFixture) -> None:
    """A cancellation that comes out of a hook is the hook's failure, and cancels nothing of the session."""
    told: list[HookEvent] = []

    def broken(event: HookEvent) -> None:
        raise error

    Hooks([broken, told.append]).call(Queued("order-17"))
    assert told == [Queued("order-17")]
    assert caplog.messages == ["a hook failed on Queued"]


def test_a_hook_that_gives_a_coroutine(caplog: pytest.LogCaptureFixture) -> None:
    """One that cannot be told from a plain function before it is called is told what to do when it is."""

    async def work() -> None:
        raise AssertionError("nobody awaits this")

    Hooks([lambda _: work()]).call(Queued("order-17"))
    assert "a plain function" in caplog.text


def test_what_a_hook_causes_is_told_after_what_it_was_called_for() -> None:
    """Every hook hears the records in one order, also where a hook makes the session do something."""
    told: list[HookEvent] = []

    def chain(event: HookEvent) -> None:
        if event == Queued("first"):
            several.call(Queued("second"))
            several.call(Queued("third"))

    several = Hooks([chain, told.append])
    several.call(Queued("first"))
    several.call(Queued("fourth"))
    assert told == [Queued("first"), Queued("second"), Queued("third"), Queued("fourth")]


def test_an_interrupted_hook_leaves_the_others_callable() -> None:
    """After an interrupt that the application survives, records are told as before."""
    told: list[HookEvent] = []

    def interrupted(event: HookEvent) -> None:
        if event == Queued("first"):
            raise KeyboardInterrupt

    several = Hooks([interrupted, told.append])
    with pytest.raises(KeyboardInterrupt):
        several.call(Queued("first"))
    several.call(Queued("second"))
    assert told == [Queued("second")]
