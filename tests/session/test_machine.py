"""Anything may happen in any order: the session and the service agree about every task and every credit."""

import asyncio
from collections import Counter
from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from seedance_async import AsyncSeedance, BudgetExceededError, RetryPolicy, TaskHandle, Timeouts
from seedance_async.hooks import Accepted, PossibleDouble
from seedance_async.testing import Emulator, VirtualClockLoop
from seedance_async.testing.world import Accepted as Taken
from tests.session.service import PRICE_480P, Service

CEILING = 4
MARKS = ("", " [takes:5]", " [takes:400]", " [fail:moderation]", " [fail:server,times=1]")
BREAKS = (
    "drop-after-accept:on=create,count=1",
    "reset-after-accept:on=create,count=1",
    "drop-before-accept:on=create,count=1",
    "http-502:on=create,count=1",
    "http-400:on=create,count=1",
    "http-500:on=create,count=1",
    "error-after-accept:on=create,count=1",
    "429-without-numbers:on=create,count=1",
    "slow-headers:on=create,count=2,seconds=20",
    "slots-freed-late:on=create,count=3,seconds=20",
    "late-visibility:on=create,count=1,seconds=20",
    "credits-drift:on=create,count=1,value=0.7",
    "http-500:on=poll,count=3",
    "drop-after-accept:on=poll,count=3",
    "http-429:on=poll,count=3",
)


