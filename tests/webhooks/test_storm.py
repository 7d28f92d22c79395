"""Whatever is delivered, and when: every job ends as the service says, with its own task, paid once."""

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from seedance_async import FixedPolling, OutcomeUnknownError, TaskFailedError
from seedance_async.testing import Emulator, VirtualClockLoop
from seedance_async.webhooks import CallbackUrls
from tests.session.service import Service, end
from tests.webhooks.serving import delivery

PROMPTS = ["good [takes:40]", "bad [fail:server] [takes:30]", "lost [takes:20]", "long [takes:90]"]
URLS = CallbackUrls("http://127.0.0.1:9", "correct horse battery staple")

calls = st.lists(
    st.tuples(
        st.floats(0.0, 30.0),
        st.integers(0, 5),
        st.sampled_from(["success", "fail", "generating"]),
        st.integers(-2, 3),
        st.integers(1, 50),
    ),
    max_size=8,
)


@settings(max_examples=10)
@given(calls)
def test_no_storm_of_deliveries_changes_what_is_true(storm: list[tuple[float, int, str, int, int]]) -> None:
    """Any task, any claim, any token, any number; the lost create is settled by its own call alone."""
    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        runner.run(_weather(storm))


async def _weather(storm: list[tuple[float, int, str, int, int]]) -> None:
    async with Emulator(limit=5, faults=["drop-after-accept:nth=3", "webhook-lost"]) as emulator:
        service = Service(emulator)
        session = await service.open(callback_url=URLS, polling=FixedPolling(20.0))
        handles = []
        for prompt in PROMPTS:
            handle = session.enqueue(prompt, key=prompt)
            handles.append(handle)
            while handle.status == "queued":
                await asyncio.sleep(0.01)
        tasks = list(emulator.world.tasks.values())
        tokens = [str(task.order.callback_url).rpartition("/")[2] for task in tasks]
        ids = [*(task.task_id for task in tasks), "task_of_nobody", "task_x"]
        settled = False
        for pause, target, status, which, times in storm:
            await asyncio.sleep(pause)
            given_token: Any = None if which == -2 else "" if which == -1 else tokens[which]
            settled = settled or (target == which == 2)
            for _ in range(times):
                session.notify(delivery(ids[target], status), token=given_token)
        await asyncio.sleep(150)
        errors = [await end(handle) for handle in handles]
        assert errors[0] is errors[3] is None
        assert isinstance(errors[1], TaskFailedError)
        assert (errors[2] is None) if settled else isinstance(errors[2], OutcomeUnknownError)
        for handle, task in zip(handles, tasks, strict=True):
            assert handle.task_id == (task.task_id if handle is not handles[2] or settled else None)
        assert emulator.statistics().creates == len(PROMPTS)
        assert emulator.statistics().polls <= 40 + 8 * len(storm)
        await service.close()
