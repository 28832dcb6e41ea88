"""Clients whose broker goes away."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from memlane.contracts.codec import decode_message
from memlane.contracts.command import StoreCommand
from memlane.contracts.topology import lane_queue
from memlane.storage.memory import MemorySink
from tests.integration.conftest import StartSystem
from tests.support.broker import Broker
from tests.support.system import System


@pytest.fixture
async def quiet(start_system: StartSystem, memory: MemorySink) -> System:
    """Queues, and nobody who takes from them."""
    return await start_system(memory, roles=[])


async def keys_in_lane(broker: Broker, sink: str = "memory") -> list[str]:
    """Takes what is in a lane: the keys, in their order, as often as they are there."""
    messages = [decode_message(got.body).commands for got in await broker.take(lane_queue(sink))]
    return [command.key for commands in messages for command in commands if isinstance(command, StoreCommand)]


def numbered(first: int, end: int) -> Sequence[str]:
    """Keys."""
    return [f"k{number:04}" for number in range(first, end)]


def folder_of(system: System) -> Path:
    """Where the system's clients keep their state."""
    return system.client_settings().state_dir
