"""`python -m benchmarks [NAME …] [--quick]`."""

import signal
import sys
from typing import Final

import click

from benchmarks import (
    apply_batched,
    apply_single,
    get_concurrent,
    get_latency,
    growth,
    mcp_apply,
    mcp_broken,
    peer_write,
    reconcile_diff,
    reconcile_equal,
    replay,
    report,
    store_concurrent,
)
from benchmarks.comparing import Benchmark, BenchmarkFailed, Result
from benchmarks.isolated import ChildFailed
from benchmarks.venue import open_venue

_ALL: Final[tuple[Benchmark, ...]] = (
    *(
        module.BENCHMARK
        for module in (
            apply_batched,
            apply_single,
            store_concurrent,
            get_latency,
            get_concurrent,
            peer_write,
            mcp_apply,
            mcp_broken,
            reconcile_equal,
            reconcile_diff,
            replay,
        )
    ),
    *growth.BENCHMARKS,
)
BENCHMARKS: Final = {benchmark.name: benchmark for benchmark in _ALL}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHMARKS)), metavar="[NAME]...")
@click.option("--quick", is_flag=True, help="About a tenth of the work: a first look, not a result.")
def main(names: tuple[str, ...], quick: bool) -> None:
    """Compare memlane with what it is made of, and with a peer. Without a NAME: everything.

    Prints a table and writes benchmarks/results.json.
    """
    # As an exception, so that servers and the system under test are ended, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    chosen = [BENCHMARKS[name] for name in names] or list(BENCHMARKS.values())
    results = []
    with open_venue(quick=quick) as venue:
        for benchmark in chosen:
            click.echo(f"{benchmark.name} …", err=True)
            try:
                results.append(Result(benchmark, benchmark.measure(venue)))
            except (BenchmarkFailed, ChildFailed) as error:
                sys.exit(f"error: {benchmark.name}: {error}")
            click.echo(f"{benchmark.name}: {results[-1].ratio:.2f}", err=True)
            report.write(results, venue)
        report.show(results)


if __name__ == "__main__":
    main()
