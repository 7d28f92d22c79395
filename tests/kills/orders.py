"""What a process that is to die is told: what to make, and where its end is."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

import attrs
from attrs import field, frozen

Writes = Literal["any", "intent", "closing", "end", "note"]
Point = Literal["before", "within", "after"]


@frozen(kw_only=True)
class Trap:
    """Where a process dies. `str` of it, with the seed, is what a failure is repeated with.

    Attributes:
        kind: `"none"`: nowhere. `"time"`: after `seconds`, killed from outside. `"write"`: at the write `number` of the
            journal. `"step"`: right before the step `number` in its folder, such as a file opened, linked, renamed or
            removed. `"leave"`: after `seconds` it closes its session, and is killed `then` seconds later, if ever.
        number: Counts from 1.
        of: Only writes that hold such a change are counted.
        point: Whether a write has not begun, is under way for `seconds`, or is durable and its caller not told.
        seconds: See above.
        then: See above.
    """

    kind: Literal["none", "time", "write", "step", "leave"] = "none"
    number: int = 1
    of: Writes = "any"
    point: Point = "after"
    seconds: float = 0.0
    then: float | None = None

    def __str__(self) -> str:
        match self.kind:
            case "none":
                return "ends by itself"
            case "time":
                return f"dies after {self.seconds:.4f} s"
            case "write":
                within = f" ({self.seconds:.4f} s)" if self.point == "within" else ""
                return f"dies {self.point}{within} write {self.number} of {self.of}"
            case "step":
                return f"dies before step {self.number}"
            case "leave":
                then = "" if self.then is None else f" and dies {self.then:.4f} s later"
                return f"leaves after {self.seconds:.4f} s{then}"


NOWHERE = Trap()


@frozen(kw_only=True)
class Orders:
    """Everything a process is told.

    Attributes:
        application: A name of `applications.APPLICATIONS`.
        rows: The same as a batch file.
        folder: Where the journal and the videos are.
        trace: Where it writes down what it does.
        base_url: Of the service.
        api_key: Of the service.
        prompts: What to make, by key.
        concurrency: Slots.
        resubmit: Whether to send again what is unknown.
        trap: Where it dies.
        sabotage: What it does wrong on purpose, a name of `sabotage.SABOTAGES`; empty for nothing.
    """

    application: str
    rows: Path
    folder: Path
    trace: Path
    base_url: str
    api_key: str
    prompts: Mapping[str, str] = field(repr=False)
    concurrency: int = 16
    resubmit: bool = False
    trap: Trap = NOWHERE
    sabotage: str = ""

    def to_line(self) -> str:
        """Return one line of text."""
        return json.dumps(attrs.asdict(self), default=str)

    @classmethod
    def from_line(cls, line: str) -> Self:
        """Read such a line."""
        told = json.loads(line)
        paths = {name: Path(told[name]) for name in ("rows", "folder", "trace")}
        return cls(**{**told, **paths, "trap": Trap(**told["trap"])})
