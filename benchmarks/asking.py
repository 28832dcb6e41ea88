"""Both sides of the read benchmarks: asking one at a time, and with many in flight."""

import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from benchmarks.comparing import check
from benchmarks.echo import echo_client
from benchmarks.events import Event
from benchmarks.system import client
from memlane.contracts.query import GetQuestion, QueryEnvelope

IN_FLIGHT: Final = 200
_WARM_UP: Final = 100

Ask = Callable[[Event], Awaitable[None]]


async def get_p50(url: str, stored: Sequence[Event], count: int, state_dir: Path) -> float:
    """Milliseconds of `client.get`, one at a time."""
    async with client(url, state_dir) as memory:

        async def ask(event: Event) -> None:
            entry = await memory.get(event.user_id, event.key, namespace=event.namespace)
            check(entry is not None and entry.value == event.value, f"another value at {event.place}")

        return await _p50(ask, stored, count)


async def echo_p50(url: str, stored: Sequence[Event], count: int) -> float:
    """Milliseconds of the echo, one at a time."""
    async with echo_client(url) as echo:

        async def ask(event: Event) -> None:
            body = question(event)
            check(await echo.ask(body) == body, "another body came back")

        return await _p50(ask, stored, count)


async def get_rate(url: str, stored: Sequence[Event], count: int, state_dir: Path) -> float:
    """`client.get`s a second, 200 in flight."""
    async with client(url, state_dir) as memory:

        async def ask(event: Event) -> None:
            entry = await memory.get(event.user_id, event.key, namespace=event.namespace)
            check(entry is not None and entry.value == event.value, f"another value at {event.place}")

        return await _rate(ask, stored, count)


async def echo_rate(url: str, stored: Sequence[Event], count: int) -> float:
    """Echoes a second, 200 in flight."""
    async with echo_client(url) as echo:
        bodies = {event.place: question(event) for event in stored}

        async def ask(event: Event) -> None:
            body = bodies[event.place]
            check(await echo.ask(body) == body, "another body came back")

        return await _rate(ask, stored, count)


def question(event: Event) -> bytes:
    """The body of a message that asks for what was stored."""
    asked = GetQuestion(user_id=event.user_id, namespace=event.namespace, key=event.key)
    return QueryEnvelope(questions=[asked]).model_dump_json(by_alias=True, exclude_none=True).encode()


async def _p50(ask: Ask, stored: Sequence[Event], count: int) -> float:
    dice = random.Random(1)
    for event in dice.choices(stored, k=_WARM_UP):
        await ask(event)
    took = []
    for event in dice.choices(stored, k=count):
        started = time.perf_counter()
        await ask(event)
        took.append(time.perf_counter() - started)
    return statistics.median(took) * 1000


async def _rate(ask: Ask, stored: Sequence[Event], count: int) -> float:
    dice = random.Random(1)
    await asyncio.gather(*map(ask, dice.choices(stored, k=_WARM_UP)))
    left = iter(dice.choices(stored, k=count))

    async def keep_asking() -> None:
        for event in left:
            await ask(event)

    started = time.perf_counter()
    await asyncio.gather(*(keep_asking() for _ in range(IN_FLIGHT)))
    return count / (time.perf_counter() - started)
