"""What a candidate tells its caller of each task."""

from typing import Final

from attrs import define, field

DONE: Final = "done"
FAILED: Final = "failed"
UNKNOWN: Final = "unknown"


@define
class Told:
    """What was told.

    Attributes:
        word: By number: done, failed, or that it is unknown whether a task was made.
        task_ids: By number, the id of the task whose video was handed over.
        errors: How often each class of error was told.
    """

    word: dict[int, str] = field(factory=dict[int, str])
    task_ids: dict[int, str] = field(factory=dict[int, str])
    errors: dict[str, int] = field(factory=dict[str, int])

    def done(self, number: int, task_id: str) -> None:
        """Note a video."""
        self.word[number] = DONE
        self.task_ids[number] = task_id

    def failed(self, number: int, error: str, *, unknown: bool = False) -> None:
        """Note an error."""
        self.word[number] = UNKNOWN if unknown else FAILED
        self.errors[error] = self.errors.get(error, 0) + 1
