"""A plan of what breaks: what, where, when, how often.

A fault has a kind (`KINDS` lists them all), a place (`create`, `poll`, `file`, `webhook`,
`upload`: a place is asked for, `storage`: the bytes are sent there) and conditions. Requests are
counted per fault, among those at its place that its `prompt` and its span of time allow; `nth`, `every`, `rate` and
`count` then choose among them. Of the faults that hit one request, the first that answers or cuts off wins; the ones
that only change something all apply.

As text, for the command line: `drop-after-accept:nth=2`, `http-502:on=poll,rate=0.1`, `outage:since=60,until=120`.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from random import Random
from typing import Final, Literal, cast

import attrs
from attrs import define, field, frozen

from seedance_async.testing.fault_kinds import KINDS, Kind, Place, status_kind

_FIELDS: Final = ("on", "nth", "every", "rate", "prompt", "since", "until", "count", "seconds", "value")
_PLACES: Final = ("create", "poll", "file", "webhook", "upload", "storage")


def _positive(instance: "Fault", attribute: "attrs.Attribute[int | None]", value: int | None) -> None:
    if value is not None and value < 1:
        raise ValueError(f"fault {instance.kind!r}: {attribute.name} counts from 1 (given: {value})")


def _not_negative(instance: "Fault", attribute: "attrs.Attribute[float | None]", value: float | None) -> None:
    if value is not None and not value >= 0:
        raise ValueError(f"fault {instance.kind!r}: {attribute.name} is not below 0 (given: {value})")


def _share(instance: "Fault", attribute: "attrs.Attribute[float | None]", value: float | None) -> None:
    if value is not None and not 0 <= value <= 1:
        raise ValueError(f"fault {instance.kind!r}: {attribute.name} is from 0 to 1 (given: {value})")


@frozen
class Fault:
    """One thing that breaks.

    Attributes:
        kind: What breaks, a name of `KINDS`, or `http-` and a status.
        on: Where; the kind's own place if None.
        nth: Only the nth request, from 1.
        every: Every nth request.
        rate: This part of the requests, 0 to 1, by the emulator's seeded generator.
        prompt: Only for tasks whose prompt contains this.
        since: World seconds from which it applies; from the start if None.
        until: World seconds until which it applies; without an end if None.
        count: At most so many times.
        seconds: How long, where the kind has a time; the kind's own if None.
        value: What, where the kind has a value; the kind's own if None.

    Raises:
        ValueError: There is no such kind, it does not exist at that place, or a number makes no sense.
    """

    kind: str
    on: Place | None = field(default=None, kw_only=True)
    nth: int | None = field(default=None, kw_only=True, validator=_positive)
    every: int | None = field(default=None, kw_only=True, validator=_positive)
    rate: float | None = field(default=None, kw_only=True, validator=_share)
    prompt: str | None = field(default=None, kw_only=True)
    since: float | None = field(default=None, kw_only=True, validator=_not_negative)
    until: float | None = field(default=None, kw_only=True, validator=_not_negative)
    count: int | None = field(default=None, kw_only=True, validator=_positive)
    seconds: float | None = field(default=None, kw_only=True, validator=_not_negative)
    value: str | None = field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        places = self.known_kind.places
        if self.on is not None and self.on not in places:
            there = ", ".join(places)
            raise ValueError(f"fault {self.kind!r} happens on {there}, not on {self.on!r}")
        self.known_kind.check_value(self.kind, self.value)

    @property
    def known_kind(self) -> Kind:
        """What the kind means.

        Raises:
            ValueError: There is no such kind.
        """
        kind = KINDS.get(self.kind) or status_kind(self.kind)
        if kind is None:
            raise ValueError(f"there is no fault {self.kind!r}.{_hint(self.kind, (*KINDS, 'http-502'))}")
        return kind

    @property
    def places(self) -> tuple[Place, ...]:
        """Where it happens."""
        if self.on is not None:
            return (self.on,)
        kind = self.known_kind
        return kind.places if kind.everywhere else kind.places[:1]

    @property
    def lasting(self) -> float:
        """Its seconds, or the kind's own."""
        return self.known_kind.seconds if self.seconds is None else self.seconds

    @property
    def meaning(self) -> str:
        """Its value, or the kind's own."""
        return self.known_kind.value if self.value is None else self.value

    @classmethod
    def parse(cls, text: str) -> "Fault":
        """Read `kind` or `kind:name=value,name=value`.

        Raises:
            ValueError: It cannot be read; the message says what is possible.
        """
        kind, _, rest = text.strip().partition(":")
        given: dict[str, str] = {}
        for pair in filter(None, (part.strip() for part in rest.split(","))):
            name, equals, value = pair.partition("=")
            name = name.strip()
            if not equals:
                raise ValueError(f"fault {text!r}: {pair!r} is not name=value")
            if name not in _FIELDS:
                raise ValueError(f"fault {text!r}: there is no {name!r}.{_hint(name, _FIELDS)}")
            given[name] = value.strip()
        if given.get("on") not in {None, *_PLACES}:
            raise ValueError(f"fault {text!r}: there is no place {given['on']!r}.{_hint(given['on'], _PLACES)}")
        return cls(
            kind.strip(),
            on=cast("Place | None", given.get("on")),
            nth=_whole(text, given, "nth"),
            every=_whole(text, given, "every"),
            rate=_decimal(text, given, "rate"),
            prompt=given.get("prompt"),
            since=_decimal(text, given, "since"),
            until=_decimal(text, given, "until"),
            count=_whole(text, given, "count"),
            seconds=_decimal(text, given, "seconds"),
            value=given.get("value"),
        )

    def __str__(self) -> str:
        """Return the text that `parse` reads."""
        parts = [f"{name}={getattr(self, name)}" for name in _FIELDS if getattr(self, name) is not None]
        return ":".join([self.kind, ",".join(parts)] if parts else [self.kind])