class SessionMachine(RuleBasedStateMachine):
    """A session, the emulated service, and everything that can come between them."""

    handles: Bundle[TaskHandle] = Bundle("handles")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=VirtualClockLoop)
        self.jobs: dict[str, TaskHandle] = {}
        self.callers: dict[str, str] = {}
        self.attached = 0
        self.plugged = True
        self.number = 0

    def run(self, steps: Any) -> Any:
        """Let the loop run until a coroutine is through."""
        return self.runner.run(steps)

    @initialize(budget=st.sampled_from([None, 10 * PRICE_480P]))
    def open(self, budget: Decimal | None) -> None:
        async def steps() -> None:
            emulator = await Emulator(limit=3, durations=60.0).start()
            self.service = Service(emulator)
            self.session: AsyncSeedance = await self.service.open(
                concurrency=CEILING,
                budget=budget,
                timeouts=Timeouts(task=300, create=60),
                retry=RetryPolicy(give_up_after=400),
            )

        self.run(steps())

    @rule(target=handles, mark=st.sampled_from(MARKS), keyed=st.booleans())
    def submit(self, mark: str, keyed: bool) -> TaskHandle:
        self.number += 1
        prompt, key = f"lake {self.number}.{mark}", f"key-{self.number}" if keyed else None

        async def steps() -> TaskHandle | None:
            try:
                return self.session.enqueue(prompt, key=key, output_resolution="480p")
            except BudgetExceededError:
                return None

        handle: TaskHandle | None = self.run(steps())
        if handle is None:
            return next(iter(self.jobs.values()), self._nothing())
        self.jobs[prompt] = handle
        return handle

    def _nothing(self) -> Any:
        return None

    @rule(handle=handles)
    def submit_again(self, handle: TaskHandle | None) -> None:
        """A second call with a key that is known, for the same inputs."""
        if handle is None or handle.inputs is None or not handle.key.startswith("key-"):
            return
        inputs, known = handle.inputs, self.jobs[handle.inputs.prompt]

        async def steps() -> TaskHandle:
            return self.session.enqueue(inputs, key=handle.key)

        if known.status in {"refused", "withdrawn"}:
            return
        assert self.run(steps()) is known

    @rule(mark=st.sampled_from(MARKS), seconds=st.sampled_from([0.0, 0.01, 3.0, 100.0]))
    def a_caller_who_is_cancelled(self, mark: str, seconds: float) -> None:
        self.number += 1
        prompt, key = f"lake {self.number}.{mark}", f"caller-{self.number}"
        self.callers[prompt] = key

        async def steps() -> None:
            task = asyncio.create_task(self.session.generate(prompt, key=key, output_resolution="480p"))
            await asyncio.sleep(seconds)
            task.cancel()
            await asyncio.wait([task])

        self.run(steps())

    @rule(handle=handles)
    def cancel(self, handle: TaskHandle | None) -> None:
        async def steps() -> None:
            if handle is not None and handle.cancel():
                assert handle.status == "withdrawn"

        self.run(steps())

    @rule(handle=handles)
    def detach(self, handle: TaskHandle | None) -> None:
        async def steps() -> None:
            if handle is not None:
                handle.detach()

        self.run(steps())

    @rule(seconds=st.sampled_from([0.0, 1.0, 30.0, 61.0, 500.0]))
    def advance(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    @rule(fault=st.sampled_from(BREAKS))
    def break_something(self, fault: str) -> None:
        self.service.emulator.faults.add(fault)

    @rule(limit=st.integers(1, 6))
    def change_the_limit(self, limit: int) -> None:
        self.service.emulator.world.limit = limit

    @rule(foreign=st.integers(0, 4))
    def others_come_and_go(self, foreign: int) -> None:
        self.service.emulator.world.foreign = foreign

    @rule()
    def plug_or_unplug(self) -> None:
        self.run(self.service.unplug() if self.plugged else self.service.plug())
        self.plugged = not self.plugged

    @rule()
    def attach_what_somebody_else_made(self) -> None:
        emulator = self.service.emulator

        async def steps() -> None:
            inputs = {"prompt": "theirs", "duration": "5", "outputResolution": "480p"}
            body = {"model": "seedance-20", "inputs": inputs}
            taken = emulator.world.create(body, key=emulator.api_key, now=emulator.now())
            if isinstance(taken, Taken):
                self.attached += 1
                self.session.attach(taken.task.task_id)

        self.run(steps())

    @invariant()
    def no_more_slots_than_there_are(self) -> None:
        if hasattr(self, "session"):
            assert self.session.statistics().in_progress <= CEILING + self.attached
            assert self.session.healthy

    @invariant()
    def nothing_is_made_twice(self) -> None:
        """But for a 500 in the service's own words, which is repeated, and said to be."""
        if not hasattr(self, "session"):
            return
        doubles = Counter(event.key for event in self.service.ear.all(PossibleDouble))
        keys = {prompt: handle.key for prompt, handle in self.jobs.items()} | self.callers
        made = Counter(task.order.prompt for task in self.service.emulator.world.tasks.values())
        for prompt, count in made.items():
            if prompt in keys:
                assert count <= 1 + doubles[keys[prompt]]

    def teardown(self) -> None:
        if hasattr(self, "session"):
            self.run(self._end())
        self.runner.close()

    async def _end(self) -> None:
        """Let everything be well again, and compare what the session says with what the service has."""
        emulator = self.service.emulator
        emulator.faults.clear()
        emulator.world.limit, emulator.world.foreign = 10, 0
        if not self.plugged:
            await self.service.plug()
        for handle in self.session.pending:
            handle.detach()
            self.session.attach(str(handle.task_id))
        await self.session.drain(timeout=20_000)
        # Slots of unknown creates are held for a usual time.
        await asyncio.sleep(1000)
        self._compare()
        await self.session.aclose()
        left = [task for task in asyncio.all_tasks() if "seedance_async supervisor" in task.get_name()]
        assert left == []
        await emulator.close()

    def _compare(self) -> None:
        now, world = self.session.statistics(), self.service.emulator.world
        assert (now.in_progress, now.waiting, now.on_wire) == (0, 0, 0)
        known = {event.task_id: event for event in self.service.ear.all(Accepted)}
        doubled = {event.key for event in self.service.ear.all(PossibleDouble)}
        unknown = {prompt for prompt, handle in self.jobs.items() if handle.status == "unknown"}
        doubled_prompts = {prompt for prompt, handle in self.jobs.items() if handle.key in doubled}
        for task in world.tasks.values():
            lost = task.order.prompt in unknown | doubled_prompts | self.callers.keys()
            assert task.task_id in known or lost or task.order.prompt == "theirs"
        for handle in self.jobs.values():
            assert handle.done()
            if handle.status in {"success", "fail"}:
                status = world.tasks[str(handle.task_id)].status(self.service.emulator.now())
                assert handle.status == status
        ended = [world.tasks[task_id] for task_id in known]
        assert now.credits_used == sum((task.credits for task in ended if task.failure is None), Decimal(0))
        # Each create whose outcome was unknown may be paid, those that were repeated after a 500 included.
        assert now.credits_maybe == PRICE_480P * self.service.ear.outcomes("unknown")
        assert now.credits_reserved == 0
        self.service.check_hook_order()


SessionMachine.TestCase.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
TestSession = SessionMachine.TestCase
