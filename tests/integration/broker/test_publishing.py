"""A confirmed message is in every queue that it belongs in; anything else is an error that says why."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from pamqp.common import FieldTable

from memlane.contracts.errors import BrokerUnreachable, PublishFailed, PublishRefused, PublishUnconfirmed
from memlane.contracts.topology import COMMANDS, lane_queue
from memlane.producers.broker.connection import connect
from memlane.producers.broker.publisher import Publisher
from tests.support.broker import Broker, declare
from tests.support.proxy import network


@pytest.fixture
async def declared(broker: Broker) -> AsyncIterator[Broker]:
    """A broker with the topology of one sink."""
    made = await declare(broker, ["sqlite"])
    yield broker
    await broker.delete(made)


async def test_a_confirmed_message_is_durable_and_says_where_it_comes_from(declared: Broker) -> None:
    """With a new message id for every attempt, and the account that the broker verified."""
    publisher = await Publisher.open(declared.connection, user_id="guest")
    for _ in range(2):
        await publisher.publish(COMMANDS, "", b"{}", headers={"attempt": 1}, app_id="test")
    taken = [got.header.properties for got in await declared.take(lane_queue("sqlite"))]
    assert [(one.delivery_mode, one.user_id, one.app_id) for one in taken] == [(2, "guest", "test")] * 2
    assert taken[0].message_id != taken[1].message_id


async def test_what_reaches_no_queue_is_an_error(declared: Broker) -> None:
    """Also to a queue that is not there."""
    publisher = await Publisher.open(declared.connection)
    with pytest.raises(PublishFailed, match="no queue takes messages for missing"):
        await publisher.publish("", "missing", b"{}")
    await publisher.publish(COMMANDS, "", b"{}")


async def test_what_a_full_queue_refuses_is_an_error(declared: Broker) -> None:
    """It is not taken for confirmed. The channel goes: one that kept a dead node's queue refuses for ever."""
    arguments: FieldTable = {"x-max-length": 1, "x-overflow": "reject-publish"}
    await declared.channel.queue_declare("full", arguments=arguments)
    publisher = await Publisher.open(declared.connection)
    await publisher.publish("", "full", b"{}")
    with pytest.raises(PublishFailed, match="refused a message for full"):
        await publisher.publish("", "full", b"{}")
    with pytest.raises(BrokerUnreachable, match="the channel was lost"):
        await publisher.publish(COMMANDS, "", b"{}")
    await declared.channel.queue_delete("full")


async def test_a_missing_exchange_is_an_error_that_says_what_to_do(broker: Broker) -> None:
    """And does not hang."""
    publisher = await Publisher.open(broker.connection)
    with pytest.raises(PublishFailed, match=r"no exchange memlane\.commands .*memlane up"):
        await publisher.publish(COMMANDS, "", b"{}")


async def test_a_foreign_account_is_refused(declared: Broker) -> None:
    """The broker checks who says to have sent a message. Its words are told, at once, and no retry helps."""
    publisher = await Publisher.open(declared.connection, user_id="somebody")
    with pytest.raises(PublishRefused, match=r"memlane\.commands: .*'somebody'") as caught:
        await publisher.publish(COMMANDS, "", b"{}")
    assert not caught.value.denied
    assert await declared.is_empty(lane_queue("sqlite"))


async def test_an_account_without_the_right_is_refused(declared: Broker) -> None:
    """It is the account, not the message: whatever it publishes there is refused."""
    url = declared.url.replace("guest:guest", "bot:secret")
    async with await connect(url, "test") as connection:
        publisher = await Publisher.open(connection, user_id="bot")
        with pytest.raises(PublishRefused, match=r"right to write memlane\.log\.v1") as caught:
            await publisher.publish("memlane.log.v1", "", b"{}")
    assert caught.value.denied


async def test_no_confirm_is_an_error_in_time(declared: Broker) -> None:
    """It may have arrived, and is not said to have."""
    async with network(declared.url) as (proxy, url), await connect(url, "test") as connection:
        publisher = await Publisher.open(connection, confirm_timeout=timedelta(milliseconds=200))
        proxy.freeze()
        with pytest.raises(PublishUnconfirmed, match=r"no confirm for memlane\.commands within 0\.2 s"):
            await publisher.publish(COMMANDS, "", b"{}")
        proxy.thaw()


async def test_a_lost_connection_is_an_error(declared: Broker) -> None:
    """For all that are under way."""
    async with network(declared.url) as (proxy, url), await connect(url, "test") as connection:
        publisher = await Publisher.open(connection)
        await publisher.publish(COMMANDS, "", b"{}")
        proxy.freeze_answers()
        publishing = [asyncio.create_task(publisher.publish(COMMANDS, "", b"{}")) for _ in range(20)]
        await asyncio.sleep(0)
        proxy.cut()
        told = await asyncio.gather(*publishing, return_exceptions=True)
        assert {type(error) for error in told} == {BrokerUnreachable}
