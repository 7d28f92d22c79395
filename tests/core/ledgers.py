"""What the tests of the slot ledger share: ledgers with a queue, and steps that many tests take."""

from seedance_async.core.ledger import SlotLedger


def last() -> float:
    """Chance that makes every delay its longest."""
    return 1.0


def ledger_of(ceiling: int | None, waiting: int) -> SlotLedger[int]:
    """A ledger in whose queue 0, 1, 2 ... wait."""
    ledger: SlotLedger[int] = SlotLedger(ceiling)
    for job in range(waiting):
        ledger.enqueue(job)
    return ledger


def leave(ledger: SlotLedger[int], now: float = 0.0) -> list[int]:
    """Let all leave that may; return who left."""
    left: list[int] = []
    while (job := ledger.take(now)) is not None:
        left.append(job)
    return left


def fill(ledger: SlotLedger[int], now: float = 0.0) -> list[int]:
    """Let all leave that may and be accepted, until no more may; return who is in progress."""
    running: list[int] = []
    while left := leave(ledger, now):
        for job in left:
            ledger.accepted(job, now)
        running += left
    return running


def first(ledger: SlotLedger[int], now: float = 0.0) -> int:
    """Let one leave."""
    job = ledger.take(now)
    assert job is not None
    return job


def refuse(
    ledger: SlotLedger[int],
    job: int,
    now: float = 0.0,
    *,
    limit: int | None = None,
    current: int | None = None,
    later: float | None = None,
) -> bool:
    """Answer a create with 429."""
    return ledger.refused(job, now, last, limit=limit, current=current, retry_after=later)
