"""A store that was put back to an older copy while no worker ran."""

import shutil
from pathlib import Path

from memlane.storage.settings import SinkSettings
from tests.integration.repair.deployment import running_deployment
from tests.support.broker import Broker


async def test_it_is_noticed_at_the_start(
    broker: Broker, sinks: SinkSettings, tmp_path: Path, unused_tcp_port: int
) -> None:
    """It has fewer changes than when it was last compared; what was deleted since stays deleted."""
    two = "sqlite,redis"
    async with running_deployment(broker, sinks, tmp_path, unused_tcp_port, two) as before:
        await before.fill(two)
    shutil.copy(sinks.sqlite_path, tmp_path / "copy.db")
    async with running_deployment(broker, sinks, tmp_path, unused_tcp_port, two) as meanwhile:
        meanwhile.commands += before.commands
        await meanwhile.delete_some(two)
        await meanwhile.until_compared()
    shutil.move(tmp_path / "copy.db", sinks.sqlite_path)
    async with running_deployment(broker, sinks, tmp_path, unused_tcp_port, two) as after:
        after.commands += meanwhile.commands
        async with after.traffic():
            await after.until_said("sqlite", "its store went back to an older state")
        await after.until_level(two)
        assert after.wrong == []
