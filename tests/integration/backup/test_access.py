"""Who is no worker reads no sink, and is told so at once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from memlane.contracts.errors import BrokerRefused
from memlane.contracts.standing import NOTHING_SAID
from memlane.producers.broker.connection import connect
from memlane.storage.memory import MemorySink
from memlane.workers.backup.source import Source, choose_source
from memlane.workers.watched_ask import NotAWorker, watched_ask
from tests.integration.conftest import StartSystem
from tests.support.system import System

RULES = """
[[rules]]
accounts = ["operator"]
users = ["*"]
may = ["read", "write"]
"""


@pytest.fixture
async def system(start_system: StartSystem, memory: MemorySink, tmp_path: Path, broker_url: str) -> System:
    """With rules; its workers log in as `worker`."""
    path = tmp_path / "rules.toml"
    path.write_text(RULES, encoding="utf-8")
    return await start_system(memory, url=account_url(broker_url, "worker"), access_rules=path)


def account_url(url: str, account: str) -> str:
    """The URL of the same virtual host for another account."""
    return url.replace("guest:guest", f"{account}:secret")


@asynccontextmanager
async def source_of(url: str, account: str) -> AsyncIterator[Source]:
    """The sink as this account would read it."""
    async with await connect(account_url(url, account), "test") as connection:
        async with watched_ask(connection, account) as ask:
            yield await choose_source(ask, ["memory"], lambda _sink: NOTHING_SAID, "memory")


async def test_a_worker_reads(system: System, broker_url: str) -> None:
    """With rules as without."""
    async with source_of(broker_url, "worker") as source:
        assert source.sink == "memory"
    assert system.settings.access_rules is not None


@pytest.mark.usefixtures("system")
async def test_who_may_ask_but_is_no_worker_is_told_what_to_be(broker_url: str) -> None:
    """Whatever the rules allow that account: a sink's responder knows no rules."""
    with pytest.raises(NotAWorker, match=r"'operator' may not read sinks.*worker_accounts.*docs/access\.md"):
        async with source_of(broker_url, "operator"):
            pytest.fail("it was answered")


@pytest.mark.usefixtures("system")
async def test_who_may_not_even_ask_is_told_at_once(broker_url: str) -> None:
    """The broker refuses it; nobody waits for an answer that can't come."""
    with pytest.raises(BrokerRefused, match=r"'bot' may not ask sinks.*log in as a worker"):
        async with source_of(broker_url, "bot"):
            pytest.fail("it was answered")
