"""A lane tells whoever waits what it decided, and writes to nobody else."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiormq.abc import DeliveredMessage

from memlane.contracts.canonical import parse
from memlane.contracts.headers import DIRECT_REPLY_TO
from memlane.contracts.receipt import RECEIPT_ENVELOPE, SinkReceipt
from memlane.contracts.topology import lane_queue
from memlane.contracts.validation import validate
from memlane.storage.memory import FailingSink, MemorySink
from tests.integration.conftest import StartSystem
from tests.support.broker import Broker, connected_broker
from tests.support.commands import delete, message, raw_message, raw_store, store
from tests.support.system import LANE
from tests.support.waiting import wait_until


@asynccontextmanager
async def receipts(broker: Broker) -> AsyncIterator[list[SinkReceipt]]:
    """What comes back to messages that are published with a direct reply address."""
    told: list[SinkReceipt] = []

    async def on_message(got: DeliveredMessage) -> None:
        told.extend(validate(RECEIPT_ENVELOPE, parse(got.body)).receipts)

    consumed = await broker.channel.basic_consume(DIRECT_REPLY_TO, on_message, no_ack=True)
    yield told
    await broker.channel.basic_cancel(consumed.consumer_tag or "")


async def test_each_command_is_answered_with_what_was_decided(start_system: StartSystem) -> None:
    """Applied, superseded by which version, or parked and why."""
    small = MemorySink(max_value_bytes=10)
    system = await start_system(small, roles=[LANE])
    old, new, big = store("a", 1), store("a", 2), store("b", "x" * 20)
    async with receipts(system.broker) as told:
        body = raw_message(raw_store(key=""), raw_store(id="no version"))
        await system.broker.publish(message(new, old, big), reply_to=DIRECT_REPLY_TO)
        await system.broker.publish(body, reply_to=DIRECT_REPLY_TO)
        await wait_until(lambda: len(told) == 4, "four receipts came")
    assert [(one.id, one.decision, one.newer) for one in told[:2]] == [
        (new.id, "applied", None),
        (old.id, "superseded", new.id),
    ]
    assert (told[2].id, told[2].decision, "at most 10" in str(told[2].reason)) == (big.id, "parked", True)
    assert (told[3].decision, "key" in str(told[3].reason)) == ("parked", True)


async def test_a_command_that_is_tried_again_is_answered_in_the_end(
    start_system: StartSystem, failing: FailingSink
) -> None:
    """The reply address goes with it through the retry queues, to the dead-letter queue not."""
    system = await start_system(failing, roles=[LANE])
    command = store()
    failing.poison(command.id, ValueError("a fault of its own"))
    async with receipts(system.broker) as told:
        await system.broker.publish(message(command), reply_to=DIRECT_REPLY_TO)
        await wait_until(lambda: bool(told), "a receipt came")
    assert [(one.decision, one.reason) for one in told] == [("parked", "a fault of its own")]


async def test_no_receipt_goes_to_a_queue(start_system: StartSystem, memory: MemorySink) -> None:
    """A reply address that is no direct one would be a way to write into any queue: it is ignored."""
    system = await start_system(memory, roles=[LANE])
    await system.broker.channel.queue_declare("victim")
    for address in ("victim", lane_queue("memory"), "amq.rabbitmq.reply-to", "AMQ.RABBITMQ.REPLY-TO.x"):
        await system.broker.publish(message(store(address)), headers={"reply-to": address}) if address == (
            "amq.rabbitmq.reply-to"
        ) else await system.broker.publish(message(store(address)), reply_to=address)
    await system.until_applied("memory", 4)
    async with receipts(system.broker) as told:
        await system.broker.publish(message(delete("victim")), reply_to=DIRECT_REPLY_TO)
        await wait_until(lambda: len(told) == 1, "a later receipt came")
    assert await system.broker.is_empty("victim")
    assert system.lane.applied == 5
    await system.broker.channel.queue_delete("victim")


PID: str = base64.b64encode(b"\x83g\x77\x03a@b\x00\x00\x00\x01\x00\x00\x00\x00\x00").decode()


@pytest.mark.parametrize(
    "garbage",
    [
        "garbage",
        "",
        ".",
        "a.b",
        "!!!.???",
        f"{base64.b64encode(b'x').decode()}.key",
        f"{PID}.key",
        "\x00\x01.\x02",
        "x" * 230,
    ],
)
async def test_a_garbage_reply_address_disturbs_nobody(
    start_system: StartSystem, memory: MemorySink, garbage: str
) -> None:
    """It may cost the connection that replies go over: the command is applied once, others are answered."""
    system = await start_system(memory, roles=[LANE])
    await system.broker.publish(message(store("a")), reply_to=f"amq.rabbitmq.reply-to.{garbage}")
    await system.until_applied("memory", 1)
    async with connected_broker(system.broker.url) as other, receipts(other) as told:
        await wait_until(lambda: _is_told(other, told), "a later command is answered")
    await system.stop(system.lane)
    assert await system.broker.is_empty(lane_queue("memory"))
    assert (await memory.stats("u")).live == 2


async def _is_told(broker: Broker, told: list[SinkReceipt]) -> bool:
    await broker.publish(message(store("b")), reply_to=DIRECT_REPLY_TO)
    await asyncio.sleep(0.02)
    return bool(told)
