"""How long a get takes, over the least that a question and its answer can take."""

from typing import Final

from benchmarks import asking, echo, isolated
from benchmarks.comparing import Benchmark, Comparison, alternate
from benchmarks.system import running_system
from benchmarks.venue import Venue


def measure(venue: Venue) -> Comparison:
    """See `BENCHMARK`."""
    count = venue.size(3000, 500)
    url = venue.amqp_url
    with running_system(venue) as stored, isolated.background(echo.responder, url):

        def ours(turn: int) -> float:
            return isolated.run(asking.get_p50, url, stored, count, venue.folder / f"latency-{turn}")

        def theirs(_turn: int) -> float:
            return isolated.run(asking.echo_p50, url, stored, count)

        return alternate(venue.turns(5), ours, theirs)


BENCHMARK: Final = Benchmark(
    name="get_latency",
    ours="client.get of a system with SQLite and Redis, one at a time: p50",
    theirs="direct reply-to echo by a process of its own, one at a time: p50",
    unit="ms",
    target=3.0,
    less_is_better=True,
    measure=measure,
)
