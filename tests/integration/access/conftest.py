"""memlane with access rules, and accounts that speak AMQP by hand."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import uuid4

import pytest
from aiormq.abc import DeliveredMessage

from memlane.client import MemoryClient
from memlane.contracts.headers import DIRECT_REPLY_TO
from memlane.contracts.topology import QUERIES
from memlane.storage.memory import MemorySink
from tests.integration.conftest import StartSystem
from tests.support.broker import Broker
from tests.support.system import System, client_settings
from tests.support.waiting import wait_until

RULES: Final = """
gateway_accounts = ["gateway"]

[[rules]]
accounts = ["alice"]
users = ["alice", "team-*"]
may = ["read", "write"]

[[rules]]
accounts = ["bob"]
users = ["bob"]
may = ["read", "write"]

[[rules]]
accounts = ["bob"]
users = ["shop"]
namespaces = ["profile"]
may = ["read", "write"]

[[rules]]
accounts = ["gateway"]
users = ["*"]
may = ["read", "write"]
"""


class Hand(Broker):
    """An account that publishes what it likes, with a direct reply address of its own.

    Attributes:
        heard: all that came to its address.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.heard: list[DeliveredMessage] = []

    async def listen(self) -> None:
        """Connects, and consumes the pseudo-queue."""
        await self.connect()

        async def hear(message: DeliveredMessage) -> None:
            self.heard.append(message)

        await self.channel.basic_consume(DIRECT_REPLY_TO, hear, no_ack=True)

    # Any: questions and answers as JSON has them.
    async def ask(self, *questions: Any, **properties: Any) -> list[Any]:
        """Publishes raw questions; returns the raw answers."""
        await self.send_questions(*questions, **{"reply_to": DIRECT_REPLY_TO, **properties})
        return await self.answers()

    async def send_questions(self, *questions: Any, **properties: Any) -> None:
        """Publishes raw questions, and waits for nothing."""
        body = json.dumps({"schema": 1, "questions": list(questions), "deadline_ms": 3000}).encode()
        await self.publish(body, exchange=QUERIES, **{"correlation_id": uuid4().hex, **properties})

    async def answers(self) -> list[Any]:
        """The answers of the next reply."""
        return list(json.loads(await self.next())["answers"])

    async def next(self) -> bytes:
        """The body of the next message that comes to its address."""
        await wait_until(lambda: bool(self.heard), "something comes to the reply address")
        return self.heard.pop(0).body


class Ruled:
    """A system under rules, and accounts at its broker.

    Args:
        system: whose workers log in as `worker`.
        sink: its only one.
        guest_url: the virtual host's, for the account that may do everything on the broker.
        folder: for clients.
    """

    def __init__(self, system: System, sink: MemorySink, guest_url: str, folder: Path) -> None:
        self.system = system
        self.sink = sink
        self.guest_url = guest_url
        self._folder = folder

    @asynccontextmanager
    async def hand(self, account: str) -> AsyncIterator[Hand]:
        """An account that speaks AMQP by hand."""
        hand = Hand(url_of(self.guest_url, account))
        await hand.listen()
        try:
            yield hand
        finally:
            await hand.connection.close()

    @asynccontextmanager
    async def client(self, account: str) -> AsyncIterator[MemoryClient]:
        """An account with our client."""
        settings = client_settings(url_of(self.guest_url, account), self._folder / account)
        async with MemoryClient(settings=settings, deadline=timedelta(seconds=3)) as client:
            yield client


class StartRuled(Protocol):
    """Starts memlane under rules."""

    # Any: options of `running_system`.
    async def __call__(self, **options: Any) -> Ruled:
        """The running system."""


def url_of(guest_url: str, account: str) -> str:
    """The URL of the same virtual host for another account."""
    return guest_url.replace("guest:guest", f"{account}:secret" if account != "guest" else "guest:guest")


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """The rules file."""
    path = tmp_path / "rules.toml"
    path.write_text(RULES, encoding="utf-8")
    return path


@pytest.fixture
async def start_ruled(
    start_system: StartSystem, broker_url: str, memory: MemorySink, rules: Path, tmp_path: Path
) -> StartRuled:
    """Starts memlane under the rules."""

    async def start(**options: Any) -> Ruled:
        options = {"url": url_of(broker_url, "worker"), "access_rules": rules, "local": True, **options}
        system = await start_system(options.pop("sink", memory), **options)
        return Ruled(system, memory, broker_url, tmp_path)

    return start


@pytest.fixture
async def ruled(start_ruled: StartRuled) -> Ruled:
    """All roles, in one process."""
    return await start_ruled()


@pytest.fixture
async def alice(ruled: Ruled) -> AsyncIterator[Hand]:
    """May read and write alice's memory, and that of every team."""
    async with ruled.hand("alice") as hand:
        yield hand


@pytest.fixture
async def bob(ruled: Ruled) -> AsyncIterator[Hand]:
    """May read and write bob's memory, and the shop's namespace profile."""
    async with ruled.hand("bob") as hand:
        yield hand


@pytest.fixture
async def exits() -> AsyncIterator[AsyncExitStack]:
    """For what a test opens in between."""
    async with AsyncExitStack() as stack:
        yield stack
