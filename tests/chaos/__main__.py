"""`python -m tests.chaos`, which is `make chaos`."""

import asyncio
import logging
import secrets
import signal
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import click
import structlog
from rich.console import Console

from memlane.testing.mcp_servers import node
from tests.chaos.faults import FAULTS
from tests.chaos.figures import Figures
from tests.chaos.report import print_report
from tests.chaos.run import Run
from tests.chaos.schedule import Schedule
from tests.chaos.world import Size, World


@click.command()
@click.option("--minutes", type=float, help="For how long there are faults; without it, each kind once.")
@click.option("--seed", type=int, help="Of all choices; drawn and printed where it is not given.")
@click.option("--faults", help=f"Comma-separated; all of them where it is not given: {', '.join(FAULTS)}.")
@click.option("--producers", default=4, show_default=True, help="Processes that write.")
@click.option("--rate", default=300.0, show_default=True, help="Commands a second, of all together.")
@click.option(
    "--results",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".memlane/chaos"),
    show_default=True,
    help="Where the figures go, as JSON; after a failure, logs and journals as well.",
)
def main(
    *, minutes: float | None, seed: int | None, faults: str | None, producers: int, rate: float, results: Path
) -> None:
    """Write, overwrite and delete while everything breaks; then compare every sink with what was promised."""
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    # Whatever the drivers say of lost connections is what this is about.
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    seed = secrets.randbelow(1_000_000) if seed is None else seed
    kinds = _kinds(faults)
    figures = Figures(seed=seed, kinds=kinds, sinks=[], disk="")
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"seed {seed}; faults: {', '.join(kinds)}")
    results.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"seed-{seed}-", dir=results.resolve()))
    length = None if minutes is None else timedelta(minutes=minutes)
    size = Size(producers=producers, rate=rate)
    asyncio.run(_run(World(folder, seed, size), figures, length, console))
    figures.write(folder / "figures.json")
    print_report(figures, console)
    console.print(f"figures, logs and journals: {folder}")
    sys.exit(0 if figures.holds else 1)


async def _run(world: World, figures: Figures, length: timedelta | None, console: Console) -> None:
    def tell(line: str) -> None:
        console.print(line)
        console.file.flush()

    async with world:
        figures.sinks, figures.disk = list(world.sinks), world.disk.kind
        schedule = Schedule(figures.seed, figures.kinds)
        await Run(world, schedule, figures, tell).run(length)


def _kinds(faults: str | None) -> list[str]:
    named = list(FAULTS) if faults is None else faults.split(",")
    unknown = [kind for kind in named if kind not in FAULTS]
    if unknown:
        raise click.BadParameter(f"no such fault: {', '.join(unknown)}", param_hint="--faults")
    return [kind for kind in named if node() is not None or not FAULTS[kind].touches & {"mcp"}]


if __name__ == "__main__":
    main()
