"""A task of the emulated service, and how it is told in an answer."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from math import inf, nextafter
from typing import Any, Final, Literal

from attrs import define, frozen

from seedance_async.testing.answers import number
from seedance_async.testing.failures import FAILURES, Failure
from seedance_async.testing.orders import Order

Status = Literal["waiting", "generating", "success", "fail"]
#: Given a task id and a file name, return where the file is.
FileUrl = Callable[[str, str], str]

#: Seconds after `success` at which a cost that depends on the reference's length is settled ("a few seconds").
SETTLE_AFTER: Final = 5.0


@frozen(kw_only=True)
class Twist:
    """What is odd about one task; faults make these.

    Attributes:
        visible_after: Seconds during which `recordInfo` still answers 404.
        slot_lingers: Seconds for which the slot stays taken after the end.
        credits_factor: What is reserved, as a multiple of the price.
        noise: Whether `creditsUsed` carries the noise of a binary fraction.
        size: Width and height instead of the ones asked for.
    """

    visible_after: float = 0.0
    slot_lingers: float = 0.0
    credits_factor: Decimal = Decimal(1)
    noise: bool = False
    size: tuple[int, int] | None = None


PLAIN: Final = Twist()


@define
class WorldTask:
    """A task: everything about its fate is decided when it is accepted, so its state is a function of time.

    Attributes:
        task_id: The service's id.
        order: What was asked for.
        key: The API key it was created with.
        created_at: World time of the create.
        generating_at: When `generating` begins.
        ends_at: When it ends; infinite for a task that is stuck.
        frees_at: When it gives back its slot.
        failure: How it fails; None if it succeeds.
        credits: What it reserved.
        seed: The seed used.
        twist: What is odd about it.
        ended: Whether the world has counted its end.
        settled: Whether `creditsUsed` shows the settled cost.
    """

    task_id: str
    order: Order
    key: str
    created_at: float
    generating_at: float
    ends_at: float
    frees_at: float
    failure: Failure | None
    credits: Decimal
    seed: int
    twist: Twist = PLAIN
    ended: bool = False
    settled: bool = False

    def status(self, now: float) -> Status:
        """Return the status at `now`."""
        if now >= self.ends_at:
            return "success" if self.failure is None else "fail"
        return "generating" if now >= self.generating_at else "waiting"

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the file."""
        return self.twist.size or (self.order.width, self.order.height)

    @property
    def credits_used(self) -> int | float:
        """What `creditsUsed` says: the reservation, kept after a refund, until it is settled."""
        amount = self.credits
        if self.settled and self.order.settled is not None:
            amount = self.order.settled
        if self.twist.noise:
            # The service computes in binary fractions: 99.8 is shown as 99.80000000000001 (contract, section 5).
            return nextafter(float(amount), inf)
        return number(amount)


def record(task: WorldTask, now: float, *, epoch: float, file_url: FileUrl) -> dict[str, Any]:
    """Return the body of `recordInfo` for a task.

    Args:
        task: The task.
        now: World time.
        epoch: Unix time, in seconds, at world time 0.
        file_url: Where the task's files are.
    """
    status = task.status(now)
    output: list[dict[str, Any]] | None = None
    error: dict[str, Any] | str | None = None
    if status == "success":
        width, height = task.size
        kind = "quicktime" if task.order.container == "mov" else "mp4"
        output = [
            {
                "url": file_url(task.task_id, f"{task.task_id}.{task.order.container}"),
                "width": width,
                "height": height,
                "mediaType": f"video/{kind}",
                "seed": task.seed,
                "lastFrameImage": file_url(task.task_id, f"{task.task_id}_lastframe.png"),
            }
        ]
    elif status == "fail" and task.failure is not None:
        # The older host words an error as a plain string, without a code.
        failure = task.failure
        error = failure.message if failure.code is None else {"code": failure.code, "message": failure.message}
    return {
        "taskId": task.task_id,
        "model": task.order.model,
        "status": status,
        "creditsUsed": task.credits_used,
        "output": output,
        "error": error,
        "createTime": milliseconds(epoch + task.created_at),
        "completeTime": milliseconds(epoch + task.ends_at) if output or error else None,
    }


def webhook(body: Mapping[str, Any], form: Literal["status", "state"]) -> dict[str, Any]:
    """Return what is POSTed to `callBackUrl` about an ended task.

    Args:
        body: The task's `recordInfo` answer.
        form: `"status"` as the vendor's repository has it, `"state"` as the documentation page has it.
    """
    data: dict[str, Any] = dict(body)
    if form == "state":
        failed = data["status"] == "fail"
        data["state"] = data.pop("status")
        data["orderId"] = str(data["taskId"]).replace("task_", "order_", 1)
        data["updateTime"] = data["completeTime"]
        if failed:
            # As in the page's own example: nothing used, and no time of completion.
            data["creditsUsed"], data["completeTime"] = 0, None
    return {"code": 200, "message": "success", "data": data}


def milliseconds(seconds: float) -> int:
    """Return Unix milliseconds."""
    return round(seconds * 1000)


def _sample(failure: str | None) -> dict[str, Any]:
    fault = None if failure is None else FAILURES[failure]
    return {
        "model": "seedance-20",
        "status": "success" if fault is None else "fail",
        "creditsUsed": 200,
        "output": None,
        "error": None if fault is None else {"code": fault.code, "message": fault.message},
        "createTime": 1789985778346,
        "completeTime": 1789985975235,
    }


#: The sample tasks that a demo key may read (contract, section 15). Their ids are documented, their JSON is not.
SAMPLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "demo_task_t2v_success": _sample(None),
    "demo_task_i2v_success": _sample(None),
    "demo_task_fail_text_moderation": _sample("text-rules"),
    "demo_task_fail_face_detected": _sample("face"),
    "demo_task_fail_server_error": _sample("generation"),
}


def sample_record(task_id: str, file_url: FileUrl) -> dict[str, Any]:
    """Return the body of `recordInfo` for a sample task."""
    body = {"taskId": task_id, **SAMPLES[task_id]}
    if body["status"] == "success":
        body["output"] = [
            {
                "url": file_url(task_id, f"{task_id}.mp4"),
                "width": 1280,
                "height": 720,
                "mediaType": "video/mp4",
                "seed": 10792,
                "lastFrameImage": file_url(task_id, f"{task_id}_lastframe.png"),
            }
        ]
    return body
