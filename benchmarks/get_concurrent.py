"""How many gets a second, over how many echoes."""

from typing import Final

from benchmarks import asking, echo, isolated
from benchmarks.comparing import Benchmark, Comparison, alternate
from benchmarks.system import running_system
from benchmarks.venue import Venue


def measure(venue: Venue) -> Comparison:
    """See `BENCHMARK`."""
    count = venue.size(20_000, 4_000)
    url = venue.amqp_url
    with running_system(venue) as stored, isolated.background(echo.responder, url):

        def ours(turn: int) -> float:
            return isolated.run(asking.get_rate, url, stored, count, venue.folder / f"concurrent-{turn}")

        def theirs(_turn: int) -> float:
            return isolated.run(asking.echo_rate, url, stored, count)

        return alternate(venue.turns(5), ours, theirs)


BENCHMARK: Final = Benchmark(
    name="get_concurrent",
    ours=f"client.get of a system with SQLite and Redis, {asking.IN_FLIGHT} in flight",
    theirs=f"direct reply-to echo by a process of its own, {asking.IN_FLIGHT} in flight",
    unit="gets/s",
    target=2.0,
    measure=measure,
)
