"""What a get and a search cost a user with 100 entries, by how much the sink holds of everybody."""

import random
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Final

from benchmarks import isolated
from benchmarks.comparing import Benchmark, Comparison, by_size, check
from benchmarks.filled import ENTRIES_OF_A_USER, Filled, filled
from benchmarks.venue import SINKS, Venue
from memlane.contracts.instants import now
from memlane.contracts.query import SearchQuestion
from memlane.storage.sink import Sink

_TARGET: Final = 1.5
_SEED: Final = 1


def measure(sink: str, what: str, venue: Venue) -> Comparison:
    """See `BENCHMARKS`."""
    count = venue.size(500, 200)
    return by_size(isolated.run(p50s, filled(venue), sink, what, venue.turns(5), count))


async def p50s(
    stores: Sequence[Filled], name: str, what: str, turns: int, count: int
) -> list[Mapping[int, float]]:
    """Median ms of asking about users picked at random, one question at a time: by size, turn by turn.

    Args:
        stores: of the same content in other numbers.
        name: `sqlite` or `redis`.
        what: `get` or `search`.
        turns: how many medians of each.
        count: questions to each store a turn.
    """
    ask = _ASK[what]
    dice = random.Random(_SEED)
    found: list[Mapping[int, float]] = []
    async with AsyncExitStack() as exits:
        sinks = [await exits.enter_async_context(_sink(store, name)) for store in stores]
        for _ in range(1 + turns):
            took: dict[int, list[float]] = {store.size: [] for store in stores}
            # In turns, question by question: what the machine does meanwhile hits all of them.
            for _ in range(count):
                for store, sink in zip(stores, sinks, strict=True):
                    took[store.size].append(await ask(store, sink, dice.randrange(store.size)))
            found.append({size: statistics.median(seconds) * 1000 for size, seconds in took.items()})
    return found[1:]  # the first one warms up


def _sink(store: Filled, name: str) -> Sink:
    return store.sqlite() if name == "sqlite" else store.redis()


Ask = Callable[[Filled, Sink, int], Awaitable[float]]


async def get(store: Filled, sink: Sink, number: int) -> float:
    """Seconds of a get of that entry."""
    place, wanted, as_of = store.place(number), store.value_json(number), now()
    started = time.perf_counter()
    (fetched,) = await sink.fetch([place], as_of)
    seconds = time.perf_counter() - started
    check(fetched.entry is not None and fetched.entry.value_json == wanted, f"another value at {place}")
    return seconds


async def search(store: Filled, sink: Sink, number: int) -> float:
    """Seconds of a search for what that entry says, of that user."""
    place, as_of = store.place(number), now()
    question = SearchQuestion(user_id=place.user_id, text=f"{place.key} {store.value_json(number)}")
    started = time.perf_counter()
    page = await sink.find(question, as_of)
    seconds = time.perf_counter() - started
    check(bool(page.hits), f"nothing was found of what is at {place}")
    check(page.digest.count == ENTRIES_OF_A_USER, f"{page.digest.count} entries of {place.user_id}")
    check(all(hit.entry.user_id == place.user_id for hit in page.hits), "another user's entry was found")
    return seconds


_ASK: Final[Mapping[str, Ask]] = {"get": get, "search": search}


BENCHMARKS: Final = tuple(
    Benchmark(
        name=f"growth_{what}_{sink}",
        ours=f"a {what} of the {sink} sink with a million entries (--quick: 100,000), a hundred a user: p50",
        theirs="the same with 10,000 entries",
        unit="ms",
        target=_TARGET,
        less_is_better=True,
        measure=partial(measure, sink, what),
    )
    for what in _ASK
    for sink in SINKS
)
