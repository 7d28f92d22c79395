"""What happened at the emulated service, counted where it happened."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

import attrs
from attrs import define, field, frozen


@frozen(kw_only=True)
class Statistics:
    """Everything that was asked of the service, and what became of it.

    Money adds up: `credits_reserved == credits_held + credits_refunded + credits_spent` but for what was settled
    differently after a task.

    Attributes:
        creates: Create requests received, those that a fault cut off included.
        accepted: Creates that made a task.
        cut: Creates that a fault answered or dropped before the service looked at them.
        refused: Refused creates by HTTP status.
        creates_by_prompt: Create requests received, by prompt.
        creates_by_key: Create requests received, by API key.
        creates_by_callback: Create requests received, by `callBackUrl`.
        accepted_by_prompt: Tasks by prompt.
        polls: Requests of `recordInfo`.
        polls_by_task: The same by task id.
        peak_polls: Most requests of `recordInfo` in one second.
        in_progress: Tasks of this account that hold a slot now, without foreign ones.
        peak_in_progress: Most of them at once.
        foreign: Slots that others of the same account hold now.
        limit: Tasks that may be in progress now.
        succeeded: Tasks that ended in `success`.
        failed: Tasks that ended in `fail`.
        credits_available: What is left to reserve from.
        credits_reserved: Reserved by creates, in total.
        credits_held: Reserved by tasks that have not ended.
        credits_refunded: Given back for failed tasks.
        credits_spent: Paid for finished tasks.
        file_requests: Requests of videos and pictures.
        uploads: Files that were uploaded.
        uploaded_bytes: Their bytes, all together.
        keys_leaked: Uploads that carried an API key to the host of the files; refused.
        webhooks: Webhook requests sent, forged and doubled ones included.
        peak_requests: Most HTTP requests being answered at once.
    """

    creates: int
    accepted: int
    cut: int
    refused: Mapping[int, int]
    creates_by_prompt: Mapping[str, int]
    creates_by_key: Mapping[str, int]
    creates_by_callback: Mapping[str, int]
    accepted_by_prompt: Mapping[str, int]
    polls: int
    polls_by_task: Mapping[str, int]
    peak_polls: int
    in_progress: int
    peak_in_progress: int
    foreign: int
    limit: int
    succeeded: int
    failed: int
    credits_available: Decimal
    credits_reserved: Decimal
    credits_held: Decimal
    credits_refunded: Decimal
    credits_spent: Decimal
    file_requests: int = 0
    uploads: int = 0
    uploaded_bytes: int = 0
    keys_leaked: int = 0
    webhooks: int = 0
    peak_requests: int = 0

    @property
    def refusals(self) -> int:
        """Creates refused because the account was at its limit (429)."""
        return self.refused.get(429, 0)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; credits are strings, so that nothing is rounded."""
        plain: dict[str, Any] = {}
        for name, value in attrs.asdict(self, recurse=False).items():
            if isinstance(value, Decimal):
                plain[name] = str(value)
            elif isinstance(value, Mapping):
                counts = cast("Mapping[str | int, int]", value)
                plain[name] = {str(key): count for key, count in counts.items()}
            else:
                plain[name] = value
        plain["refusals"] = self.refusals
        return plain


@define
class Tally:
    """Counts while they grow."""

    creates: int = 0
    accepted: int = 0
    cut: int = 0
    polls: int = 0
    succeeded: int = 0
    failed: int = 0
    peak_in_progress: int = 0
    refused: dict[int, int] = field(factory=dict[int, int])
    creates_by_prompt: dict[str, int] = field(factory=dict[str, int])
    creates_by_key: dict[str, int] = field(factory=dict[str, int])
    creates_by_callback: dict[str, int] = field(factory=dict[str, int])
    accepted_by_prompt: dict[str, int] = field(factory=dict[str, int])
    polls_by_task: dict[str, int] = field(factory=dict[str, int])
    peak_polls: int = 0
    _second: int = -1
    _polls_in_second: int = 0

    def counts(self) -> dict[str, Any]:
        """Return the counts as they are now, by the names that `Statistics` gives them."""
        now = attrs.asdict(self, filter=lambda attribute, _: not attribute.name.startswith("_"), recurse=False)
        return {
            name: dict(cast("dict[str | int, int]", count)) if isinstance(count, dict) else count
            for name, count in now.items()
        }

    def create(self, body: object, key: str | None) -> None:
        """Count a create request that arrived."""
        self.creates += 1
        _count(self.creates_by_key, key or "")
        envelope = cast("dict[str, Any]", body) if isinstance(body, dict) else {}
        inputs, callback = envelope.get("inputs"), envelope.get("callBackUrl")
        if isinstance(inputs, dict):
            _count(self.creates_by_prompt, str(cast("dict[str, Any]", inputs).get("prompt", "")))
        if isinstance(callback, str):
            _count(self.creates_by_callback, callback)

    def accept(self, prompt: str, in_progress: int) -> None:
        """Count a create that made a task."""
        self.accepted += 1
        _count(self.accepted_by_prompt, prompt)
        self.peak_in_progress = max(self.peak_in_progress, in_progress)

    def refuse(self, status: int) -> None:
        """Count a create that was refused."""
        self.refused[status] = self.refused.get(status, 0) + 1

    def poll(self, task_id: str, now: float) -> None:
        """Count a request of `recordInfo`."""
        self.polls += 1
        _count(self.polls_by_task, task_id)
        if int(now) != self._second:
            self._second, self._polls_in_second = int(now), 0
        self._polls_in_second += 1
        self.peak_polls = max(self.peak_polls, self._polls_in_second)


def _count(counts: dict[str, int], name: str) -> None:
    counts[name] = counts.get(name, 0) + 1
