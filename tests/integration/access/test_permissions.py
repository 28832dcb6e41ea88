"""What an account can reach on the broker itself: hand-made AMQP, seen refused by RabbitMQ."""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import pytest
from aio_pika.exceptions import AMQPError
from aiormq.exceptions import ChannelAccessRefused, ChannelPreconditionFailed

from memlane.contracts.headers import DIRECT_REPLY_TO
from memlane.contracts.topology import (
    COMMANDS,
    LOG,
    QUERIES,
    ROUNDS,
    STANDING,
    Topology,
    lane_queue,
    topology,
)
from tests.house.project import ROOT
from tests.integration.access.conftest import Hand, url_of
from tests.support.broker import Broker, connected_broker, declare
from tests.support.commands import message, store

Deed = Callable[[Broker], Awaitable[object]]

SINK: Final = "sqlite"
LANE: Final = lane_queue(SINK)
TEMPLATES: Final = ROOT / "compose" / "rabbitmq"


def _queues() -> list[str]:
    return [queue.name for queue in topology([SINK]).queues]


def _publish_to(queue: str) -> Deed:
    return lambda hand: hand.publish(message(store()), exchange="", routing_key=queue)


def _consume(queue: str) -> Deed:
    async def consume(hand: Broker) -> None:
        await hand.channel.basic_qos(prefetch_count=1)
        await hand.channel.basic_consume(queue, _ignore)

    return consume


def _get_from(queue: str) -> Deed:
    return lambda hand: hand.channel.basic_get(queue)


def _purge(queue: str) -> Deed:
    return lambda hand: hand.channel.queue_purge(queue)


def _delete(queue: str) -> Deed:
    return lambda hand: hand.channel.queue_delete(queue)


async def _ignore(_message: object) -> None:
    """Takes what should never come."""


OUT_OF_REACH: Final[dict[str, Deed]] = {
    **{f"consume {queue}": _consume(queue) for queue in _queues()},
    **{f"get from {queue}": _get_from(queue) for queue in _queues() if queue != LOG},
    **{f"publish to {queue}": _publish_to(queue) for queue in _queues()},
    **{f"purge {queue}": _purge(queue) for queue in _queues() if queue != LOG},
    **{f"delete {queue}": _delete(queue) for queue in _queues()},
    "publish to nobody": _publish_to("nowhere"),
    "declare a queue": lambda hand: hand.channel.queue_declare("mine"),
    "declare a queue of memlane's": lambda hand: hand.channel.queue_declare("memlane.mine.writes.v1"),
    "declare a queue without a name": lambda hand: hand.channel.queue_declare("", exclusive=True),
    "declare an exchange": lambda hand: hand.channel.exchange_declare("mine", exchange_type="fanout"),
    "delete an exchange": lambda hand: hand.channel.exchange_delete(COMMANDS),
    "bind the lane elsewhere": lambda hand: hand.channel.queue_bind(LANE, QUERIES),
    "unbind the lane": lambda hand: hand.channel.queue_unbind(LANE, COMMANDS),
    "bind exchanges": lambda hand: hand.channel.exchange_bind(QUERIES, COMMANDS),
    "publish to another exchange": lambda hand: hand.publish(b"", exchange="amq.fanout"),
    "reach somebody's reply address": _publish_to(f"{DIRECT_REPLY_TO}.g1h0.AAAA"),
}


@pytest.fixture
async def declared(broker: Broker) -> AsyncIterator[Topology]:
    """The topology, with something in the lane and the log."""
    made = await declare(broker, [SINK])
    await broker.publish(message(store()))
    yield made
    await broker.delete(made)


@pytest.mark.usefixtures("declared")
@pytest.mark.parametrize("account", ["bot", "gateway"])
async def test_a_producer_reaches_two_exchanges_and_nothing_else(broker_url: str, account: str) -> None:
    """Each of these is refused with 403, whichever queue it is about."""
    url = url_of(broker_url, account)
    reached = []
    for name, deed in OUT_OF_REACH.items():
        async with connected_broker(url) as hand:
            try:
                await deed(hand)
            except ChannelAccessRefused:
                continue
            except AMQPError as error:
                reached.append(f"{name}: {error!r}")
            else:
                reached.append(name)
    assert reached == []


@pytest.mark.usefixtures("declared")
async def test_the_lane_is_untouched_by_all_that(broker: Broker, broker_url: str) -> None:
    """What was in it is still there, and nothing came in by its side."""
    for deed in (_publish_to(LANE), _consume(LANE), OUT_OF_REACH[f"purge {LANE}"]):
        async with connected_broker(url_of(broker_url, "bot")) as hand:
            with pytest.raises(ChannelAccessRefused):
                await deed(hand)
    assert await broker.holds(LANE, 1)


