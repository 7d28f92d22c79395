"""What a run comes to: every column of the tables, from the service's ledger and the candidate's report."""

import heapq
from collections.abc import Sequence
from math import inf
from statistics import fmean
from typing import Any

from attrs import frozen

from benchmarks.account.outcomes import DONE, FAILED, UNKNOWN
from benchmarks.account.running import Limits, Run
from benchmarks.account.wire import ONE_WAY
from benchmarks.account.workload import tasks_of
from benchmarks.polling.laws import Task


@frozen
class Figures:
    """What a run has cost and bought.

    Attributes:
        makespan: Seconds until the last video was handed over, over those of the list schedule where the next task
            starts, in the order of the batch, at the moment at which a slot is free.
        idle: Share of the slots' time in which they stood empty, until the last create.
        steady: The same from when the limit was in use for the first time, before which it had to be found.
        delay: Mean seconds from the end of a task until the answer that tells it is there.
        late: The same for one task in twenty, at least.
        creates: Per task.
        polls: Per task.
        refusals: Creates answered with 429.
        cpu_task: Milliseconds of the processor, per task.
        cpu_request: Microseconds of it, per request.
        megabytes: Most memory of the process.
        grown: How much of it came after the imports.
        sockets: Most connections open at a time.
        done: Videos that were handed to the caller.
        failed: Tasks of which the caller was told that there is no video.
        unknown: Tasks of which he was told that it is not known whether they were made.
        lost: Videos that were made and paid, and of which he was told neither.
        doubled: Tasks that were made although the same was made before and did not fail.
        unseen: Videos that were paid and never handed over, whatever the caller was told.
        at_limit: Seconds from each change of the limit until as many tasks were in progress; infinity if never.
    """

    makespan: float
    idle: float
    steady: float
    delay: float
    late: float
    creates: float
    polls: float
    refusals: int
    cpu_task: float
    cpu_request: float
    megabytes: float
    grown: float
    sockets: int
    done: int
    failed: int
    unknown: int
    lost: int
    doubled: int
    unseen: int
    at_limit: Sequence[float]

    @property
    def requests(self) -> float:
        """Per task, creates included."""
        return self.creates + self.polls

    @property
    def columns(self) -> dict[str, float]:
        """Those of a table, in order."""
        return {
            "makespan": self.makespan,
            "idle %": 100 * self.idle,
            "delay s": self.delay,
            "p95 s": self.late,
            "creates/task": self.creates,
            "polls/task": self.polls,
            "refusals": self.refusals,
            "CPU ms/task": self.cpu_task,
            "CPU us/request": self.cpu_request,
            "peak MB": self.megabytes,
            "sockets": self.sockets,
            "done": self.done,
            "failed": self.failed,
            "unknown": self.unknown,
            "lost": self.lost,
            "doubled": self.doubled,
        }


def figures(run: Run) -> Figures:
    """Work out what a run comes to."""
    setting, ledger, report = run.setting, run.ledger, run.report
    made: list[dict[str, Any]] = list(ledger["made"].values())
    work = tasks_of(setting.law, setting.tasks, setting.seed)
    delays = sorted(each["told"] + ONE_WAY - each["ends"] for each in made if each["told"] is not None)
    creates, polls = ledger["creates"], ledger["polls"]
    word: dict[str, str] = report["word"]
    good = [each for each in made if not each["fails"]]
    handed_over = set(report["task_ids"].values())
    at_limit = times_to_limit(made, setting.limits)
    # Where it was never in use, the second half of the run must do.
    last = max(each["accepted"] for each in made)
    silent = {each["number"] for each in good} - {ledger["made"][task_id]["number"] for task_id in handed_over}
    return Figures(
        makespan=report["seconds"] / ideal_under(work, setting.limits),
        idle=idle_share(made, setting.limits, report["began"]),
        steady=idle_share(made, setting.limits, min(at_limit[0], last / 2)),
        delay=fmean(delays),
        late=delays[int(0.95 * len(delays))],
        creates=creates / setting.tasks,
        polls=polls / setting.tasks,
        refusals=len(ledger["refused"]),
        cpu_task=report["cpu"] / setting.tasks * 1e3,
        cpu_request=report["cpu"] / (creates + polls) * 1e6,
        megabytes=report["megabytes"],
        grown=report["megabytes"] - report["megabytes before"],
        sockets=ledger["most_open"],
        done=sum(each == DONE for each in word.values()),
        failed=sum(each == FAILED for each in word.values()),
        unknown=sum(each == UNKNOWN for each in word.values()),
        lost=sum(word.get(str(number)) != UNKNOWN for number in silent),
        doubled=len(good) - len({each["number"] for each in good}),
        unseen=sum(task_id not in handed_over for task_id, each in ledger["made"].items() if not each["fails"]),
        at_limit=at_limit,
    )


def ideal_under(work: Sequence[Task], limits: Limits) -> float:
    """When the last task ends if each starts, in order, as soon as there is room, and requests take no time."""
    running: list[float] = []
    now = last = 0.0
    for task in work:
        while len(running) >= limit_at(limits, now):
            # Room comes with the end of a task, or with another limit.
            now = max(now, min(running[0], next((since for since, _ in limits if since > now), inf)))
            while running and running[0] <= now:
                heapq.heappop(running)
        heapq.heappush(running, now + task.seconds)
        last = max(last, now + task.seconds)
    return last


def limit_at(limits: Limits, now: float) -> int:
    """The limit at a moment."""
    return next(limit for since, limit in reversed(limits) if now >= since)


def levels(made: Sequence[dict[str, Any]], limits: Limits) -> list[tuple[float, int, int]]:
    """Return from when on how many tasks are in progress, and how many may be, at each change of either."""
    changes = [(each["accepted"], 1) for each in made] + [(each["ends"], -1) for each in made]
    found: list[tuple[float, int, int]] = []
    running = 0
    for moment, change in sorted([*changes, *((since, 0) for since, _ in limits)]):
        running += change
        found.append((moment, running, limit_at(limits, moment)))
    return found


def idle_share(made: Sequence[dict[str, Any]], limits: Limits, began: float) -> float:
    """The part of the slots' time without a task, until the last create."""
    last: float = max(each["accepted"] for each in made)
    found = [level for level in levels(made, limits) if level[0] < last]
    empty = whole = 0.0
    for (since, running, limit), until in zip(found, [*(each[0] for each in found[1:]), last], strict=True):
        seconds = until - max(since, began)
        if seconds > 0:
            whole += seconds * limit
            empty += seconds * max(0, limit - running)
    return empty / whole


def times_to_limit(made: Sequence[dict[str, Any]], limits: Limits) -> list[float]:
    """Seconds from each change of the limit until as many tasks are in progress: as few, where it fell."""
    found = levels(made, limits)
    times: list[float] = []
    for place, (since, limit) in enumerate(limits):
        until = limits[place + 1][0] if place + 1 < len(limits) else inf
        fell = place > 0 and limit < limits[place - 1][1]
        reached = (
            moment
            for moment, running, _ in found
            if since <= moment < until and (running <= limit if fell else running >= limit)
        )
        times.append(next(reached, inf) - since)
    return times