@define
class _Count:
    seen: int = 0
    done: int = 0


class Faults:
    """The faults of an emulator; may be changed while it runs.

    Args:
        faults: Faults, or their texts.
    """

    def __init__(self, *faults: Fault | str) -> None:
        self._counts: dict[int, tuple[Fault, _Count]] = {}
        self._next = 0
        for fault in faults:
            self.add(fault)

    def add(self, fault: Fault | str) -> Fault:
        """Add a fault; it begins to count now."""
        added = Fault.parse(fault) if isinstance(fault, str) else fault
        self._counts[self._next] = (added, _Count())
        self._next += 1
        return added

    def remove(self, fault: Fault) -> None:
        """Remove every fault that equals this one; nothing happens if there is none."""
        self._counts = {number: entry for number, entry in self._counts.items() if entry[0] != fault}

    def clear(self) -> None:
        """Remove all."""
        self._counts.clear()

    @property
    def plan(self) -> tuple[Fault, ...]:
        """The faults, in the order in which they were added."""
        return tuple(fault for fault, _ in self._counts.values())

    @property
    def done(self) -> dict[str, int]:
        """How often each has happened, by its text."""
        return {str(fault): count.done for fault, count in self._counts.values()}

    def strike(self, place: Place, *, now: float, rng: Random, prompt: str = "") -> "Strike":
        """Count one request and return the faults that hit it.

        Args:
            place: Where the request is.
            now: World time.
            rng: For `rate`.
            prompt: The prompt of the task that it is about.
        """
        hits: list[Fault] = []
        for fault, count in self._counts.values():
            if place not in fault.places or (fault.prompt is not None and fault.prompt not in prompt):
                continue
            if now < (fault.since or 0.0) or (fault.until is not None and now >= fault.until):
                continue
            count.seen += 1
            if _chosen(fault, count, rng):
                count.done += 1
                hits.append(fault)
        return Strike(hits)

    def __len__(self) -> int:
        return len(self._counts)


class Strike:
    """The faults that hit one request."""

    __slots__ = ("_faults",)

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._faults = tuple(faults)

    def find(self, *kinds: str) -> Fault | None:
        """Return the first fault of one of these kinds."""
        return next((fault for fault in self._faults if fault.kind in kinds), None)

    def at(self, stage: Literal["before", "after", "change"]) -> tuple[Fault, ...]:
        """Return the faults of a stage: before the service looks at the request, after it, or changing something."""
        return tuple(fault for fault in self._faults if fault.known_kind.stage == stage)


def _chosen(fault: Fault, count: _Count, rng: Random) -> bool:
    if fault.count is not None and count.done >= fault.count:
        return False
    if fault.nth is not None and count.seen != fault.nth:
        return False
    if fault.every is not None and count.seen % fault.every:
        return False
    return fault.rate is None or rng.random() < fault.rate


def _whole(text: str, given: dict[str, str], name: str) -> int | None:
    value = given.get(name)
    if value is None:
        return None
    try:
        return int(value)
    except ValueError:
        raise ValueError(f"fault {text!r}: {name} is a whole number (given: {value!r})") from None


def _decimal(text: str, given: dict[str, str], name: str) -> float | None:
    value = given.get(name)
    if value is None:
        return None
    try:
        return float(value)
    except ValueError:
        raise ValueError(f"fault {text!r}: {name} is a number (given: {value!r})") from None


def _hint(given: str, known: Iterable[str]) -> str:
    words = tuple(known)
    near = get_close_matches(given, words, n=1, cutoff=0.6)
    return f" Did you mean {near[0]!r}?" if near else f" There are {', '.join(words)}"
