"""A refusal by the broker is told, and is the end of that channel, not of the client."""

import pytest
from pamqp.common import FieldTable

from memlane.client import PublishFailed
from memlane.contracts.topology import COMMANDS
from memlane.storage.memory import MemorySink
from tests.integration.conftest import StartSystem
from tests.support.waiting import wait_until

FULL: FieldTable = {"x-max-length": 0, "x-overflow": "reject-publish"}


async def test_after_a_refusal_the_next_command_goes_over_a_new_channel(
    start_system: StartSystem, memory: MemorySink
) -> None:
    """It is not the old one that is asked again and again."""
    system = await start_system(memory)
    async with system.client() as client:
        await system.broker.channel.queue_declare("full", arguments=FULL)
        await system.broker.channel.queue_bind("full", COMMANDS)
        before = client._link._session
        with pytest.raises(PublishFailed, match="refused a message"):
            await client.store("u", "k", 1)
        await system.broker.channel.queue_delete("full")
        await wait_until(lambda: client._link._session not in (None, before), "there is a new session")
        receipt = await client.store("u", "k", 2, wait="all")
        assert receipt.applied == {"memory"}
