"""The account: how many tasks it may have in progress, how long they take, and what goes wrong.

It decides about a request in the middle of the request's way. A slot is taken from then until the task's end.
Everything that is said of a candidate's money is said by this ledger and not by the candidate.
"""

import heapq
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final

from attrs import asdict, define, field, frozen

from benchmarks.account.workload import CREDITS, number_in
from benchmarks.polling.laws import Task

_HTML: Final = b"<html><body>502 Bad Gateway</body></html>"


@frozen
class Answer:
    """What is sent back.

    Attributes:
        status: The HTTP status; 0 resets the connection instead.
        content: JSON, or the bytes of a page.
    """

    status: int
    content: dict[str, Any] | bytes = b""


_RESET: Final = Answer(0)
_BAD_GATEWAY: Final = Answer(502, _HTML)
_A_PAGE: Final = Answer(200, b"<html><body>please stand by</body></html>")
_INTERNAL: Final = Answer(500, {"message": "Internal server error"})

#: Part of the requests that meets each fault. A create is spoilt before the service looks at it, or after it has made
#: the task; a poll is only not answered.
FAULTS: Final[Mapping[str, Mapping[str, float]]] = {
    "create": {
        "reset before": 0.01,
        "reset after": 0.01,
        "502 before": 0.01,
        "500 before": 0.01,
        "a page after": 0.005,
    },
    "poll": {"reset before": 0.02, "502 before": 0.02, "a page after": 0.01},
}
_SPOILT: Final = {
    "reset before": _RESET,
    "reset after": _RESET,
    "502 before": _BAD_GATEWAY,
    "500 before": _INTERNAL,
    "a page after": _A_PAGE,
}
#: Part of the tasks that fail, where there are faults.
_FAILING: Final = 0.02


@define
class Made:
    """A task.

    Attributes:
        number: Which of the batch.
        accepted: When.
        ends: When.
        fails: Whether it ends without a video. It costs nothing then.
        told: When an answer that said its end was first sent; None if never.
    """

    number: int
    accepted: float
    ends: float
    fails: bool
    told: float | None = None


@define
class Service:
    """The service.

    Attributes:
        work: All tasks of the batch.
        limits: From which second on how many tasks may be in progress.
        faults: Whether requests fail.
        seed: Of the faults.
        began: When the first limit began.
    """

    work: Sequence[Task]
    limits: Sequence[tuple[float, int]]
    faults: bool
    seed: int
    began: float
    made: dict[str, Made] = field(init=False, factory=dict[str, Made])
    refused: list[float] = field(init=False, factory=list[float])
    creates: int = field(init=False, default=0)
    polls: int = field(init=False, default=0)
    _running: list[float] = field(init=False, factory=list[float])
    _chance: Random = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._chance = Random(self.seed)

    def limit(self, now: float) -> int:
        """How many tasks may be in progress."""
        return next(limit for since, limit in reversed(self.limits) if now - self.began >= since)

    def create(self, body: dict[str, Any], now: float) -> Answer:
        """Make a task, or not."""
        self.creates += 1
        fault = self._fault("create")
        if fault.endswith("before"):
            return _SPOILT[fault]
        while self._running and self._running[0] <= now:
            heapq.heappop(self._running)
        current, limit = len(self._running), self.limit(now)
        if current >= limit:
            self.refused.append(now)
            return Answer(429, {"message": "Concurrency limit reached", "limit": limit, "current": current})
        number = number_in(body["inputs"]["prompt"])
        ends = now + self.work[number].seconds
        heapq.heappush(self._running, ends)
        task_id = f"task_{len(self.made):08d}"
        # By number, so that the same tasks fail for every candidate.
        fails = self.faults and Random(number).random() < _FAILING
        self.made[task_id] = Made(number, now, ends, fails)
        return _SPOILT[fault] if fault else Answer(200, {"taskId": task_id})

    def poll(self, task_id: str, now: float) -> Answer:
        """Say what has become of a task."""
        self.polls += 1
        fault = self._fault("poll")
        if fault:
            return _SPOILT[fault]
        task = self.made.get(task_id)
        if task is None:
            return Answer(404, {"message": "Task not found"})
        over = now >= task.ends
        if over and task.told is None:
            task.told = now
        record: dict[str, Any] = {
            "taskId": task_id,
            "model": "seedance-20",
            "status": "generating" if not over else "fail" if task.fails else "success",
            "creditsUsed": 0 if over and task.fails else CREDITS[self.work[task.number].kind.length],
            "output": None,
            "error": None,
            "createTime": _milliseconds(task.accepted),
            "completeTime": _milliseconds(task.ends) if over else None,
        }
        if over and task.fails:
            record["error"] = {"code": "500", "message": "Internal error, please try again later"}
        elif over:
            url = f"https://files.example/{task_id}.mp4"
            record["output"] = [{"url": url, "width": 1920, "height": 1080, "mediaType": "video/mp4", "seed": 1}]
        return Answer(200, record)

    def ledger(self) -> dict[str, Any]:
        """What has happened, with times from the beginning on."""
        made = {task_id: asdict(task) for task_id, task in self.made.items()}
        for each in made.values():
            for moment in ("accepted", "ends", "told"):
                each[moment] = None if each[moment] is None else each[moment] - self.began
        refused = [moment - self.began for moment in self.refused]
        return {"made": made, "refused": refused, "creates": self.creates, "polls": self.polls}

    def _fault(self, place: str) -> str:
        if not self.faults:
            return ""
        left = self._chance.random()
        for fault, share in FAULTS[place].items():
            left -= share
            if left < 0:
                return fault
        return ""


def _milliseconds(moment: float) -> int:
    return int(1_790_000_000_000 + moment * 1000)
