"""A sink that joins a deployment which was used before."""

from pathlib import Path

from memlane.storage.settings import SinkSettings
from tests.integration.repair.deployment import SINKS, running_deployment
from tests.support.broker import Broker


async def test_a_new_sink_is_brought_level(
    broker: Broker, sinks: SinkSettings, tmp_path: Path, unused_tcp_port: int
) -> None:
    """By the others, while the system runs."""
    async with running_deployment(broker, sinks, tmp_path, unused_tcp_port, "sqlite,redis") as before:
        await before.fill("sqlite,redis")
        await before.delete_some("sqlite,redis")
    async with running_deployment(broker, sinks, tmp_path, unused_tcp_port) as deployment:
        deployment.commands += before.commands
        async with deployment.traffic():
            await deployment.until_asked("mcp")
        await deployment.until_level(SINKS)
        assert deployment.wrong == []
