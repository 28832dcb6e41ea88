"""The MCP server dead, or hanging."""

import os
from contextlib import suppress
from signal import SIGCONT, SIGKILL, SIGSTOP, Signals

from tests.chaos.faults.fault import Fault


class KillMcp(Fault):
    """SIGKILL of the MCP server, in the middle of a call or not."""

    kind = "kill-mcp"
    touches = frozenset({"mcp"})
    lasts = (0.0, 0.0)

    async def begin(self) -> str:
        """See `Fault`."""
        return _send(self.world.mcp_servers(), SIGKILL)

    async def heal(self) -> None:
        """The sink starts another one."""


class FreezeMcp(Fault):
    """SIGSTOP: a call times out, and the session with it."""

    kind = "freeze-mcp"
    touches = frozenset({"mcp"})
    lasts = (1.0, 9.0)
    _frozen: list[int]

    async def begin(self) -> str:
        """See `Fault`."""
        self._frozen = self.world.mcp_servers()
        return _send(self._frozen, SIGSTOP)

    async def heal(self) -> None:
        """SIGCONT, for those that are still there."""
        still = set(self.world.mcp_servers())
        _send([pid for pid in self._frozen if pid in still], SIGCONT)


def _send(pids: list[int], number: Signals) -> str:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
    return f"{len(pids)} server{'' if len(pids) == 1 else 's'}"
