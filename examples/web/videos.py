"""The videos of all visitors: one session, keys that belong to a visitor, and where each video stands."""

import re
import uuid
from contextlib import suppress
from typing import Any, Final, cast

from attrs import define, field

from examples.web.problems import as_json
from examples.web.settings import WebSettings
from examples.web.stopping import Stopping
from seedance_async import (
    AsyncSeedance,
    InputError,
    JobState,
    Problem,
    SeedanceError,
    SessionClosedError,
    TaskHandle,
    TextToVideo,
    VideoResult,
)
from seedance_async.webhooks import Delivery

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
#: What a visitor may say. Not the rest of what the SDK takes: where webhooks go, for one, is not theirs to choose.
CHOICES: Final = ("prompt", "duration", "aspect_ratio", "output_resolution")
#: Seconds that a visitor waits for the link of a video that an earlier run has finished.
_LINK_PATIENCE: Final = 5.0


@define(eq=False)
class Videos:
    """What the routes ask.

    Attributes:
        session: The session of the process, open.
        settings: What the application was told.
        stopping: Whether the process is about to stop.
    """

    session: AsyncSeedance
    settings: WebSettings
    stopping: Stopping
    # Asking the session for a key again counts as wanting its video again, so each handle is asked for once. It keeps
    # as many jobs as the session does for its keys.
    _handles: dict[str, TaskHandle] = field(init=False, factory=dict[str, TaskHandle])

    async def order(self, user: str, video_id: str, inputs: TextToVideo) -> TaskHandle:
        """Put a video into the queue and return once that is on the disk.

        What was answered after this outlives a crash. The same id with the same inputs is the same video.

        Raises:
            SeedanceError: It was refused; nothing was sent.
        """
        self.check_open()
        key = key_of(user, video_id)
        handle = self.session.enqueue(inputs, key=key, group=user)
        self._handles[key] = handle
        # A note is durable when this returns, and with it what was written before.
        await self.session.journal.note(key, ordered=True)
        return handle

    async def make(self, user: str, video_id: str, inputs: TextToVideo) -> VideoResult:
        """Put a video into the queue and wait for it.

        Raises:
            SeedanceError: There is no video.

        Cancellation: gives up the place in the queue, unless somebody else wants the same video. One that was sent is
            paid for and goes on; the same call finds it again.
        """
        self.check_open()
        return await self.session.generate(inputs, key=key_of(user, video_id), group=user)

    async def find(self, user: str, video_id: str) -> TaskHandle | None:
        """Return a visitor's video, from this run or an earlier one; None where there is none."""
        if _ID.fullmatch(video_id) is None:
            return None
        key = key_of(user, video_id)
        known = self._handles.get(key)
        # One that was taken back may have been ordered anew since.
        if known is not None and known.status != "withdrawn":
            return known
        try:
            known = self._handles[key] = self.session.attach(key=key)
        except InputError:
            return None
        record = self.session.journal.get(key)
        if record is not None and record.state is JobState.SUCCEEDED and not known.done():
            # Finished in an earlier run: the journal keeps no signed link, so the service is asked for it again.
            with suppress(TimeoutError, SeedanceError):
                await known.wait(_LINK_PATIENCE)
        return known

    def notify(self, delivery: Delivery, *, token: str | None = None) -> None:
        """Take a call of the service, for the webhook routes."""
        self.session.notify(delivery, token=token)

    def adopt(self, handles: tuple[TaskHandle, ...]) -> None:
        """Take over what `resume` has given."""
        self._handles.update({handle.key: handle for handle in handles})

    def check_open(self) -> None:
        """Refuse new work while the process is about to stop.

        Raises:
            SessionClosedError: It is.
        """
        if self.stopping.begun:
            raise SessionClosedError


def key_of(user: str, video_id: str) -> str:
    """Return the session's key for a visitor's video: nobody reaches another one's."""
    return f"{user}/{video_id}"


def read_key(header: str | None) -> str:
    """Return the id of a video: the client's `Idempotency-Key`, or a new one.

    Raises:
        InputError: The header cannot be a part of a URL.
    """
    if header is None:
        return uuid.uuid4().hex
    if _ID.fullmatch(header) is None:
        message = "must be 1 to 64 letters, digits, - or _, such as a UUID; make a new one for each new video"
        raise InputError([Problem("Idempotency-Key", message)])
    return header


def read_order(body: object) -> TextToVideo:
    """Read an order that no framework has checked: a prompt, and what a visitor may choose beside it.

    Raises:
        InputError: It is none. What the names may say is the SDK's business, which knows the service's limits.
    """
    if not isinstance(body, dict):
        raise InputError([Problem("body", 'must be an object, such as {"prompt": "a lake at dawn"}')])
    given = cast("dict[str, Any]", body)
    problems = [
        Problem(name, f"is not asked for here; there are {', '.join(CHOICES)}")
        for name in sorted(given.keys() - CHOICES)
    ]
    if not isinstance(given.get("prompt"), str):
        problems.append(Problem("prompt", "must be text"))
    if problems:
        raise InputError(problems)
    return TextToVideo(**given)


def describe(handle: TaskHandle) -> dict[str, Any]:
    """Say where a video stands, as JSON."""
    video_id = video_id_of(handle)
    estimate = handle.estimate
    error = handle.exception() if handle.done() else None
    finished = handle.done() and error is None
    return {
        "id": video_id,
        "prompt": None if handle.inputs is None else handle.inputs.prompt,
        "status": handle.status,
        "done": handle.done(),
        "position": handle.position,
        "elapsed": round(handle.elapsed, 1),
        "typical": None if estimate is None else round(estimate.typical, 1),
        "remaining": None if estimate is None else round(estimate.remaining, 1),
        "error": None if error is None else as_json(error),
        "file": f"/videos/{video_id}/file" if finished else None,
    }


def etag_of(handle: TaskHandle) -> str:
    """Name the bytes of a finished video: a task's file never changes."""
    return f'"{handle.task_id}"'


def file_headers(handle: TaskHandle, *, download: bool) -> dict[str, str]:
    """Say how long a browser may keep a file, and whether it is to be saved or shown."""
    kind = "attachment" if download else "inline"
    return {
        "Cache-Control": "private, max-age=86400, immutable",
        "Content-Disposition": f'{kind}; filename="{video_id_of(handle)}.mp4"',
        "X-Content-Type-Options": "nosniff",
    }


def video_id_of(handle: TaskHandle) -> str:
    """Return the id of a video in URLs."""
    return handle.key.rpartition("/")[2]
