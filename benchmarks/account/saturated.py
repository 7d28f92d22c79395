"""Scenarios `saturated-5`, `-50`, `-500` and `mixed`: an account with more tasks than slots, for an hour or so.

Every round draws other tasks; within a round all candidates get the same ones.
"""

from collections.abc import Sequence
from typing import Final

from attrs import evolve

from benchmarks.account.field import AUTO, FLOOR, LOOP, TENACIOUS, compete, everybody, ours, over, rows
from benchmarks.account.figures import Figures
from benchmarks.account.running import Candidate, Setting
from benchmarks.options import Options
from benchmarks.polling.curves import between
from benchmarks.report import Ratio, Report, Spread

REQUESTS: Final = {"lognormal 0.3": 0.60, "two lengths": 0.45}
IDLE: Final = 0.55
MAKESPAN: Final = 1.009
NOT_SLOWER: Final = 1.01
#: Targets of ours beside its default, for what its requests would buy if they were as many as the loop's, or as late.
TARGETS: Final = {"lognormal 0.3": (1.1, 1.6), "two lengths": (0.5, 1.6)}
#: Tasks per slot: twenty for the slots of a usual account, fewer where there are very many.
WAVES: Final = {5: 20, 50: 20, 500: 4}
#: What a new connection takes longer where names and TLS are far away.
CONNECTING: Final = 0.2
_NOTES: Final = [
    "One clock for both processes, which stands still while either works: only CPU and MB depend on the machine.",
    "Requests take 0.1 s, delay includes the way back of the answer. Idle counts until the last create.",
]


def run_5(options: Options) -> Report:
    """A small account."""
    return _run("saturated-5", "What does a batch take on a full account of 5 slots?", 5, "lognormal 0.3", options)


def run_50(options: Options) -> Report:
    """A usual account."""
    return _run("saturated-50", "What does a batch take on a full account of 50 slots?", 50, "lognormal 0.3", options)


def run_500(options: Options) -> Report:
    """A large account."""
    return _run(
        "saturated-500", "What does a batch take on a full account of 500 slots?", 500, "lognormal 0.3", options
    )


def run_mixed(options: Options) -> Report:
    """Two lengths of clips."""
    return _run("mixed", "What does a batch of clips of two lengths take on 50 slots?", 50, "two lengths", options)


def _run(name: str, question: str, slots: int, law: str, options: Options) -> Report:
    tasks = slots if options.quick else slots * WAVES[slots]
    settings = [
        Setting(law=law, tasks=tasks, limits=[(0.0, slots)], seed=options.seed + number)
        for number in range(options.long_rounds)
    ]
    candidates = everybody(slots)
    if slots == 500:
        candidates.pop(TENACIOUS, None)
    jobs = {who: (candidate, settings) for who, candidate in candidates.items()}
    if TENACIOUS in jobs and not options.quick:
        # It takes ten times as much of the processor, so once must do.
        jobs[TENACIOUS] = candidates[TENACIOUS], settings[:1]
    detailed = slots == 50
    if detailed:
        jobs |= {
            f"{ours(slots)}, target {target:g} s": (
                Candidate("ours", {"concurrency": slots, "target_delay": target}),
                settings,
            )
            for target in TARGETS[law]
        }
        far = [evolve(setting, connecting=CONNECTING) for setting in settings]
        jobs |= {f"{who}, connecting {CONNECTING:g} s": (candidates[who], far) for who in (LOOP, ours(slots))}
    found = compete(jobs)
    mine, loop = found[ours(slots)], found[LOOP]
    ratios = (
        _polling_ratios(law, [mine, *(found[f"{ours(slots)}, target {each:g} s"] for each in TARGETS[law])], loop)
        if detailed
        else []
    )
    ratios += [
        Ratio(
            f"makespan : list schedule, {ours(slots)}",
            Spread.of([each.makespan for each in mine]),
            MAKESPAN if detailed else None,
        ),
        Ratio(f"makespan, {ours(slots)} : loop", over(mine, loop), NOT_SLOWER),
        Ratio(f"makespan, {AUTO} : loop, the search for the limit included", over(found[AUTO], loop), NOT_SLOWER),
        Ratio(
            f"time for the same work once the limit is found, {AUTO} : loop",
            Spread.of([(1 - b.steady) / (1 - a.steady) for a, b in zip(found[AUTO], loop, strict=True)]),
            NOT_SLOWER,
        ),
        Ratio(f"makespan, {ours(slots)} : floor", over(mine, found[FLOOR])),
        Ratio(f"refused creates, {ours(slots)}", Spread.of([each.refusals for each in mine]), 0),
        Ratio(f"refused creates per task, {AUTO}", Spread.of([each.refusals / tasks for each in found[AUTO]]), 0.01),
        Ratio(f"seconds to the limit, {AUTO}", Spread.of([each.at_limit[0] for each in found[AUTO]])),
        Ratio(f"lost and doubled, {ours(slots)}", Spread.of([each.lost + each.doubled for each in mine]), 0),
    ]
    notes = list(_NOTES)
    if slots == 500:
        notes.append(
            "httpx and tenacity are left out: what they do is seen with 50, and takes ten times the processor."
        )
    return Report(
        name,
        question,
        rows(found),
        ratios,
        {"rounds": len(settings), "tasks": tasks, "slots": slots, "law": law, "seed": options.seed},
        notes,
    )


def _polling_ratios(law: str, mine: Sequence[Sequence[Figures]], loop: Sequence[Figures]) -> list[Ratio]:
    """What the requests buy, at the loop's delay and at the loop's number of them."""
    requests: list[float] = []
    idle: list[float] = []
    for usual, *different in zip(loop, *mine, strict=True):
        requests.append(between([(each.delay, each.polls) for each in different], usual.delay) / usual.polls)
        idle.append(between([(each.polls, each.idle) for each in different], usual.polls) / usual.idle)
    return [
        Ratio("polls at equal delay, ours : loop", Spread.of(requests), REQUESTS[law]),
        Ratio("idle share at equal polls, ours : loop", Spread.of(idle), IDLE),
    ]
