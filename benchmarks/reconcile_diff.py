"""A round of the reconciler that finds and repairs 100 addresses, by how much the sinks hold."""

from typing import Final

from benchmarks import isolated
from benchmarks.comparing import Benchmark, Comparison, by_size
from benchmarks.filled import filled
from benchmarks.reconciling import DIFFERING, differing_rounds
from benchmarks.venue import SINKS, Venue


def measure(venue: Venue) -> Comparison:
    """See `BENCHMARK`."""
    stores = filled(venue)
    with venue.topology(SINKS):
        turns = [
            isolated.run(differing_rounds, venue.amqp_url, stores, turn) for turn in range(venue.turns(3))
        ]
    return by_size(turns)


BENCHMARK: Final = Benchmark(
    name="reconcile_diff",
    ours=f"{DIFFERING} differing addresses among a million (--quick: 100,000): found, repaired, decided",
    theirs="the same among 10,000",
    unit="ms",
    target=3.0,
    less_is_better=True,
    measure=measure,
)
