"""What can't work is one clear error at the start, which says what is wrong and what to do."""

import asyncio
from pathlib import Path

import pytest
from pamqp.common import FieldTable

from memlane.contracts.errors import BrokerRefused, BrokerUnreachable, ConfigurationError, TopologyMismatch
from memlane.contracts.topology import lane_queue, topology
from memlane.storage.errors import SinkMisconfigured, SinkUnknown
from memlane.storage.settings import SinkSettings
from memlane.testing.servers import OwnServers
from memlane.workers.service import everything, serve
from memlane.workers.settings import WorkerSettings
from tests.integration.service.conftest import Settings
from tests.support.broker import Broker


async def start(settings: WorkerSettings, sinks: SinkSettings) -> None:
    """Runs everything; it is expected to fail soon."""
    async with asyncio.timeout(10):
        await serve(everything(settings), settings, sinks)


async def test_a_queue_with_other_arguments_is_named(
    settings: Settings, sinks: SinkSettings, broker: Broker
) -> None:
    """And the argument, and what to do about it."""
    lane = next(queue for queue in topology(["sqlite"]).queues if queue.name == lane_queue("sqlite"))
    arguments: FieldTable = {**lane.arguments, "x-queue-type": lane.kind, "x-delivery-limit": 20}
    await broker.channel.queue_declare(lane.name, durable=True, arguments=arguments)
    with pytest.raises(TopologyMismatch) as caught:
        await start(settings(sinks="sqlite"), sinks)
    assert "memlane.sqlite.writes.v1" in str(caught.value)
    assert "x-delivery-limit" in str(caught.value)
    assert "delete it" in caught.value.hint


async def test_an_exchange_of_another_kind_is_named(
    settings: Settings, sinks: SinkSettings, broker: Broker
) -> None:
    """And what kind it has."""
    await broker.channel.exchange_declare("memlane.commands", exchange_type="topic", durable=True)
    with pytest.raises(TopologyMismatch, match=r"memlane\.commands .*topic"):
        await start(settings(sinks="sqlite"), sinks)


async def test_a_deployment_needs_a_durable_sink(settings: Settings, sinks: SinkSettings) -> None:
    """A cache alone would lose everything at its next restart."""
    with pytest.raises(
        ConfigurationError, match=r"none of the sinks is durable: redis, memory .*MEMLANE_SINKS"
    ):
        await start(settings(sinks="redis,memory"), sinks)


async def test_an_unknown_sink_is_named(settings: Settings, sinks: SinkSettings) -> None:
    """And those that there are."""
    with pytest.raises(SinkUnknown, match=r"'postgres' .*sqlite"):
        await start(settings(sinks="sqlite,postgres"), sinks)


async def test_no_broker_is_said(settings: Settings, sinks: SinkSettings, unused_tcp_port: int) -> None:
    """Where, without the password."""
    url = f"amqp://bot:secret@127.0.0.1:{unused_tcp_port}/"
    with pytest.raises(BrokerUnreachable, match=f"127.0.0.1:{unused_tcp_port}") as caught:
        await start(settings(amqp_url=url), sinks)
    assert "secret" not in str(caught.value)


async def test_wrong_credentials_are_said(settings: Settings, sinks: SinkSettings, broker: Broker) -> None:
    """With the account."""
    with pytest.raises(BrokerRefused, match="'guest'"):
        await start(settings(amqp_url=broker.url.replace("guest:guest", "guest:wrong")), sinks)


async def test_an_unwritable_file_is_named(settings: Settings, sinks: SinkSettings, tmp_path: Path) -> None:
    """With the setting."""
    path = tmp_path / "file" / "memory.db"
    path.parent.touch()
    with pytest.raises(SinkMisconfigured, match=r"memory\.db.*MEMLANE_SQLITE_PATH"):
        await start(settings(sinks="sqlite"), sinks.model_copy(update={"sqlite_path": path}))


async def test_a_redis_that_evicts_is_refused(
    own_servers: OwnServers, settings: Settings, sinks: SinkSettings, tmp_path: Path
) -> None:
    """It would forget entries by itself."""
    arguments = ("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
    with own_servers.redis(tmp_path / "redis", arguments=arguments) as server:
        with pytest.raises(SinkMisconfigured, match="allkeys-lru"):
            await start(settings(), sinks.model_copy(update={"redis_url": server.url}))


async def test_a_taken_health_port_is_named(settings: Settings, sinks: SinkSettings) -> None:
    """With the setting."""
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        with pytest.raises(ConfigurationError, match=f"127.0.0.1:{port}.*MEMLANE_HEALTH_PORT"):
            await start(settings(sinks="sqlite", health_port=port), sinks)
    finally:
        server.close()
        await server.wait_closed()
