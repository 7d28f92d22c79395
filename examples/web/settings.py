"""What the application is told by its environment, and the session that follows from it."""

import os
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, Self, TypeVar

from attrs import field, frozen

from seedance_async import AsyncSeedance, ConfigurationError, FixedPolling, PollingPolicy, Timeouts
from seedance_async.webhooks import CallbackUrls

#: With five slots and tasks of four minutes 500 videos are a wait of seven hours.
MAX_WAITING: Final = 500
MAX_WAITING_PER_USER: Final = 20
#: Where the service calls.
WEBHOOKS: Final = "/webhooks/seedance"
#: Seconds that answers which are under way when the process is told to stop have to end.
GRACE: Final = 5
#: Seconds after that for creates on the wire. One that has no answer by then is unknown, which is the worst end.
CLOSE: Final = 10.0
_N = TypeVar("_N", int, float, Decimal)


@frozen(kw_only=True)
class WebSettings:
    """The settings, each from the variable that it names.

    Attributes:
        journal: `VIDEOS_JOURNAL`, where keys, tasks and costs are kept. On a volume that outlives the process.
        concurrency: `VIDEOS_CONCURRENCY`, most tasks in progress; None finds the account's limit.
        budget: `VIDEOS_BUDGET`, most credits that all runs with this journal may spend; None for no limit.
        max_waiting: `VIDEOS_MAX_WAITING`, most videos that wait; what more is asked for is answered 503.
        max_waiting_per_user: `VIDEOS_MAX_WAITING_PER_USER`, most videos of one visitor that wait.
        public_url: `VIDEOS_PUBLIC_URL`, where the service reaches this application, such as `https://example.com`.
            With it the service calls when a video has ended, and tasks are looked at rarely.
        webhook_secret: `VIDEOS_WEBHOOK_SECRET`, goes with it: what makes the URLs of these calls unguessable.
        poll_every: `VIDEOS_POLL_EVERY`, seconds between two looks at a task. For emulators; None suits the service.
        heartbeat: Seconds of silence after which a stream of events says that it is still there.
        api_key: The key, where the SDK is not to take it from the environment.
        base_url: Where the service is; the same.
    """

    journal: str | os.PathLike[str] = "videos.db"
    concurrency: int | None = None
    budget: Decimal | None = None
    max_waiting: int = MAX_WAITING
    max_waiting_per_user: int = MAX_WAITING_PER_USER
    public_url: str | None = None
    webhook_secret: str | None = field(default=None, repr=False)
    poll_every: float | None = None
    heartbeat: float = 15.0
    api_key: str | None = field(default=None, repr=False)
    base_url: str | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the environment.

        Raises:
            ConfigurationError: Variables are no such numbers; it names all of them.
        """
        wrong: list[str] = []

        def read(name: str, kind: Callable[[str], _N], least: float, what: str) -> _N | None:
            text = environment.get(name)
            try:
                number = kind(text) if text else None
                if number is None or float(number) >= least:
                    return number
            except (ValueError, ArithmeticError):
                pass
            wrong.append(f"{name} is to be {what}, and is {text!r}")
            return None

        found = cls(
            journal=environment.get("VIDEOS_JOURNAL") or "videos.db",
            concurrency=read("VIDEOS_CONCURRENCY", int, 1, "a whole number from 1 on"),
            budget=read("VIDEOS_BUDGET", Decimal, 0, "a number of credits"),
            max_waiting=read("VIDEOS_MAX_WAITING", int, 1, "a whole number from 1 on") or MAX_WAITING,
            max_waiting_per_user=read("VIDEOS_MAX_WAITING_PER_USER", int, 1, "a whole number from 1 on")
            or MAX_WAITING_PER_USER,
            public_url=environment.get("VIDEOS_PUBLIC_URL"),
            webhook_secret=environment.get("VIDEOS_WEBHOOK_SECRET"),
            poll_every=read("VIDEOS_POLL_EVERY", float, 0.01, "a number of seconds"),
        )
        if wrong:
            raise ConfigurationError("; ".join(wrong))
        return found

    def session(self) -> AsyncSeedance:
        """Make the one session of the process; `async with` opens it."""
        return AsyncSeedance(
            self.api_key,
            base_url=self.base_url,
            journal=self.journal,
            concurrency="auto" if self.concurrency is None else self.concurrency,
            budget=self.budget,
            max_waiting=self.max_waiting,
            max_waiting_per_group=self.max_waiting_per_user,
            polling=PollingPolicy() if self.poll_every is None else FixedPolling(self.poll_every),
            timeouts=Timeouts(close=CLOSE),
            callback_url=self.callback_url(),
        )

    def callback_url(self) -> CallbackUrls | None:
        """Say where the service is to call; None where nobody could be reached.

        Raises:
            ConfigurationError: One of URL and secret is missing, or they are none.
        """
        if not self.public_url and not self.webhook_secret:
            return None
        if not self.public_url or not self.webhook_secret:
            raise ConfigurationError("VIDEOS_PUBLIC_URL and VIDEOS_WEBHOOK_SECRET go together, and one is missing")
        return CallbackUrls(f"{self.public_url.rstrip('/')}{WEBHOOKS}", self.webhook_secret)
