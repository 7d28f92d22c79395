"""A batch that is killed again and again, until it is done."""

import json
import shutil
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Final

from seedance_async.batch import JOURNAL
from seedance_async.core.lifecycle import State
from seedance_async.journal import read_journal
from tests.kills.history import Life, history_of
from tests.kills.nursery import DONE, KILLED, LEFT, Nursery
from tests.kills.orders import NOWHERE, Orders, Trap
from tests.kills.service import Service
from tests.kills.trace import read_trace
from tests.kills.verdict import file_problems, verdict

#: How many jobs a batch has.
JOBS: Final = 60
#: One task in so many is refused by moderation.
_FAILS: Final = 20
#: Deaths of one batch, before it is left to end in peace.
_MOST_DEATHS: Final = 60


class Ordeal:
    """One batch and its lives.

    Attributes:
        name: Begins its prompts, so that the service can tell them from those of others.
        prompts: What is to be made, by key.
        lives: Its processes so far.
        kills: How many of them were killed.
        problems: What was not true so far.
    """

    def __init__(
        self,
        service: Service,
        nursery: Nursery,
        folder: Path,
        *,
        application: str,
        jobs: int = JOBS,
        sabotage: str = "",
    ) -> None:
        """Set up a batch of its own in a folder that is not there yet, whose name no other batch has."""
        self.name = folder.name
        self.prompts = {f"lake-{number}": self._prompt(number) for number in range(1, jobs + 1)}
        self.lives: list[Life] = []
        self.kills = 0
        self.problems: list[str] = []
        self._service = service
        self._nursery = nursery
        self._application = application
        self._sabotage = sabotage
        self._folder = folder
        self._videos = folder / "videos"
        self._videos.mkdir(parents=True)
        self._rows = folder / "rows.jsonl"
        rows = [json.dumps({"id": key, "prompt": prompt}) for key, prompt in self.prompts.items()]
        self._rows.write_text("\n".join(rows), "utf-8")

    def live(self, trap: Trap = NOWHERE, *, resubmit: bool = False) -> bool:
        """Run one process and look at what it left; return whether it found its end by itself."""
        orders = Orders(
            application=self._application,
            rows=self._rows,
            folder=self._videos,
            trace=self._folder / f"life-{len(self.lives) + 1:02}.jsonl",
            base_url=self._service.base_url,
            api_key=self._service.api_key,
            prompts=self.prompts,
            resubmit=resubmit,
            trap=trap,
            sabotage=self._sabotage,
        )
        code = self._nursery.run(orders)
        self.lives.append(Life(trap, resubmit, tuple(read_trace(orders.trace))))
        if code not in {DONE, LEFT, KILLED}:
            self.problems.append(f"life {len(self.lives)} ended with {code}, see {orders.trace.with_suffix('.txt')}")
        self.kills += code == KILLED
        self.problems += file_problems(self._service.account(f"{self.name} "), self._videos)
        return code == DONE

    def suffer(self, deaths: Iterable[tuple[Trap, bool]] = (), *, answers_get_lost: bool = False) -> None:
        """Live and die until a process finds its end by itself, then send again what is unknown; look at everything.

        Args:
            deaths: Traps, and whether the process sends again what is unknown. After the last it ends in peace.
            answers_get_lost: Whether keys may be unknown without a death.
        """
        for trap, resubmit in islice(deaths, _MOST_DEATHS):
            if self.live(trap, resubmit=resubmit) or self.problems:
                break
        else:
            self.live()
        self.judge()
        if self._unknown() and not self.problems:
            self.live(resubmit=True)
            self.judge()
            if self._unknown() and not answers_get_lost:
                self.problems.append(f"{self._unknown()} are unknown, and were to be sent again")
        if not self.problems:
            shutil.rmtree(self._folder)

    def judge(self) -> None:
        """Look at everything between two lives, the first of which found its end by itself."""
        history, account = history_of(self.lives), self._service.account(f"{self.name} ")
        records = read_journal(self._videos / JOURNAL)
        self.problems += history.problems
        self.problems += verdict(self.prompts, records, account, history, self._videos)

    def told(self) -> str:
        """Return its lives and problems, for people."""
        lives = [f"  {number}: {life}" for number, life in enumerate(self.lives, 1)]
        return "\n".join([f"{self._application}, in {self._folder}", *lives, *self.problems])

    def _unknown(self) -> list[str]:
        return [record.key for record in read_journal(self._videos / JOURNAL) if record.state is State.UNKNOWN]

    def _prompt(self, number: int) -> str:
        return f"{self.name} lake {number}" + (" [fail:moderation]" if number % _FAILS == 0 else "")
