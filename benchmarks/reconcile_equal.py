"""A round of the reconciler over two sinks that hold the same, by how much they hold."""

from typing import Final

from benchmarks import isolated
from benchmarks.comparing import Benchmark, Comparison, by_size
from benchmarks.filled import filled
from benchmarks.reconciling import equal_rounds
from benchmarks.venue import SINKS, Venue


def measure(venue: Venue) -> Comparison:
    """See `BENCHMARK`."""
    stores = filled(venue)
    with venue.topology(SINKS):
        turns = [isolated.run(equal_rounds, venue.amqp_url, stores) for _ in range(venue.turns(5))]
    return by_size(turns)


BENCHMARK: Final = Benchmark(
    name="reconcile_equal",
    ours="a round of the reconciler: SQLite and Redis hold the same million entries (--quick: 100,000)",
    theirs="the same with 10,000 entries",
    unit="ms",
    target=1.5,
    less_is_better=True,
    measure=measure,
)
