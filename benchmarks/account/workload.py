"""What a batch asks for: the same tasks for every candidate, whatever order they come in."""

from collections.abc import Mapping
from random import Random
from typing import Final

from benchmarks.polling.laws import LAWS, Task

PROMPT: Final = "a lake at dawn, take {number}"
#: The clip's length is all that differs between tasks; what it costs, by seconds (the catalogue's price for 1080p).
CREDITS: Final[Mapping[int, int]] = {5: 415, 10: 830}


def tasks_of(law: str, tasks: int, seed: int) -> list[Task]:
    """Draw all tasks of a batch; the place in the list is the number in the prompt."""
    chance = Random(seed)
    return [LAWS[law](chance, number / tasks) for number in range(tasks)]


def number_in(prompt: str) -> int:
    """Return which task a prompt asks for."""
    return int(prompt.rpartition(" ")[2])


def body_of(number: int, task: Task) -> dict[str, object]:
    """Return the create that a hand-written client sends for a task."""
    return {
        "model": "seedance-20",
        "inputs": {
            "prompt": PROMPT.format(number=number),
            "duration": str(task.kind.length),
            "aspectRatio": "16:9",
            "outputResolution": "1080p",
        },
    }
