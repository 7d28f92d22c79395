"""Every kind of fault: where it may happen, at which stage of a request, and what its numbers mean."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from attrs import frozen

Place = Literal["create", "poll", "file", "webhook", "upload", "storage"]
#: `before`: the service never looks at the request. `after`: it did, and the answer is lost or spoilt.
#: `change`: something about the account, the task or the answer is odd.
Stage = Literal["before", "after", "change"]


@frozen
class Kind:
    """What a kind of fault does.

    Attributes:
        text: One sentence for people.
        stage: When in the life of a request.
        places: Where it may happen; the first is meant where none is given.
        seconds: What `seconds` is by default.
        value: What `value` is by default.
        pattern: What `value` must look like, as a regular expression; None takes anything.
        everywhere: Whether it happens at all places where none is given.
    """

    text: str
    stage: Stage
    places: tuple[Place, ...]
    seconds: float = 0.0
    value: str = ""
    pattern: str | None = None
    everywhere: bool = False

    def check_value(self, name: str, value: str | None) -> None:
        """Check a value that was given.

        Raises:
            ValueError: It is not one that the kind takes.
        """
        if value is not None and self.pattern is not None and re.fullmatch(self.pattern, value) is None:
            raise ValueError(f"fault {name!r}: value={value!r} must match {self.pattern}")


_API: Final[tuple[Place, ...]] = ("create", "poll", "upload")
_HTTP: Final[tuple[Place, ...]] = ("create", "poll", "file", "upload", "storage")

KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        # The service never looks at the request.
        "drop-before-accept": Kind("The connection is closed; no task is made.", "before", _HTTP),
        "reset-before-accept": Kind("The connection is reset; no task is made.", "before", _HTTP),
        "hang-before-accept": Kind("No answer for so many seconds, then closed; no task.", "before", _HTTP, 3600.0),
        "outage": Kind(
            "Everything is closed without an answer, or answered with the HTTP status that `value` gives.",
            "before",
            _HTTP,
            value="drop",
            pattern=r"drop|[1-5]\d\d",
            everywhere=True,
        ),
        "429-without-numbers": Kind(
            "A 429 that names no limit; `value` becomes its Retry-After.", "before", _API, pattern=r"[^\r\n]*"
        ),
        "redirect": Kind(
            "A redirect: 307 of the API to its own address, 302 of a file to another path.", "before", _HTTP
        ),
        "not-found": Kind("404 although the task or file exists.", "before", ("poll", "file")),
        "expired-link": Kind("403 for every link older than so many seconds.", "before", ("file", "storage"), 60.0),
        # The service did its part, and the answer does not arrive as it should.
        "drop-after-accept": Kind("The task is made, then the connection is closed.", "after", _HTTP),
        "reset-after-accept": Kind("The task is made, then the connection is reset.", "after", _HTTP),
        "hang-after-accept": Kind("The task is made; no answer for so many seconds.", "after", _HTTP, 3600.0),
        "cut-body": Kind("The answer ends in the middle of its body.", "after", _HTTP),
        "drip": Kind("The body arrives in small pieces, so many seconds apart.", "after", _HTTP, 1.0),
        "slow-headers": Kind("The answer begins so many seconds late.", "after", _HTTP, 5.0),
        "html": Kind("HTTP 200 with a page of HTML.", "after", _HTTP),
        "no-task-id": Kind("HTTP 200 without a task id, although there is a task.", "after", ("create",)),
        "error-after-accept": Kind(
            "The task is made, and the answer is the HTTP status that `value` gives.",
            "after",
            ("create",),
            value="500",
            pattern=r"[45]\d\d",
        ),
        # Something is odd.
        "limit": Kind("From this create on the account's limit is `value`.", "change", ("create",), 0.0, "1", r"\d+"),
        "late-visibility": Kind("recordInfo says 404 for so many seconds.", "change", ("create",), 5.0),
        "slots-freed-late": Kind("The slot stays taken so many seconds after the end.", "change", ("create",), 5.0),
        "credits-drift": Kind(
            "Credits are `value` times the price.", "change", ("create",), 0.0, "0.7", r"\d+(\.\d+)?"
        ),
        "credits-noise": Kind("creditsUsed carries the noise of binary fractions.", "change", ("create",)),
        "size-drift": Kind(
            "The video has the size `value`.", "change", ("create",), 0.0, "1284x716", r"[1-9]\d*x[1-9]\d*"
        ),
        "duration-type": Kind(
            "Durations of another JSON type than `value` are refused.",
            "change",
            ("create",),
            0.0,
            "integer",
            r"string|integer",
        ),
        "unknown-status": Kind("A running task has the status `value`.", "change", ("poll",), 0.0, "queued"),
        "string-error": Kind("The error of a failed task is a plain string.", "change", ("poll",)),
        "older-answer": Kind("recordInfo answers with the fields of older days only.", "change", ("poll",)),
        "file-changes": Kind("The file is another one from this request on.", "change", ("file",)),
        "ignore-range": Kind("A range is answered with the whole file.", "change", ("file",)),
        "wrong-range": Kind("A stale If-Range is answered with 206 and the new bytes.", "change", ("file",)),
        "weak-etag": Kind("The ETag is a weak one.", "change", ("file",)),
        "slow-body": Kind(
            "The bytes of an upload are taken slowly: so many seconds for 64 KiB.", "change", ("storage",), 1.0
        ),
        "place-odd": Kind(
            "The answer to an upload is odd in the way that `value` names.",
            "change",
            ("upload",),
            0.0,
            "no-address",
            r"no-address|no-url|plain-http|odd-url|other-method",
        ),
        "no-length": Kind("The file comes without a Content-Length.", "change", ("file",)),
        "webhook-late": Kind("The webhook comes so many seconds late.", "change", ("webhook",), 30.0),
        "webhook-lost": Kind("The webhook never comes.", "change", ("webhook",)),
        "webhook-doubled": Kind("The webhook comes again, so many seconds later.", "change", ("webhook",), 1.0),
        "webhook-forged": Kind(
            "Somebody else says the opposite, so many seconds after the create.", "change", ("webhook",), 1.0
        ),
        "webhook-form": Kind("The body has the form `value`.", "change", ("webhook",), 0.0, "state", r"state|status"),
    }
)

_STATUS: Final = re.compile(r"http-([2-5]\d\d)")
_STATUS_KIND: Final = Kind("This HTTP status, before the service looks at the request.", "before", _HTTP)


def status_kind(name: str) -> Kind | None:
    """Return the kind of `http-502` and its like; None if the name is not of that form."""
    return _STATUS_KIND if _STATUS.fullmatch(name) else None


def status_of(name: str) -> int:
    """Return the status of `http-502`."""
    return int(name.rpartition("-")[2])
