"""The kinds of faults, one class each."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tests.chaos.faults.fault import Fault
from tests.chaos.faults.of_mcp import FreezeMcp, KillMcp
from tests.chaos.faults.of_producers import KillProducer, SkewClock
from tests.chaos.faults.of_redis import FlushRedis, FreezeRedis, StopRedis
from tests.chaos.faults.of_the_broker import DropConnections, KillBroker, RestartBroker
from tests.chaos.faults.of_the_disk import FillDisk
from tests.chaos.faults.of_workers import FreezeWorker, KillWorker

FAULTS: Final[Mapping[str, type[Fault]]] = MappingProxyType(
    {
        fault.kind: fault
        for fault in (
            KillWorker,
            FreezeWorker,
            RestartBroker,
            KillBroker,
            DropConnections,
            StopRedis,
            FreezeRedis,
            FlushRedis,
            KillMcp,
            FreezeMcp,
            FillDisk,
            KillProducer,
            SkewClock,
        )
    }
)
"""By their names."""

__all__ = ["FAULTS", "Fault"]
