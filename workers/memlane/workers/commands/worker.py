"""`memlane worker`: one role alone, in any number of processes."""

import click

from memlane.workers.commands.running import run_plan, worker_settings
from memlane.workers.service import Plan


@click.group()
def worker() -> None:
    """Run one role alone; start as many as you need."""


def _run(role: str, sink: str) -> None:
    run_plan(Plan(sink_roles=(role,), sinks=(sink,)), worker_settings())


@worker.command()
@click.argument("sink")
def lane(sink: str) -> None:
    """Apply the commands of SINK."""
    _run("lane", sink)


@worker.command()
@click.argument("sink")
def responder(sink: str) -> None:
    """Answer questions from SINK."""
    _run("responder", sink)


@worker.command()
@click.argument("sink", required=False)
def sweeper(sink: str | None) -> None:
    """Expire and purge in SINK, or in all sinks; make the scheduled backups.

    Any number may run: one of them makes the backups.
    """
    settings = worker_settings()
    run_plan(Plan(sink_roles=("sweeper",), sinks=(sink,) if sink else settings.sink_names), settings)


@worker.command()
@click.argument("sink")
def rebuilder(sink: str) -> None:
    """Notice when SINK's store was wiped; fill it from the command log where no other sink can."""
    _run("rebuilder", sink)


@worker.command()
def reconciler() -> None:
    """Compare the sinks by their responders, and repair them through their lanes."""
    run_plan(Plan(reconciler=True), worker_settings())


@worker.command()
def aggregator() -> None:
    """Answer clients' questions from all sinks' responders."""
    run_plan(Plan(aggregator=True), worker_settings())
