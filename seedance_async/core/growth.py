"""How many slots there are, as far as known, and when one more may be tried.

1. With a ceiling there are as many as the ceiling until the service says less; without one there are `AUTO_START`, and
   whatever is found.
2. What a 429 says is the limit at once, whether more or less, and never above the ceiling. It is exact, so that
   nothing of what was found before counts any more.
3. A trial is a create above the limit. It leaves only where every slot is in use, somebody waits and a create was
   accepted since the last refusal, and at most one leaves in `TRIAL_EVERY` seconds. The first that is accepted makes
   the limit one higher: the room may have been that of a task of ours whose end is not seen yet. Each further one
   doubles it, until a refusal or the ceiling. Above what was accepted before, creates leave one at a time: so five
   become fifty within a minute and a half and one refusal, whatever the real limit is. In the first minute after the
   first accepted create, until something is refused, there is one in `EARLY_TRIAL_EVERY` seconds: no room can be that
   of a task that has ended unseen. So a session that begins has fifty within half a minute,
   where an answer takes 0.4 seconds.
4. A refusal says that the limit is what it says, and is the reason not to try it: for `TRUSTED` seconds, and for twice
   as long after each refused trial in a row that said the same, up to an hour; from the third one on until there were
   `CREATES_A_TRIAL` accepted creates, too, or `LONGEST` has passed. A second refusal of the same moment (its create was
   on the wire with the first) counts as such a trial, once. So a change costs two refusals at most in its first half
   hour, and a limit that stays one for every hundred tasks, or every two hours. One that rises is found after ten
   minutes or as long again as it had stood, whichever is more, or after an hour and a hundred creates, and after two
   hours at most.
5. A refusal without numbers is no limit. Where it ends a trial, the next waits as after 4. Where three in a row meet
   what grew and was never in use, that is taken back.
"""

import math
from typing import Final

from attrs import define, field

#: Where `concurrency="auto"` starts: the limit that the vendor's repository shows in its examples (contract, section
#: 12, read 2026-09).
AUTO_START: Final = 5

#: Seconds between two trials, at least.
TRIAL_EVERY: Final = 15.0
#: The same in the first minute of a session that was never refused.
EARLY_TRIAL_EVERY: Final = 2.0
_EARLY: Final = 60.0
#: Seconds for which a limit that the service named is not tried, at first and at most.
TRUSTED: Final = 600.0
_TRUSTED_MOST: Final = 3600.0
#: Accepted creates to each trial, from the third refusal in a row on, and seconds after which they are not waited for.
CREATES_A_TRIAL: Final = 100
LONGEST: Final = 7200.0
_FREE_TRIALS: Final = 2

#: Refusals in a row, without numbers, after which what grew is taken back.
_TAKEN_BACK_AFTER: Final = 3


@define
class Growth:
    """The limit of one session. All times are monotonic seconds.

    Attributes:
        ceiling: The most slots to use, or None to find out.
        limit: How many slots there are, as far as known.
        proven: How many of them the service has named or accepted, or the user has.
    """

    ceiling: int | None = None
    limit: int = field(init=False)
    proven: int = field(init=False)
    _at: float = field(init=False, default=0.0)
    _refused_at: float = field(init=False, default=0.0)
    _ready: bool = field(init=False, default=False)
    _early_until: float | None = field(init=False, default=None)
    _streak: int = field(init=False, default=0)
    _said: int | None = field(init=False, default=None)
    _same: int = field(init=False, default=0)
    _creates: int = field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        self.limit = self.proven = AUTO_START if self.ceiling is None else self.ceiling

    def moment(self) -> float | None:
        """Return when a trial may leave; None if not before something else happens."""
        if not self._ready or (self.ceiling is not None and self.limit >= self.ceiling):
            return None
        early = self._same <= _FREE_TRIALS or self._creates >= CREATES_A_TRIAL
        return self._at if early else max(self._at, self._refused_at + LONGEST)

    def accepted(self, in_progress: int, now: float, *, trial: bool) -> None:
        """Note an accepted create, with how many tasks are in progress."""
        self.proven = max(self.proven, min(in_progress, self.limit + trial))
        self._creates += 1
        if self._early_until is None:
            self._early_until = now + _EARLY
        if not self._ready:
            # Not at once: while several tasks end, the account has room for a moment that is not the limit's.
            self._ready = True
            self._at = max(self._at, now + self._pause(now))
        if trial:
            self._streak += 1
            grown = self.limit + 1 if self._streak == 1 else 2 * self.limit
            self.limit = grown if self.ceiling is None else min(grown, self.ceiling)
            self._at = now + self._pause(now)

    def refused(self, said: int, now: float, *, trial: bool) -> bool:
        """Note a 429 that named a limit. Return whether the limit changed by it."""
        if said != self._said:
            self._same = 1
        elif trial or self._streak:
            # Of a growth that came to nothing, too: the room was that of a task which had ended unseen.
            self._same += 1
        elif not self._ready:
            self._same = max(self._same, 2)
        self._said = said
        before, self.limit = self.limit, max(1, said if self.ceiling is None else min(said, self.ceiling))
        self.proven = self.limit
        self._distrust(now)
        return self.limit != before

    def refused_without_numbers(self, in_a_row: int, now: float, *, trial: bool) -> bool:
        """Note a 429 that named none, and how many came since a create was accepted. Return whether it changed."""
        self._ready, self._early_until = False, now
        before = self.limit
        if trial or (self._streak and in_a_row >= _TAKEN_BACK_AFTER):
            self._same += 1
            self.limit = self.proven
            self._distrust(now)
        return self.limit != before

    def _pause(self, now: float) -> float:
        """Return the seconds to the next trial: fewer while hardly any task can have ended without being seen to."""
        early = self._early_until is not None and now < self._early_until
        return EARLY_TRIAL_EVERY if early else TRIAL_EVERY

    def _distrust(self, now: float) -> None:
        self._streak = self._creates = 0
        self._ready, self._early_until = False, now
        self._refused_at = now
        self._at = now + min(_TRUSTED_MOST, TRUSTED * math.ldexp(1.0, min(self._same - 1, 8)))
