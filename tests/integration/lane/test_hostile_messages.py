"""Properties and headers come from outside: none of them stops a lane, or lets a message do more."""

from datetime import UTC, datetime
from typing import Any, Final

from memlane.contracts import headers
from memlane.contracts.topology import dead_queue
from memlane.storage.memory import FailingSink, MemorySink
from tests.integration.conftest import StartSystem
from tests.support.commands import message, store
from tests.support.system import LANE
from tests.support.waiting import wait_until


class NotUtf8(str):
    """A short string that goes out as bytes that are no UTF-8, as another language's client may send it."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:  # noqa: ARG002
        """See `str.encode`."""
        return b"\xff\xfe"


class FarFuture(datetime):
    """A timestamp that goes out as the largest number there is."""

    def timestamp(self) -> float:
        """See `datetime.timestamp`."""
        return 2.0**63


HOSTILE: Final[list[dict[str, Any]]] = [
    {headers.ATTEMPT: 2**63 - 1},
    {headers.ATTEMPT: -1},
    {headers.ATTEMPT: "99"},
    {headers.ATTEMPT: True},
    {headers.ATTEMPT: 1.5},
    {headers.FIRST_SEEN: "x" * 100_000},
    {headers.FIRST_SEEN: {"a": ["b"]}},
    {headers.TRACEPARENT: "x" * 100_000},
    {headers.TRACEPARENT: bytearray(b"\xff")},
    {headers.PRINCIPAL: "x" * 100_000},
    {headers.PRINCIPAL: None},
    {headers.ERROR_TEXT: "x" * 100_000, headers.ERROR_CLASS: 7, headers.ORIGIN_LANE: "elsewhere"},
    {"x-death": [{"count": 10**9}], "CC": ["memlane.memory.writes.v1"], "x-delivery-count": 10**6},
]


async def test_no_header_stops_a_lane(
    start_system: StartSystem, failing: FailingSink, memory: MemorySink
) -> None:
    """Whatever the headers say, a failing command is tried again and parked, a good one is applied."""
    system = await start_system(failing, roles=[LANE])
    for number, fields in enumerate(HOSTILE):
        bad = store(f"bad-{number}")
        failing.poison(bad.id)
        await system.broker.publish(message(bad), headers=fields)
        await system.broker.publish(message(store(f"good-{number}")), headers=fields)
    await wait_until(
        lambda: system.broker.holds(dead_queue("memory"), len(HOSTILE)), "all bad ones are parked"
    )
    parked = await system.broker.parked("memory")
    assert {one.error_class for one in parked} == {"ValueError"}
    assert {one.headers[headers.ORIGIN_LANE] for one in parked} == {"memory"}
    assert (await memory.stats("u")).live == len(HOSTILE)


async def test_a_claimed_attempt_is_no_way_around_the_retries(
    start_system: StartSystem, failing: FailingSink
) -> None:
    """A count that no lane can have written counts as none."""
    system = await start_system(failing, roles=[LANE])
    command = store()
    failing.poison(command.id)
    await system.broker.publish(message(command), headers={headers.ATTEMPT: 10**9})
    await wait_until(lambda: system.broker.holds(dead_queue("memory"), 1), "it is parked")
    assert len(failing.batches) == 3


async def test_no_property_stops_a_lane(start_system: StartSystem, memory: MemorySink) -> None:
    """Neither what they say, nor bytes in them that are not text."""
    system = await start_system(memory, roles=[LANE])
    properties: list[dict[str, Any]] = [
        {name: value}
        for name in ("content_type", "correlation_id", "reply_to", "message_id", "app_id", "message_type")
        for value in ("", "x" * 255, "\x00\x1b[31m", NotUtf8("hostile"))
    ]
    properties += [{"expiration": "60000"}, {"priority": 255}, {"headers": {NotUtf8("hostile"): 1}}]
    properties += [{"timestamp": datetime(9999, 1, 1, tzinfo=UTC)}, {"timestamp": FarFuture(2026, 1, 1)}]
    for number, one in enumerate(properties):
        await system.broker.publish(message(store(f"k{number}")), **one)
    await system.until_applied("memory", len(properties))
    assert (await memory.stats("u")).live == len(properties)
    assert await system.broker.is_empty(dead_queue("memory"))
