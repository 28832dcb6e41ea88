"""A private RabbitMQ can be restarted, killed and frozen, and goes without a trace."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import aio_pika
import pytest
from pamqp.common import FieldTable

from memlane.testing.servers import PrivateRabbitMQ, ServerError, ServerStartFailed
from memlane.testing.servers.ports import is_free
from memlane.testing.servers.waiting import wait_until
from tests.integration.servers.conftest import SOON, Residents

pytestmark = [
    pytest.mark.processes,
    pytest.mark.usefixtures("installed"),
    pytest.mark.timeout(120, func_only=True),
]

QUEUE: FieldTable = {"x-queue-type": "quorum", "x-delivery-limit": 100}


@pytest.fixture
def rabbitmq(tmp_path: Path) -> Iterator[PrivateRabbitMQ]:
    """A node that serves, to be mistreated."""
    with PrivateRabbitMQ(tmp_path) as server:
        yield server


async def publish(url: str, queue: str) -> None:
    """Publish one message to a quorum queue, and await the confirm."""
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        await channel.declare_queue(queue, durable=True, arguments=QUEUE)
        message = aio_pika.Message(b"remember", delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await channel.default_exchange.publish(message, queue)


async def take(url: str, queue: str) -> bytes:
    """Take one message from the queue."""
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        taken = await (await channel.get_queue(queue)).get()
        await taken.ack()
        return taken.body


async def test_a_restart_keeps_the_port_and_what_was_confirmed(rabbitmq: PrivateRabbitMQ) -> None:
    """Clients reconnect where they were, and find their messages."""
    url = rabbitmq.url
    assert not rabbitmq.has_on_disk("restart")
    await publish(url, "restart")

    rabbitmq.restart()

    assert rabbitmq.url == url
    assert await take(url, "restart") == b"remember"


async def test_a_kill_loses_nothing_that_was_confirmed(
    rabbitmq: PrivateRabbitMQ, residents: Residents
) -> None:
    """Of the node itself nothing is left: Erlang's helpers notice that it is gone, and end."""
    await publish(rabbitmq.url, "kill")
    assert wait_until(lambda: rabbitmq.has_on_disk("kill"), within=SOON)

    rabbitmq.kill()
    assert not rabbitmq.running
    assert is_free(rabbitmq.port)
    assert wait_until(lambda: not residents(rabbitmq.data_dir), within=SOON), residents(rabbitmq.data_dir)

    rabbitmq.start()
    assert await take(rabbitmq.url, "kill") == b"remember"


async def test_a_frozen_node_confirms_nothing_until_it_thaws(rabbitmq: PrivateRabbitMQ) -> None:
    """A publish waits, and is confirmed then: the connection stays open."""
    async with await aio_pika.connect(rabbitmq.url) as connection:
        channel = await connection.channel()
        await channel.declare_queue("freeze", durable=True, arguments=QUEUE)
        rabbitmq.freeze()
        try:
            waiting = asyncio.create_task(channel.default_exchange.publish(aio_pika.Message(b""), "freeze"))
            done, _ = await asyncio.wait([waiting], timeout=0.3)
            assert not done
        finally:
            rabbitmq.thaw()
        await asyncio.wait_for(waiting, timeout=SOON.total_seconds())


def test_stopping_leaves_no_process_and_no_port(rabbitmq: PrivateRabbitMQ, residents: Residents) -> None:
    """Its own port mapper and Erlang's helpers are gone as well."""
    ports = rabbitmq._ports
    assert any("epmd" in command for command in residents(rabbitmq.data_dir))

    rabbitmq.stop()

    assert wait_until(lambda: not residents(rabbitmq.data_dir), within=SOON), residents(rabbitmq.data_dir)
    assert all(is_free(port) for port in ports)


def test_nobody_else_can_connect(rabbitmq_server: PrivateRabbitMQ) -> None:
    """Every port is on the loopback address only, and the cookie is the owner's."""
    addresses = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    client, between_nodes, mapper, _for_tls = rabbitmq_server._ports
    for port in (client, between_nodes, mapper):
        assert {address for address in addresses if address.endswith(f":{port:04X}")} == {
            f"0100007F:{port:04X}"
        }
    assert rabbitmq_server.data_dir.joinpath(".erlang.cookie").stat().st_mode & 0o077 == 0


def test_a_node_can_be_administered(rabbitmq_server: PrivateRabbitMQ) -> None:
    """With `rabbitmqctl`, for tests of users and their rights."""
    rabbitmq_server.control("add_user", "newcomer", "secret")
    assert "newcomer" in rabbitmq_server.control("list_users")
    rabbitmq_server.control("delete_user", "newcomer")

    with pytest.raises(ServerError) as caught:
        rabbitmq_server.control("set_user_tags", "nobody", "administrator")
    assert caught.value.what == "could not run `rabbitmqctl set_user_tags`"
    assert "nobody" in caught.value.cause


def test_a_node_that_does_not_start_shows_its_last_words(tmp_path: Path) -> None:
    """And leaves nothing running, its port mapper included."""
    server = PrivateRabbitMQ(tmp_path, settings={"no.such.setting": "1"})

    with pytest.raises(ServerStartFailed) as caught:
        server.start()

    assert "it ended with exit code" in caught.value.cause
    assert "failed_to_prepare_configuration" in caught.value.cause
    assert server.leaders == []
