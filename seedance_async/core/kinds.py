"""Kinds of tasks: what decides how long one takes, and how long one took."""

from datetime import datetime
from typing import Final, NamedTuple

from seedance_async.core.request import Request

#: Seconds by which the service's times may contradict what polls saw.
_SLACK: Final = 2.0


class Kind(NamedTuple):
    """What decides how long a task takes.

    Attributes:
        model: The model's id.
        resolution: The `outputResolution` that is sent.
        typical: Seconds such a task usually takes, from the catalogue.
        length: Seconds of video; 0 where the request has none.
        references: The class of the inputs, and which kinds of files go with them.
    """

    model: str
    resolution: str
    typical: float
    length: int = 0
    references: str = ""

    @property
    def group(self) -> "Kind":
        """The kind without length and references: tasks that were not seen yet are taken to be like those."""
        return Kind(self.model, self.resolution, self.typical)


def kind_of(request: Request) -> Kind:
    """Return the kind of a request's task."""
    inputs = request.inputs
    files = [name for name in ("images", "videos", "audios", "upscale_resolution") if getattr(inputs, name, None)]
    length: int | None = getattr(inputs, "duration", None)
    return Kind(
        model=request.spec.id,
        resolution=request.resolution,
        typical=request.typical_seconds,
        length=length or 0,
        references=" ".join([type(inputs).__name__, *files]),
    )


def seconds_taken(created: datetime | None, completed: datetime | None, alive_at: float, age: float) -> float:
    """Return how long a task took that was last seen running at one age and had ended by another.

    Args:
        created: When it was accepted, as the service says.
        completed: When it ended, as the service says.
        alive_at: Age at which it was last seen running; negative if never.
        age: Age at which it was seen to have ended.

    Returns:
        What the service says where it agrees with what polls saw, and else the middle between the two polls.
    """
    earliest = max(0.0, alive_at)
    latest = max(earliest, age)
    if created is not None and completed is not None:
        taken = (completed - created).total_seconds()
        if earliest - _SLACK <= taken <= latest + _SLACK:
            return max(0.0, taken)
    return (earliest + latest) / 2