@pytest.mark.usefixtures("declared")
@pytest.mark.parametrize("account", ["bot", "gateway", "worker", "operator"])
async def test_nobody_publishes_under_another_name(broker_url: str, account: str) -> None:
    """RabbitMQ compares the property `user_id` with who is logged in."""
    for exchange in (COMMANDS, QUERIES):
        async with connected_broker(url_of(broker_url, account)) as hand:
            with pytest.raises(ChannelPreconditionFailed, match="user_id"):
                await hand.publish(message(store()), exchange=exchange, user_id="alice")


@pytest.mark.usefixtures("declared")
async def test_how_much_is_in_a_queue_is_no_secret(broker_url: str) -> None:
    """RabbitMQ answers a passive declaration to whoever is logged in; the page on access says so."""
    async with connected_broker(url_of(broker_url, "bot")) as hand:
        assert await hand.holds(LANE, 1)


@pytest.mark.usefixtures("declared")
async def test_copies_can_not_be_sent_anywhere(broker: Broker, broker_url: str) -> None:
    """The headers CC and BCC add routing keys of the same exchange, not queues."""
    async with connected_broker(url_of(broker_url, "bot")) as hand:
        others = [DIRECT_REPLY_TO, *_queues()]
        await hand.publish(message(store()), headers={"CC": others, "BCC": others})
    depths = {queue: (await broker.depth(queue)).messages for queue in _queues() if queue != LOG}
    assert {queue for queue, messages in depths.items() if messages} == {LANE}


@pytest.mark.usefixtures("declared")
async def test_a_reply_address_hears_only_its_own(broker_url: str) -> None:
    """Another's full address is refused by the broker, also for who knows it."""
    async with connected_broker(broker_url) as guest:
        victim = Hand(url_of(broker_url, "alice"))
        await victim.listen()
        try:
            await victim.publish(b"{}", exchange=QUERIES, reply_to=DIRECT_REPLY_TO)
            (asked,) = await guest.take("memlane.queries.v1")
            address = str(asked.header.properties.reply_to)
            assert address.startswith(f"{DIRECT_REPLY_TO}.")
            async with connected_broker(url_of(broker_url, "bot")) as hand:
                with pytest.raises(ChannelAccessRefused):
                    await hand.publish(b"{}", exchange="", routing_key=address)
            # The driver lets no other characters through to the broker.
            wanted = re.sub(r"[^\w.-]", "", address)
            async with connected_broker(url_of(broker_url, "bot")) as hand:
                with pytest.raises(ChannelAccessRefused):
                    await hand.channel.basic_consume(wanted, _ignore)
            await guest.publish(b"for alice", exchange="", routing_key=address)
            assert await victim.next() == b"for alice"
        finally:
            await victim.connection.close()


@pytest.mark.usefixtures("declared")
async def test_an_operator_consumes_and_diverts_nothing_on_its_way(broker_url: str) -> None:
    """The dead-letter queues and the streams are open to it; lanes, retries and questions are not."""
    streams = {LOG, ROUNDS, STANDING}
    open_to_it = {queue for queue in _queues() if queue in streams or queue.endswith(".dead.v1")}
    readable = set()
    for queue in _queues():
        async with connected_broker(url_of(broker_url, "operator")) as hand:
            try:
                await hand.channel.basic_qos(prefetch_count=1)
                await hand.channel.basic_consume(queue, _ignore)
            except ChannelAccessRefused:
                continue
            readable.add(queue)
    assert readable == open_to_it
    for name in ("declare a queue", "bind the lane elsewhere", "bind exchanges", "unbind the lane"):
        async with connected_broker(url_of(broker_url, "operator")) as hand:
            with pytest.raises(ChannelAccessRefused):
                await OUT_OF_REACH[name](hand)


def test_the_commands_on_the_page_give_these_permissions() -> None:
    """Example accounts stand in the order of the kinds."""
    kinds = json.loads((TEMPLATES / "permissions.json").read_text(encoding="utf-8"))
    page = (TEMPLATES / "README.md").read_text(encoding="utf-8")
    said = re.findall(
        r"^rabbitmqctl set_permissions -p memlane (\S+) '(.*)' '(.*)' '(.*)'$", page, re.MULTILINE
    )
    names = dict(re.findall(r"^\| (\w+) \| `(\S+)` \|", page, re.MULTILINE))
    wanted = {names[kind]: (one["configure"], one["write"], one["read"]) for kind, one in kinds.items()}
    assert {account: tuple(rights) for account, *rights in said} == wanted
    assert all(one["for"] in page.replace("`", "") for one in kinds.values())
