"""With rules, a responder answers workers only: the rules are the aggregator's to apply."""

import json
from datetime import UTC, datetime

import pytest

from memlane.contracts.headers import DIRECT_REPLY_TO
from memlane.contracts.instants import now
from memlane.contracts.topology import sink_query_queue
from memlane.storage.memory import MemorySink
from tests.integration.access.conftest import StartRuled
from tests.support.commands import store


@pytest.mark.parametrize("user_id", ["operator", None])
async def test_who_could_reach_its_queue_is_refused(
    start_ruled: StartRuled, memory: MemorySink, user_id: str | None
) -> None:
    """An operator may publish to any queue, which is no right to read everybody's memory."""
    ruled = await start_ruled(local=False)
    await memory.apply([store(user="alice", value="hers")], now())
    question = {"type": "get", "user_id": "alice", "key": "k"}
    body = json.dumps({"schema": 1, "questions": [question], "as_of": datetime.now(UTC).isoformat()}).encode()
    async with ruled.hand("operator") as operator:
        await operator.publish(
            body,
            exchange="",
            routing_key=sink_query_queue("memory"),
            reply_to=DIRECT_REPLY_TO,
            user_id=user_id,
            headers={"principal": "worker"},
        )
        told = json.loads(await operator.next())
    assert (told["status"], told["answers"]) == ("unavailable", [])
    assert "worker accounts only" in told["reason"]


async def test_the_aggregator_is_answered(start_ruled: StartRuled, memory: MemorySink) -> None:
    """Its questions carry the account that it logs in with."""
    ruled = await start_ruled(local=False)
    await memory.apply([store(user="bob", value="his")], now())
    async with ruled.client("bob") as client:
        entry = await client.get("bob", "k")
        assert entry is not None
        assert (await client.health()).healthy
