"""Producers that die, and producers whose clock is wrong."""

from datetime import timedelta
from signal import SIGKILL
from typing import Final

from tests.chaos.faults.fault import Fault
from tests.chaos.faults.of_workers import RESTART_LIMIT
from tests.chaos.supervisor import Supervised
from tests.support.waiting import wait_until

SKEWS: Final = {
    "behind": (timedelta(minutes=-30), timedelta(seconds=-5)),
    "ahead": (timedelta(seconds=5), timedelta(minutes=4)),
    # Far enough that no lane sees it late enough to find it in time.
    "beyond five minutes ahead": (timedelta(minutes=20), timedelta(hours=2)),
}


class KillProducer(Fault):
    """SIGKILL: what it was sending may have arrived, or not."""

    kind = "kill-producer"
    touches = frozenset({"producers"})
    lasts = (0.0, 0.0)
    _killed: Supervised

    async def begin(self) -> str:
        """See `Fault`."""
        self._killed = self.rng.choice(self.world.producers)
        self._starts = self._killed.starts
        self._killed.signal(SIGKILL)
        return self._killed.name

    async def heal(self) -> None:
        """Its supervisor starts it again; it sends most of what was open."""
        await wait_until(
            lambda: self._killed.starts > self._starts, "the producer is started again", RESTART_LIMIT
        )


class SkewClock(Fault):
    """A producer's clock is wrong for a while; from over five minutes ahead on, its commands are parked."""

    kind = "skew-clock"
    touches = frozenset({"producers"})
    _producer: int

    async def begin(self) -> str:
        """See `Fault`."""
        self._producer = self.rng.randrange(len(self.world.producers))
        what = self.rng.choice(list(SKEWS))
        least, most = SKEWS[what]
        skew = timedelta(seconds=self.rng.uniform(least.total_seconds(), most.total_seconds()))
        self.world.set_skew(self._producer, skew)
        return f"producer-{self._producer} {what}: {skew.total_seconds():+.0f} s"

    async def heal(self) -> None:
        """Its clock is right again."""
        self.world.set_skew(self._producer, timedelta(0))
