"""The outbox as a client sees it: what is appended together is written together."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from memlane.contracts.errors import OutboxError, OutboxFailed, OutboxFull
from memlane.producers.broker.nodes import nodes_of, user_of, vhost_of
from memlane.producers.outbox.file import Bounds, OutboxFile
from memlane.producers.outbox.status import OutboxStatus
from memlane.producers.settings import ClientSettings

Result = TypeVar("Result")


class _Group(NamedTuple):
    commands: Sequence[bytes]
    taken: "asyncio.Future[OutboxFull | None]"


class Outbox:
    """The commands of one machine and user that wait for one broker and account.

    The disk is only waited for in threads. Appends that come while one is being written are written together
    after it, with one sync.

    Args:
        file: shared with other targets, and with other processes.
        target: see `target_of`.
        bounds: how much may wait.

    Attributes:
        on_append: told when something new waits.
    """

    def __init__(self, file: OutboxFile, target: str, bounds: Bounds) -> None:
        self.file = file
        self.target = target
        self.on_append: Callable[[], None] = lambda: None
        self._bounds = bounds
        self._groups: list[_Group] = []
        self._writing: asyncio.Task[None] | None = None

    async def append(self, commands: Sequence[bytes]) -> None:
        """Returns when all of these encoded commands are on the disk.

        Raises:
            OutboxFull: as many bytes wait as may, or for too long; none of them was taken.
            OutboxFailed: the file can't be written.
        """
        (problem,) = await self.append_each([commands])
        if problem is not None:
            raise problem

    async def append_each(self, groups: Sequence[Sequence[bytes]]) -> list[OutboxFull | None]:
        """The same for several groups, in one transaction: why a group was not taken, for each.

        Raises:
            OutboxFailed: the file can't be written.
        """
        loop = asyncio.get_running_loop()
        waiting = [_Group(group, loop.create_future()) for group in groups]
        self._groups += waiting
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return list(await asyncio.gather(*(group.taken for group in waiting)))

    async def status(self) -> OutboxStatus:
        """What waits. Does not make a file where there is none.

        Raises:
            OutboxFailed: the file can't be read.
        """
        if not self.file.exists():
            return OutboxStatus()
        return await self.run(lambda: self.file.status(self.target))

    async def run(self, work: Callable[[], Result]) -> Result:
        """Runs what blocks in a thread."""
        return await asyncio.get_running_loop().run_in_executor(None, work)

    async def close(self) -> None:
        """Finishes what is being written, and closes the file."""
        while self._writing is not None:
            await asyncio.wait({self._writing})
        await self.run(self.file.close)

    async def _write(self) -> None:
        groups: list[_Group] = []
        try:
            while self._groups:
                groups, self._groups = self._groups, []
                try:
                    told = await self._append(groups)
                except OutboxError as error:
                    _fail(groups, error)
                    continue
                for group, problem in zip(groups, told, strict=True):
                    if not group.taken.done():
                        group.taken.set_result(problem)
                self.on_append()
        finally:
            self._writing = None
            _fail([*groups, *self._groups], OutboxFailed("writing to the outbox broke off"))
            self._groups = []

    async def _append(self, groups: Sequence[_Group]) -> list[OutboxFull | None]:
        commands = [group.commands for group in groups]
        return await self.run(lambda: self.file.append(self.target, commands, self._bounds))


def outbox_of(settings: ClientSettings, urls: str) -> Outbox:
    """The outbox of a client with these settings, for that broker."""
    bounds = Bounds(settings.outbox_bytes, settings.outbox_age)
    return Outbox(OutboxFile(outbox_path(settings)), target_of(urls), bounds)


def outbox_path(settings: ClientSettings) -> Path:
    """Where the outbox's file is."""
    return settings.state_dir / "outbox.db"


def target_of(urls: str) -> str:
    """Whom commands are for: `account@host:port/vhost`, the nodes of a cluster in the order of their names.

    Deployments and accounts that share a folder don't send each other's commands.
    """
    nodes = ",".join(sorted(f"{node.host}:{node.port}" for node in nodes_of(urls)))
    return f"{user_of(urls)}@{nodes}/{vhost_of(urls).removeprefix('/')}"


def _fail(groups: Sequence[_Group], error: OutboxError) -> None:
    for group in groups:
        if not group.taken.done():
            group.taken.set_exception(error)
