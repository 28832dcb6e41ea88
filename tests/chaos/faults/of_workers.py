"""Workers that die, and workers that hang."""

from datetime import timedelta
from signal import SIGCONT, SIGKILL, SIGSTOP

from tests.chaos.faults.fault import Fault
from tests.chaos.supervisor import Supervised
from tests.support.waiting import wait_until

RESTART_LIMIT = timedelta(seconds=20)


class KillWorker(Fault):
    """SIGKILL in the middle of whatever it does: one worker, or all at once."""

    kind = "kill-worker"
    touches = frozenset({"workers"})
    lasts = (0.0, 0.0)

    async def begin(self) -> str:
        """See `Fault`."""
        several = self.rng.random() < 0.25
        self._killed = self.world.workers if several else [self.rng.choice(self.world.workers)]
        self._starts = {worker.name: worker.starts for worker in self._killed}
        for worker in self._killed:
            worker.signal(SIGKILL)
        return ", ".join(worker.name for worker in self._killed)

    async def heal(self) -> None:
        """Its supervisor starts it again."""
        await wait_until(self._are_back, "the killed workers are started again", RESTART_LIMIT)

    def _are_back(self) -> bool:
        return all(worker.starts > self._starts[worker.name] for worker in self._killed)


class FreezeWorker(Fault):
    """SIGSTOP: it holds its messages and its connections, and does nothing."""

    kind = "freeze-worker"
    touches = frozenset({"workers"})
    lasts = (2.0, 8.0)
    _frozen: Supervised

    async def begin(self) -> str:
        """See `Fault`."""
        self._frozen = self.rng.choice(self.world.workers)
        self._frozen.signal(SIGSTOP)
        return self._frozen.name

    async def heal(self) -> None:
        """SIGCONT."""
        self._frozen.signal(SIGCONT)
