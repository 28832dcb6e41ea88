"""Stores into server-memory, over one call a store with the bare SDK."""

import shlex
import time
from pathlib import Path
from typing import Final

from mcp import Client, StdioServerParameters

from benchmarks import isolated, queues
from benchmarks.comparing import Benchmark, Comparison, alternate, check
from benchmarks.events import commands, write_bodies
from benchmarks.lane_side import work_off_into
from benchmarks.venue import Venue
from memlane.contracts.instants import now
from memlane.contracts.topology import lane_queue
from memlane.storage.mcp import McpSink
from memlane.storage.mcp.naming import name_of
from memlane.storage.mcp.profiles.server_memory import ENTITY_TYPE
from memlane.storage.mcp.record import encode_record
from memlane.storage.settings import SinkSettings
from memlane.testing.mcp_servers import SERVER_MEMORY, npm_command

ENTITIES: Final = 1000
"""That the server holds all along: every store is one more version of one of them."""

QUEUE: Final = lane_queue("mcp")


def measure(venue: Venue) -> Comparison:
    """See `BENCHMARK`."""
    rounds = venue.size(5, 2)
    command = npm_command(SERVER_MEMORY, Path(".memlane") / "npm")
    there = write_bodies(venue.folder / "there", ENTITIES, 1)
    bodies = [write_bodies(venue.folder / f"round-{n}", ENTITIES, 1) for n in range(rounds)]
    newer = venue.folder / "newer"
    newer.write_bytes(b"".join(one.read_bytes() for one in bodies))

    def ours(turn: int) -> float:
        folder = venue.folder / f"mcp-{turn}"
        isolated.run(queues.fill, venue.amqp_url, QUEUE, there)
        isolated.run(into_server, venue.amqp_url, command, folder, ENTITIES)
        isolated.run(queues.fill, venue.amqp_url, QUEUE, newer)
        rate = isolated.run(into_server, venue.amqp_url, command, folder, rounds * ENTITIES)
        check(isolated.run(queues.wait_empty, venue.amqp_url, QUEUE), "the lane left messages in its queue")
        last = [line.split(b'"id":"')[1][:36].decode() for line in bodies[-1].read_bytes().splitlines()]
        text = (folder / "memory-000.jsonl").read_text(encoding="utf-8")
        check(len(text.splitlines()) == ENTITIES, "the server holds more or less than was stored")
        check(all(version in text for version in last), "the server does not hold the last values")
        return rate

    def theirs(turn: int) -> float:
        return isolated.run(one_by_one, command, venue.folder / f"bare-{turn}.jsonl", venue.size(300, 100))

    with venue.topology(["mcp"]):
        return alternate(venue.turns(3), ours, theirs)


async def into_server(url: str, command: str, folder: Path, count: int) -> float:
    """Stores/s of a lane into server-memory, from the start of consumption until so many are applied."""
    settings = SinkSettings(mcp_command=command, mcp_dir=folder)
    async with McpSink.from_settings("mcp", settings) as sink:
        return await work_off_into(sink, url, count)


async def one_by_one(command: str, file: Path, count: int) -> float:
    """Stores/s of one call each, on a server that holds as many entities."""
    program, *arguments = shlex.split(command)
    server = StdioServerParameters(command=program, args=arguments, env={"MEMORY_FILE_PATH": str(file)})
    known = list(commands(ENTITIES))
    async with Client(server, mode="legacy") as client:
        entities = [
            {"name": name_of(one.address), "entityType": ENTITY_TYPE, "observations": [encode_record(one)]}
            for one in known
        ]
        await client.call_tool("create_entities", {"entities": entities})
        newer = [one.model_copy(update={"value_json": f'"{now()}"'}) for one in known[:count]]
        started = time.perf_counter()
        for one in newer:
            adding = [{"entityName": name_of(one.address), "contents": [encode_record(one)]}]
            answer = await client.call_tool("add_observations", {"observations": adding})
            check(not answer.is_error, "the server refused a call")
        return count / (time.perf_counter() - started)


BENCHMARK: Final = Benchmark(
    name="mcp_apply",
    ours=f"lane: RabbitMQ to server-memory with {ENTITIES:,} entities, one store a message",
    theirs="the bare MCP SDK on the same server, one call a store, one after the other",
    unit="stores/s",
    target=10.0,
    measure=measure,
)
