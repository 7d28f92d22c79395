"""The emulated service in a process of its own, and what it says afterwards: the only witness of what was paid.

`python -m tests.kills.service OPTIONS` (JSON, those of `Emulator`) prints its base URL as a line. Each line that it
reads is the beginning of prompts, and is answered with a line about the creates with such prompts: JSON, `Account`.
"""

import json
import logging
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from functools import partial
from types import TracebackType
from typing import Any, Self

from attrs import frozen

from seedance_async.testing import Emulator, EmulatorThread
from tests.kills.processes import say, started


@frozen
class Task:
    """A task that the service accepted.

    Attributes:
        task_id: Its id.
        prompt: What was asked for.
        status: How it stands, in the service's words.
        credits: What it costs, or cost.
    """

    task_id: str
    prompt: str
    status: str
    credits: str


@frozen
class Account:
    """What the service knows of some prompts.

    Attributes:
        creates: Create requests received, by prompt; refused ones are among them.
        tasks: The tasks that were accepted, the oldest first.
    """

    creates: Mapping[str, int]
    tasks: tuple[Task, ...]

    def accepted(self) -> Counter[str]:
        """Return how many tasks each prompt has."""
        return Counter(task.prompt for task in self.tasks)


class Service:
    """The process, as a context manager.

    Attributes:
        base_url: What a session takes as `base_url`.
        api_key: What it takes as its key.
    """

    def __init__(self, **options: Any) -> None:
        self.base_url = ""
        self.api_key = "test-key"
        self._options = options
        self._process: subprocess.Popen[str] | None = None

    def account(self, beginning: str) -> Account:
        """Return what the service knows of the prompts that begin so."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{beginning}\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        return Account(told["creates"], tuple(Task(*task) for task in told["tasks"]))

    def __enter__(self) -> Self:
        self._process = started("tests.kills.service", json.dumps(self._options))
        assert self._process.stdout is not None
        self.base_url = self._process.stdout.readline().strip()
        assert self.base_url, "the service did not start"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.communicate(timeout=30)


def _account(emulator: Emulator, *, beginning: str) -> dict[str, Any]:
    creates = emulator.statistics().creates_by_prompt
    tasks = [task for task in emulator.world.tasks.values() if task.order.prompt.startswith(beginning)]
    now = emulator.now()
    return {
        "creates": {prompt: count for prompt, count in creates.items() if prompt.startswith(beginning)},
        "tasks": [[task.task_id, task.order.prompt, task.status(now), str(task.order.credits)] for task in tasks],
    }


def _serve(options: dict[str, Any]) -> None:
    # That its clients die in the middle of an answer is what they are there for.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    with EmulatorThread(**options) as running:
        say(running.base_url)
        for line in sys.stdin:
            beginning = line.rstrip("\n")
            say(json.dumps(running.call(partial(_account, beginning=beginning))))


if __name__ == "__main__":
    _serve(json.loads(sys.argv[1]))
