"""What is found in the traces of processes; part of `make test`, because no process is needed for it."""

import pytest

from tests.kills.history import History, Life, history_of
from tests.kills.orders import NOWHERE
from tests.kills.trace import Line, Row

QUEUED = Row("queued")
SENDING = Row("sending", attempts=1, intent="i1")
RUNNING = Row("running", attempts=1, task_id="t1")
SUCCEEDED = Row("succeeded", attempts=1, task_id="t1")
UNKNOWN = Row("unknown", attempts=1, unknown=1)
AGAIN = Row("sending", earlier=1, attempts=2, unknown=1, intent="i2")

HEARD = Line("heard", key="a", outcome="accepted")


def opened(**rows: Row) -> Line:
    return Line("open", rows)


def written(**rows: Row) -> list[Line]:
    return [Line("begin", rows), Line("end")]


def after(*lives: list[Line], resubmit: bool = False) -> History:
    """Follow lives, all of which were told the same."""
    return history_of(Life(NOWHERE, resubmit, tuple(lines)) for lines in lives)


#: A life that ends right after the intent of its one job is durable.
SENT = [opened(), *written(a=QUEUED), *written(a=SENDING)]
#: One that ends after everything.
WHOLE = [*SENT, HEARD, *written(a=RUNNING), *written(a=SUCCEEDED)]


@pytest.mark.parametrize(
    "lives",
    [
        [WHOLE, [opened(a=SUCCEEDED)]],
        [SENT, [opened(a=SENDING), *written(a=UNKNOWN)], [opened(a=UNKNOWN)]],
        [[*SENT, HEARD], [opened(a=SENDING), *written(a=UNKNOWN)]],
        [[*SENT, HEARD, Line("begin", {"a": RUNNING})], [opened(a=SENDING), *written(a=UNKNOWN)]],
        [[*SENT, HEARD, Line("begin", {"a": RUNNING})], [opened(a=RUNNING)]],
        [[opened(), Line("begin", {"a": QUEUED, "b": QUEUED})], [opened()]],
        [[*SENT, Line("heard", key="a", outcome="unknown"), *written(a=UNKNOWN)]],
    ],
    ids=[
        "all goes well",
        "dies with a create on the wire",
        "dies before the closing is written",
        "dies while it is written, and it is not there",
        "dies while it is written, and it is there",
        "dies while the first write is under way",
        "an answer is lost",
    ],
)
def test_what_is_as_it_should_be(lives: list[list[Line]]) -> None:
    """Nothing is found where all rules were kept."""
    assert after(*lives).problems == []


@pytest.mark.parametrize(
    ("lives", "problem"),
    [
        ([WHOLE, [opened()]], "a was durable and is lost"),
        ([WHOLE, [opened(a=RUNNING)]], "a is read as"),
        (
            [[*SENT, HEARD, *written(a=RUNNING)], [opened(a=SENDING)]],
            "a is unknown, and no process died between its intent and its closing",
        ),
        ([[opened(), Line("begin", {"a": QUEUED, "b": QUEUED})], [opened(b=QUEUED)]], "of one write ['b'] are there"),
        ([[*SENT, HEARD, *written(b=QUEUED)]], "a has a create that ended, and the next write says nothing of it"),
        ([[*SENT, HEARD, *written(a=UNKNOWN)]], "a is unknown for no reason"),
        ([[opened(a=UNKNOWN), *written(a=AGAIN)]], "a was unknown and is sent again, and nobody wanted that"),
    ],
    ids=["lost", "older", "late closing", "half a write", "held back", "guessed", "sent again"],
)
def test_what_is_wrong(lives: list[list[Line]], problem: str) -> None:
    """Each rule that was not kept is found."""
    assert [found for found in after(*lives).problems if found.startswith(problem)]


def test_what_is_sent_again_is_counted() -> None:
    """One that was told so sends again what is unknown, which counts once, also if it dies before that is durable."""
    unknown = [opened(a=SENDING), *written(a=UNKNOWN), Line("begin", {"a": AGAIN})]
    history = after(SENT, unknown, [opened(a=UNKNOWN), *written(a=AGAIN)], resubmit=True)
    assert history.problems == []
    assert history.resubmitted == {"a": {1}}
    assert history.intents == {"a": {"i1", "i2"}}
