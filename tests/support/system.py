"""A whole memlane in this process, on real servers, with the sinks that a test brings."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeVar

from memlane.client import MemoryClient
from memlane.contracts.topology import lane_queue
from memlane.producers.settings import ClientSettings
from memlane.storage.sink import Sink
from memlane.workers.aggregator import Aggregator
from memlane.workers.lane import Lane
from memlane.workers.responder import Responder
from memlane.workers.service import Role
from memlane.workers.settings import WorkerSettings
from memlane.workers.sweeper import Sweeper
from tests.support.broker import Broker, declare
from tests.support.waiting import SOON, wait_until

LANE: Final = "lane"
RESPONDER: Final = "responder"
SWEEPER: Final = "sweeper"
AGGREGATOR: Final = "aggregator"
EVERYTHING: Final = (LANE, RESPONDER, SWEEPER, AGGREGATOR)

_FAST: Final[dict[str, Any]] = {
    "retry_delays": ("PT0.05S", "PT0.06S"),
    "probe_interval": "PT0.02S",
    "drain_timeout": "PT5S",
    "backup_schedule": "",
}

SomeRole = TypeVar("SomeRole", bound=Role)


class System:
    """Roles that run, and can be stopped, killed and started one by one.

    Args:
        broker: of this test.
        settings: of all roles.
        folder: where clients keep their state.
    """

    def __init__(self, broker: Broker, settings: WorkerSettings, folder: Path) -> None:
        self.broker = broker
        self.url = settings.url
        self.settings = settings
        self.lanes: dict[str, Lane] = {}
        self.responders: dict[str, Responder] = {}
        self.sweepers: dict[str, Sweeper] = {}
        self.aggregators: list[Aggregator] = []
        self._folder = folder
        self._tasks: dict[int, asyncio.Task[None]] = {}

    @property
    def lane(self) -> Lane:
        """The only one."""
        (lane,) = self.lanes.values()
        return lane

    def start(self, role: SomeRole) -> SomeRole:
        """Runs a role until it is stopped."""
        self._tasks[id(role)] = asyncio.create_task(role.run(), name=role.state.role)
        return role

    async def stop(self, *roles: Role) -> None:
        """Stops roles in good order. Fails where one does not end, or ended with an error."""
        for role in roles:
            role.stop()
        async with asyncio.timeout(SOON.total_seconds()):
            await asyncio.gather(*(self._tasks.pop(id(role)) for role in roles))

    async def kill(self, role: Role) -> None:
        """Ends a role at once, whatever it has in hand."""
        task = self._tasks.pop(id(role))
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    def is_running(self, role: Role) -> bool:
        """Whether its task goes on."""
        return not self._tasks[id(role)].done()

    async def until_ready(self, *roles: Role) -> None:
        """Waits until these roles (none named: all) do their work."""
        wanted = roles or self.roles
        await wait_until(
            lambda: all(role.state.ready for role in wanted),
            f"all of these run: {[role.state for role in wanted]}",
        )

    async def until_applied(self, sink: str, commands: int) -> None:
        """Waits until a lane has applied at least so many commands."""
        lane = self.lanes[sink]
        await wait_until(lambda: lane.applied >= commands, f"{commands} commands are applied to {sink}")

    async def until_idle(self, sink: str) -> None:
        """Waits until no command is ready in a lane's queue."""
        await wait_until(lambda: self.broker.is_empty(lane_queue(sink)), f"the lane of {sink} is empty")

    @property
    def roles(self) -> list[Role]:
        """All that there are."""
        return [
            *self.lanes.values(),
            *self.responders.values(),
            *self.sweepers.values(),
            *self.aggregators,
        ]

    # Any: the client's settings check them.
    @asynccontextmanager
    async def client(self, **settings: Any) -> AsyncIterator[MemoryClient]:
        """A client of this system."""
        async with MemoryClient(settings=self.client_settings(**settings)) as client:
            yield client

    def client_settings(self, **settings: Any) -> ClientSettings:
        """What a client of this system takes from its environment."""
        return client_settings(self.url, self._folder, **settings)

    def populate(self, sinks: Sequence[Sink], roles: Sequence[str], *, local: bool = False) -> None:
        """Makes and starts the roles; the aggregator asks the sinks directly where they are local."""
        for sink in sinks:
            if LANE in roles:
                self.lanes[sink.name] = self.start(Lane(sink, self.settings))
            if RESPONDER in roles:
                self.responders[sink.name] = self.start(Responder(sink, self.settings))
            if SWEEPER in roles:
                self.sweepers[sink.name] = self.start(Sweeper(sink, self.settings))
        if AGGREGATOR in roles:
            self.aggregators.append(self.start(Aggregator(self.settings, sinks if local else ())))

    async def end(self) -> None:
        """Stops what still runs."""
        await self.stop(*(role for role in self.roles if id(role) in self._tasks))
        left = list(self._tasks.values())
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


# Any: the settings' model checks them.
def client_settings(url: str, folder: Path, **settings: Any) -> ClientSettings:
    """The settings of a client, nothing of which comes from the environment."""
    return ClientSettings(**{"amqp_url": url, "state_dir": folder, **settings})


def worker_settings(url: str, sinks: Sequence[str], **settings: Any) -> WorkerSettings:
    """Settings with which everything that waits waits shortly."""
    names = ",".join(sinks)
    return WorkerSettings(**{"amqp_url": url, "sinks": names, "read_order": names, **_FAST, **settings})


@asynccontextmanager
async def running_system(
    broker: Broker,
    sinks: Sequence[Sink],
    folder: Path,
    *,
    roles: Sequence[str] = EVERYTHING,
    ready: bool = True,
    local: bool = False,
    url: str | None = None,
    **settings: Any,
) -> AsyncIterator[System]:
    """Enters the sinks, declares the topology, runs the roles; stops them in good order.

    Args:
        broker: on a virtual host that nobody else uses.
        sinks: not entered yet, preferred first.
        folder: for the clients' state.
        roles: which to run.
        ready: whether to wait until all of them do their work.
        local: whether the aggregator asks the sinks directly, as in `memlane up`, or their responders.
        url: by which the roles reach the broker, where that is not the same as the test's own.
        settings: as in `WorkerSettings`.
    """
    names = [sink.name for sink in sinks]
    system = System(broker, worker_settings(url or broker.url, names, **settings), folder)
    async with AsyncExitStack() as exits:
        made = await declare(broker, system.settings.sink_names, retry_delays=system.settings.retry_delays)
        exits.push_async_callback(broker.delete, made)
        for sink in sinks:
            await exits.enter_async_context(sink)
        exits.push_async_callback(system.end)
        system.populate(sinks, roles, local=local)
        if ready:
            await system.until_ready()
        yield system
