"""Everything that a run works on: its own servers, networks, disk, workers and producers."""

import asyncio
import json
import os
import signal
import sys
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self, get_args
from urllib.parse import urlsplit, urlunsplit

from memlane.contracts.topology import lane_queue, topology
from memlane.producers.client.writing import Wait
from memlane.testing.demo.source import data_path
from memlane.testing.demo.system import COMMAND
from memlane.testing.mcp_servers import node
from memlane.testing.servers import PrivateRabbitMQ, PrivateRedis, ServerStartFailed
from tests.chaos.disk import SmallDisk
from tests.chaos.producer import JOURNAL, PACE, SKEW, Order
from tests.chaos.supervisor import Supervised
from tests.support.broker import connected_broker
from tests.support.mcp_servers import server_memory_command
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until

RETRY_DELAYS: Final = tuple(timedelta(seconds=seconds) for seconds in (1, 5, 20))
PATIENCE: Final = timedelta(seconds=60)
MCP: Final = "mcp"

_ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is going on.

    Attributes:
        producers: processes.
        rate: commands a second, of all together.
    """

    producers: int = 4
    rate: float = 300.0


@dataclass(slots=True)
class Network:
    """A network between some processes and the broker, which can be cut."""

    proxy: Proxy
    url: str


@dataclass(slots=True)
class _Producers:
    processes: list[Supervised] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)


class World:
    """See the module. Used as an async context manager; nothing of it is left at the end but the folder.

    Args:
        folder: of this run alone.
        seed: of all choices.
        size: of the load.
    """

    def __init__(self, folder: Path, seed: int, size: Size) -> None:
        self.folder = folder
        self.seed = seed
        self.size = size
        self.rabbitmq = PrivateRabbitMQ(folder / "rabbitmq")
        # On disk, as far as Redis keeps it there: a stop must not be a flush, which is a fault of its own.
        self.redis = PrivateRedis(folder / "redis", durable=True)
        self.disk = SmallDisk(folder / "disk")
        self.networks: dict[str, Network] = {}
        self.workers: list[Supervised] = []
        self.has_mcp = node() is not None
        self._producers = _Producers()
        self._exits = AsyncExitStack()

    @property
    def sinks(self) -> tuple[str, ...]:
        """The sinks of this run; without Node there is no MCP server."""
        return ("sqlite", "redis", *((MCP,) if self.has_mcp else ()))

    @property
    def sqlite_path(self) -> Path:
        """The SQLite sink's file, on the small disk."""
        return self.disk.folder / "memory.db"

    @property
    def mcp_dir(self) -> Path:
        """The MCP sink's folder."""
        return self.folder / "mcp"

    @property
    def producers(self) -> list[Supervised]:
        """The producers' processes."""
        return self._producers.processes

    @property
    def journals(self) -> list[Path]:
        """What the producers wrote down."""
        return [folder / JOURNAL for folder in self._producers.folders]

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as exits:
            exits.callback(self._end_left_over_mappers)
            exits.push_async_callback(self._stop_servers)
            await asyncio.gather(self.start_broker(), asyncio.to_thread(self.redis.start))
            self.disk.open()
            exits.callback(self.disk.close)
            for name in ("producers", "workers"):
                self.networks[name] = await self._network(exits)
            exits.callback(self._end_left_over_mcp_servers)
            exits.push_async_callback(self._stop_workers)
            await self._start_workers()
            self._exits = exits.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._exits.aclose()

    def start_producers(self) -> None:
        """From now on there is load."""
        waits = ["broker"] * 20 + ["any"]
        if "outbox" in get_args(get_args(Wait)[0]):
            waits += ["outbox"] * 4
        for number in range(self.size.producers):
            name = f"producer-{number}"
            folder = self.folder / name
            order = Order(
                url=self.networks["producers"].url,
                name=name,
                seed=self.seed,
                rate=self.size.rate / self.size.producers,
                waits=waits,
                data=str(data_path(None).resolve()),
            )
            order.write(folder)
            command = [sys.executable, "-m", "tests.chaos.producer", str(folder)]
            process = Supervised(name, command, {**_outside(), "PYTHONPATH": str(_ROOT)}, folder)
            process.start()
            self._exits.push_async_callback(process.stop)
            self._producers.processes.append(process)
            self._producers.folders.append(folder)

    async def stop_producers(self) -> list[int]:
        """Lets the producers send what is open, and ends them; returns their exit codes."""
        return list(await asyncio.gather(*(one.stop() for one in self.producers)))

    def set_skew(self, producer: int, skew: timedelta) -> None:
        """Sets a producer's clock."""
        _say(self._producers.folders[producer] / SKEW, skew.total_seconds())

    def set_pace(self, pace: float) -> None:
        """Lets all producers make this part of the commands that they would make."""
        for folder in self._producers.folders:
            _say(folder / PACE, pace)

    async def start_broker(self) -> None:
        """Starts RabbitMQ on its data.

        On a busy machine the node may have started a port mapper of its own before ours listened, which then
        outlives it, in the way of the next start.
        """
        try:
            await asyncio.to_thread(self.rabbitmq.start)
        except ServerStartFailed:
            self._end_left_over_mappers()
            await asyncio.to_thread(self.rabbitmq.start)

    def mcp_servers(self) -> list[int]:
        """The process ids of the MCP servers that work on this run's files."""
        return processes_with(f"MEMORY_FILE_PATH={self.mcp_dir.resolve()}/")

    def environment(self) -> dict[str, str]:
        """Of memlane's own processes."""
        command = {"MEMLANE_MCP_COMMAND": server_memory_command()} if self.has_mcp else {}
        return {
            **_outside(),
            **command,
            "MEMLANE_AMQP_URL": self.networks["workers"].url,
            "MEMLANE_REDIS_URL": self.redis.url,
            "MEMLANE_SINKS": ",".join(self.sinks),
            "MEMLANE_SQLITE_PATH": str(self.sqlite_path),
            "MEMLANE_MCP_DIR": str(self.mcp_dir),
            "MEMLANE_STATE_DIR": str(self.folder / "state"),
            "MEMLANE_BACKUP_SCHEDULE": "",
            "MEMLANE_RETRY_DELAYS": json.dumps([f"PT{delay.seconds}S" for delay in RETRY_DELAYS]),
            "MEMLANE_SWEEP_INTERVAL": "PT2S",
            "MEMLANE_REDIS_TIMEOUT": "PT2S",
            "MEMLANE_MCP_TIMEOUT": "PT4S",
        }

    async def _start_workers(self) -> None:
        environment = await asyncio.to_thread(self.environment)
        plans = (("up", ["up"]), ("lane-sqlite", ["worker", "lane", "sqlite"]),
                 ("lane-redis", ["worker", "lane", "redis"]))  # fmt: skip
        for name, arguments in plans:
            worker = Supervised(name, [*COMMAND, *arguments], environment, self.folder / "workers")
            worker.start()
            self.workers.append(worker)
        await wait_until(self._is_ready, "every lane is consumed, and its queues are on the disk", PATIENCE)

    async def _stop_workers(self) -> None:
        await asyncio.gather(*(one.stop() for one in self.workers))

    async def _stop_servers(self) -> None:
        await asyncio.gather(*(asyncio.to_thread(one.stop) for one in (self.rabbitmq, self.redis)))

    async def _is_ready(self) -> bool:
        try:
            async with connected_broker(self.rabbitmq.url) as broker:
                depths = [await broker.depth(lane_queue(sink)) for sink in self.sinks]
        except Exception:  # noqa: BLE001  whatever keeps it from being ready
            return False
        # A queue that a broker has not written down yet would not survive it being killed.
        queues = topology(self.sinks, retry_delays=RETRY_DELAYS).queues
        names = [queue.name for queue in queues if queue.kind == "quorum"]
        return all(depth.consumers for depth in depths) and all(map(self.rabbitmq.has_on_disk, names))

    async def _network(self, exits: AsyncExitStack) -> Network:
        parts = urlsplit(self.rabbitmq.url)
        proxy = Proxy(parts.hostname or "", parts.port or 0)
        await proxy.open()
        exits.push_async_callback(proxy.close)
        exits.callback(proxy.thaw)
        netloc = f"{parts.username}:{parts.password}@127.0.0.1:{proxy.port}"
        return Network(proxy, urlunsplit(parts._replace(netloc=netloc)))

    def _end_left_over_mcp_servers(self) -> None:
        _kill(self.mcp_servers())

    def _end_left_over_mappers(self) -> None:
        mine = processes_with(f"HOME={self.rabbitmq.data_dir}\0")
        _kill([pid for pid in mine if Path(f"/proc/{pid}/comm").read_text(encoding="ascii") == "epmd\n"])


def processes_with(variable: str) -> list[int]:
    """The ids of the processes whose environment has this text at the beginning of a variable."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if variable.encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
    return found


def _kill(pids: list[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _outside() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("MEMLANE_")}


def _say(file: Path, value: float) -> None:
    draft = file.with_suffix(".new")
    draft.write_text(str(value), encoding="utf-8")
    draft.replace(file)
