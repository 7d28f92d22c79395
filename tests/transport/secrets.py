"""Search everything that people, logs and error trackers see for a planted secret."""

import logging
import traceback
from collections.abc import Awaitable, Callable, Iterator

import pytest


async def failure_of(work: Callable[[], Awaitable[object]]) -> BaseException:
    """Return what some work raises. No frame of a test is in its traceback: tests know the secret."""
    try:
        await work()
    except BaseException as error:  # noqa: BLE001 (a cancellation is searched, too)
        return error
    raise AssertionError("nothing was raised")


def chain(error: BaseException) -> Iterator[BaseException]:
    """An error with its causes and contexts, suppressed ones included, and the members of groups."""
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        each = todo.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        todo += [each.__cause__, each.__context__]
        if isinstance(each, BaseExceptionGroup):
            todo += each.exceptions


def texts_of(error: BaseException) -> Iterator[tuple[str, str]]:
    """Everything that an error shows: words, arguments, attributes, tracebacks with the locals of every frame."""
    for each in chain(error):
        name = type(each).__name__
        yield f"str of {name}", str(each)
        yield f"repr of {name}", repr(each)
        yield f"args of {name}", repr(each.args)
        yield f"attributes of {name}", repr(vars(each))
        yield f"notes of {name}", repr(getattr(each, "__notes__", ()))
        shown = traceback.TracebackException.from_exception(each, capture_locals=True)
        yield f"traceback of {name}", "".join(shown.format())


def texts_of_logs(caplog: pytest.LogCaptureFixture) -> Iterator[tuple[str, str]]:
    """Everything that was logged, as a handler would write it and as a structured one would keep it."""
    formatter = logging.Formatter("%(name)s %(message)s")
    for record in caplog.records:
        yield f"log of {record.name}", formatter.format(record)
        yield f"arguments of a log of {record.name}", repr(record.args)
        if record.exc_info and record.exc_info[1] is not None:
            yield from texts_of(record.exc_info[1])


def places_of(secret: str, texts: Iterator[tuple[str, str]]) -> list[str]:
    """Where the secret stands, in the words of what is searched."""
    found: list[str] = []
    for place, text in texts:
        at = text.find(secret)
        if at >= 0:
            found.append(f"{place}: ...{text[max(0, at - 200) : at]}<HERE>")
    return found
