"""Checks of the numbers in policies and timeouts, for attrs. A value of a wrong type is named before it does harm."""

from decimal import Decimal
from typing import Any, TypeGuard

from seedance_async.core.names import shown
from seedance_async.errors import ConfigurationError


def what_was_given(value: object) -> str:
    """Say what was given: a number as it is, and of all else the type, because a text may be a secret."""
    if value is None or isinstance(value, int | float | Decimal):
        return shown(value)
    if isinstance(value, type):
        return f"the class {value.__name__}"
    return f"of type {type(value).__name__}"


def positive(instance: object, attribute: Any, value: Any) -> None:
    """Take numbers above 0."""
    # Turned round, it would let NaN pass.
    if not (_is_number(value) and value > 0):
        raise ConfigurationError(
            f"{_name(instance, attribute)} must be a number above 0, and is {what_was_given(value)}"
        )


def finite(instance: object, attribute: Any, value: Any) -> None:
    """Refuse infinity where something below cannot count with it."""
    if value == float("inf"):
        raise ConfigurationError(f"{_name(instance, attribute)} must not be infinite; give a large number of seconds")


def not_negative(instance: object, attribute: Any, value: Any) -> None:
    """Take numbers from 0 on."""
    if not (_is_number(value) and value >= 0):
        raise ConfigurationError(
            f"{_name(instance, attribute)} must be a number from 0 on, and is {what_was_given(value)}"
        )


def count(instance: object, attribute: Any, value: Any) -> None:
    """Take whole numbers from 0 on."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ConfigurationError(
            f"{_name(instance, attribute)} must be a whole number from 0 on, and is {what_was_given(value)}"
        )


def flag(instance: object, attribute: Any, value: Any) -> None:
    """Take True and False, and no text that only reads so."""
    if not isinstance(value, bool):
        raise ConfigurationError(f"{_name(instance, attribute)} must be True or False, and is {what_was_given(value)}")


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _name(instance: object, attribute: Any) -> str:
    return f"{type(instance).__name__}.{attribute.name}"
