"""Several sinks on one store, as competing consumers have them."""

import asyncio
import random
from collections.abc import Awaitable, Callable

from memlane.contracts.command import AnyCommand
from memlane.contracts.query import ListQuestion
from memlane.storage.conformance import asking
from memlane.storage.conformance.commands import NOW, delete, delete_namespace, forget, store
from memlane.storage.redis import RedisSink


def _commands(random_: random.Random) -> list[AnyCommand]:
    commands: list[AnyCommand] = []
    for at in range(600):
        key, namespace, user = f"k{random_.randrange(20)}", f"n/{random_.randrange(3)}", f"u{at % 2}"
        kind = random_.random()
        if kind < 0.7:
            commands.append(store(key, at, at=at, namespace=namespace, user=user))
        elif kind < 0.95:
            commands.append(delete(key, at=at, namespace=namespace, user=user))
        elif kind < 0.99:
            commands.append(delete_namespace(namespace, at=at, user=user))
        else:
            commands.append(forget(user, at=at))
    return commands


async def test_two_sinks_at_once_come_to_the_same_as_one(
    open_sink: Callable[..., Awaitable[RedisSink]],
) -> None:
    """Every command twice, in any order, by two processes, while a third sweeps."""
    random_ = random.Random(7)
    commands = _commands(random_)
    one, other, sweeper = await open_sink(), await open_sink(), await open_sink()

    async def feed(sink: RedisSink) -> None:
        mine = random_.sample(commands, len(commands))
        for at in range(0, len(mine), 13):
            await sink.apply(mine[at : at + 13], NOW)

    async def sweep_all() -> None:
        while not feeding.done():
            await sweeper.sweep(NOW, limit=7, recount=random_.randrange(4096))

    feeding = asyncio.gather(feed(one), feed(other))
    await asyncio.gather(feeding, sweep_all())
    await asking.sweep(one)
    alone = await open_sink("-alone")
    await alone.apply(commands, NOW)
    await asking.sweep(alone)
    assert set(await asking.held(one)) == set(await asking.held(alone))
    assert await one.digests() == await alone.digests()


async def test_a_list_is_of_one_snapshot(sink: RedisSink) -> None:
    """However much is written meanwhile: the digest is of the rows that are listed."""
    await sink.apply([store(f"k{n}", "x" * 50_000) for n in range(200)], NOW)
    stop = asyncio.Event()

    async def write() -> None:
        at = 2
        while not stop.is_set():
            await sink.apply([store(f"k{at % 200}", "x" * 50_000, at=at)], NOW)
            at += 1

    writing = asyncio.create_task(write())
    for _ in range(10):
        page = await sink.find(ListQuestion(user_id="u", limit=500), NOW)
        addresses = [hit.entry.address for hit in page.hits]
        assert page.hits
        assert len(set(addresses)) == len(addresses)
        assert page.digest.count == 200
        assert page.more or len(addresses) == 200
    stop.set()
    await writing
