"""A whole memlane in a process of its own, with something in it."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pydantic import SecretStr

from benchmarks import isolated
from benchmarks.comparing import BenchmarkFailed, check
from benchmarks.events import Event, events
from benchmarks.venue import SINKS, Venue
from memlane.client import MemoryClient
from memlane.producers.settings import ClientSettings

ENTRIES: Final = 2000
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_START_SECONDS: Final = 20.0
_STOP_SECONDS: Final = 15.0
_UP: Final = "from memlane.workers.commands.up import up; up()"


@contextmanager
def running_system(
    venue: Venue, *, broken: str | None = None, settings: Mapping[str, str] = NOTHING
) -> Iterator[list[Event]]:
    """`memlane up` with SQLite and Redis, and what is stored in both.

    Args:
        venue: where.
        broken: a third sink, of which nothing is expected.
        settings: further variables in its environment.

    Raises:
        BenchmarkFailed: it did not come up; its log is in the error.
    """
    sinks = SINKS if broken is None else (*SINKS, broken)
    log = venue.folder / "memlane-up.log"
    environment = {
        **os.environ,
        "MEMLANE_AMQP_URL": venue.amqp_url,
        "MEMLANE_REDIS_URL": venue.redis_url,
        "MEMLANE_REDIS_PREFIX": venue.redis_prefix,
        "MEMLANE_SQLITE_PATH": str(venue.folder / "system.db"),
        "MEMLANE_SINKS": ",".join(sinks),
        "MEMLANE_BACKUP_SCHEDULE": "",
        **settings,
    }
    stored = list(events(ENTRIES))
    with venue.topology(sinks), log.open("wb") as output:
        # The command of `memlane up`, whose script need not be on the path.
        process = subprocess.Popen([sys.executable, "-c", _UP], env=environment, stdout=output, stderr=output)  # noqa: S603
        try:
            isolated.run(load, venue.amqp_url, stored, venue.folder / "loader")
            yield stored
        except isolated.ChildFailed as error:
            text = log.read_text(encoding="utf-8", errors="replace")[-4000:]
            raise BenchmarkFailed(f"{error}\nthe system's log:\n{text}") from error
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def client(url: str, state_dir: Path) -> MemoryClient:
    """A client of the system, with the settings that a bot has by default."""
    return MemoryClient(settings=ClientSettings(amqp_url=SecretStr(url), state_dir=state_dir))


async def load(url: str, stored: list[Event], state_dir: Path) -> None:
    """Waits until every sink answers, and stores in all of them."""
    async with client(url, state_dir) as memory:
        until = time.monotonic() + _START_SECONDS
        while {(health := await memory.health()).sinks.get(sink) for sink in SINKS} != {"ok"}:
            check(time.monotonic() < until, f"the system is not ready: {health}")
            await asyncio.sleep(0.1)
        receipts = await asyncio.gather(
            *(
                memory.store(
                    event.user_id,
                    event.key,
                    event.value,
                    namespace=event.namespace,
                    metadata=event.metadata,
                    wait=frozenset(SINKS),
                )
                for event in stored
            )
        )
    check(all(receipt.applied >= set(SINKS) for receipt in receipts), "not everything was applied everywhere")
