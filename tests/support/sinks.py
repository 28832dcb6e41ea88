"""Sinks as a lane and a responder use them, without either."""

from datetime import UTC, datetime, timedelta

from memlane.contracts.address import Address
from memlane.contracts.canonical import Json
from memlane.contracts.command import AnyCommand
from memlane.storage.errors import SinkUnavailable
from memlane.storage.mcp.errors import BatchBroke
from memlane.storage.outcome import Outcome
from memlane.storage.sink import Sink
from tests.support.waiting import wait_until

PATIENCE = timedelta(seconds=60)


async def apply(sink: Sink, *commands: AnyCommand) -> list[Outcome]:
    """Applies a batch now."""
    return await sink.apply(commands, datetime.now(UTC))


async def apply_in_the_end(sink: Sink, *commands: AnyCommand) -> None:
    """As a lane does: again and again while the sink's server is away."""

    async def applied() -> bool:
        try:
            await apply(sink, *commands)
        except (SinkUnavailable, BatchBroke):
            return False
        return True

    await wait_until(applied, "the batch is applied", PATIENCE)


async def value_at(sink: Sink, address: Address) -> Json:
    """The value of the entry that is there; fails where there is none."""
    (fetched,) = await sink.fetch([address], datetime.now(UTC))
    assert fetched.entry is not None, fetched
    return fetched.entry.value
