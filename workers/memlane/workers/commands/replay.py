"""`memlane replay`."""

import time
from collections.abc import Callable

import click
from aio_pika.abc import AbstractConnection

from memlane.producers.cli.broker import with_broker
from memlane.producers.cli.exit_codes import DONE, FAILED
from memlane.producers.cli.output import as_json, note, write_record
from memlane.producers.cli.progress import progress
from memlane.producers.cli.said import broker_options
from memlane.workers.commands.naming import check_sink
from memlane.workers.commands.reconcile import one_round
from memlane.workers.commands.round_shown import Differences, exit_code_of, show_round
from memlane.workers.commands.running import worker_settings
from memlane.workers.rebuilder.backfill import Progress
from memlane.workers.reconciler.round import Manner
from memlane.workers.replay import Replay, ReplayReport, Wanted
from memlane.workers.settings import WorkerSettings


@click.command()
@click.argument("sink")
@click.option("--from", "begin", required=True, metavar="WHERE", help="first, 1h, an instant, or an offset.")
@click.option("--until", metavar="WHERE", help="Up to there, exclusively; up to now where it is not said.")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="The most commands a second.")
@click.option("--restart", is_flag=True, help="Begin anew, also where an earlier run was broken off.")
@broker_options
def replay(*, sink: str, begin: str, until: str | None, rate: float | None, restart: bool) -> None:
    """Send what the command log has to the lane of SINK, once more.

    It changes nothing that SINK has decided already, and revives nothing. Live traffic goes on meanwhile.

    A time means the chunk of the log that was written then: somewhat more is sent than asked for.

    A run that was broken off goes on where it was, when the same is asked for again. A second one at the same
    time is refused. Where retention has cut off what was asked for, that is said, and a full round of the
    reconciler brings the rest from the other sinks.
    """
    settings = worker_settings()
    check_sink(settings, sink)
    wanted = Wanted(begin=begin, until=until, rate=rate)
    code = with_broker(settings, "replay", lambda found: _replay(found, sink, wanted, settings, restart))
    raise click.exceptions.Exit(code)


async def _replay(
    connection: AbstractConnection, sink: str, wanted: Wanted, settings: WorkerSettings, restart: bool
) -> int:
    started = time.monotonic()
    with progress(f"replaying to {sink}") as told:
        one = Replay(sink, wanted, settings)
        report = await one.run(connection, restart=restart, on_progress=_in_offsets(told))
    _show(sink, report, time.monotonic() - started)
    code = FAILED if report.progress.parked else DONE
    if not report.gap:
        return code
    note("the log does not go back so far: what is missing is fetched from the other sinks")
    manner = Manner(grace=settings.reconcile_grace, full=True)
    found = await one_round(connection, settings, manner, Differences(0))
    show_round(found)
    return code or exit_code_of(found)


def _in_offsets(told: Callable[[int, int], None]) -> Callable[[Progress], None]:
    """Progress as so many messages of so many."""
    begin: int | None = None

    def tell(now: Progress) -> None:
        nonlocal begin
        if begin is None:
            begin = now.first_offset
        if begin is not None and now.end_offset is not None:
            told((now.offset or begin) - begin, now.end_offset - begin)

    return tell


def _show(sink: str, report: ReplayReport, seconds: float) -> None:
    done = report.progress
    if as_json():
        write_record(
            {
                "sink": sink,
                "commands": done.commands,
                "messages": done.messages,
                "parked": done.parked,
                "resumed_at": report.resumed_at,
                "end_offset": done.end_offset,
                "gap": report.gap,
                "levelled": report.levelled,
                "seconds": round(seconds, 3),
            }
        )
        return
    resumed = "" if report.resumed_at is None else f", from offset {report.resumed_at:,} on"
    note(f"{sink}: {done.commands:,} commands decided in {seconds:.1f} s{resumed}")
    if done.parked:
        note(f"parked among them: {done.parked:,} (memlane dead list {sink})")
    if report.levelled:
        note(f"{sink} holds what it should, and is asked again")
