"""A lane over an MCP server: one sink's trouble is its own, and a command that breaks the server is found."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from memlane.contracts.topology import dead_queue, lane_queue
from memlane.storage.memory import MemorySink
from tests.integration.conftest import StartSystem
from tests.integration.mcp.conftest import MakeSink
from tests.support.commands import message, store
from tests.support.user_memory_server import command_line, kept, order
from tests.support.waiting import wait_until

POISON: Final = "a poisonous word"
LONG: Final = timedelta(seconds=60)
"""Each round of halving starts the server anew."""


async def test_a_command_that_breaks_the_server_is_parked_and_those_around_it_are_applied(
    start_system: StartSystem, make_sink: MakeSink, orders: Path, tmp_path: Path
) -> None:
    """Found by halving, however often it ends the server's process."""
    order(orders, poison=POISON)
    sink = make_sink(command_line(), mcp_profile="user-memory", mcp_env={"USER_MEMORY_ORDERS": str(orders)})
    system = await start_system(sink, roles=["lane"], retry_delays=("PT0.05S",))
    commands = [store(f"k{n}", POISON if n == 5 else n) for n in range(8)]
    await system.broker.publish(message(*commands))

    async def is_parked() -> bool:
        return await system.broker.holds(dead_queue("mcp"), 1)

    await wait_until(is_parked, "the culprit is parked", LONG)
    (parked,) = await system.broker.parked("mcp")
    assert parked.error_class == "BatchBroke"
    assert "the MCP server fails at it" in parked.error_text
    assert POISON.encode() in parked.body
    addresses = {command.address for command in commands} - {commands[5].address}
    assert {
        one.entry.address for one in await sink.fetch(list(addresses), datetime.now(UTC)) if one.entry
    } == addresses
    assert len(kept(tmp_path / "mcp" / "user-memory.db")) == 7


async def test_a_server_that_hangs_holds_up_nobody_else(
    start_system: StartSystem, make_sink: MakeSink, orders: Path
) -> None:
    """Its lane waits, and burns no retry; the other sink's writes and answers go on; then it catches up."""
    sink = make_sink(
        command_line(),
        mcp_profile="user-memory",
        mcp_env={"USER_MEMORY_ORDERS": str(orders)},
        mcp_timeout="0.3s",
    )
    system = await start_system(MemorySink(), sink)
    order(orders, write="hang", read="hang")
    async with system.client(deadline="PT5S") as client:
        receipts = [await client.store("u", f"k{n}", n, wait={"memory"}) for n in range(20)]
        assert [receipt.applied for receipt in receipts] == [{"memory"}] * 20
        assert await client.get("u", "k7") is not None
        lane = system.lanes["mcp"]
        await wait_until(lambda: lane.state.condition == "waiting", "its lane waits", LONG)
        assert await system.broker.is_empty(dead_queue("mcp"))
        order(orders)
        await wait_until(lambda: lane.applied >= 20, "it has caught up", LONG)
        digests = [said.stats.digest for said in (await client.stats()).sinks.values() if said.stats]
        assert digests[0] == digests[1]
    assert await system.broker.is_empty(lane_queue("mcp"))
