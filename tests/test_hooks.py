"""Hooks: who is told, in which order, and that none disturbs another."""

import inspect
import logging
from typing import get_args

import pytest
from attrs import fields, has

from seedance_async import hooks
from seedance_async.core.results import Output, TaskSnapshot
from seedance_async.hooks import HookEvent, Hooks, LimitChanged, Queued, StatusChanged


def test_every_hook_is_told_in_order() -> None:
    """Each record goes to each hook, in the order in which they were given."""
    told: list[tuple[str, HookEvent]] = []
    several = Hooks([lambda event: told.append(("first", event)), lambda event: told.append(("second", event))])
    events: list[HookEvent] = [Queued("order-17"), LimitChanged(3)]
    for event in events:
        several.call(event)
    assert told == [("first", events[0]), ("second", events[0]), ("first", events[1]), ("second", events[1])]


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
    """No record of the module is left out of the union."""
    records = {value for value in vars(hooks).values() if inspect.isclass(value) and value.__module__ == hooks.__name__}
    assert records - {Hooks} == set(get_args(HookEvent))


def test_signed_links_are_not_shown() -> None:
    """A record that carries a snapshot shows no signature."""
    snapshot = TaskSnapshot("task_1", "success", outputs=(Output("https://files.example/a.mp4?sig=planted"),))
    assert "planted" not in repr(StatusChanged("order-17", "task_1", snapshot))
