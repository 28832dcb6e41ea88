"""`memlane topology`."""

from dataclasses import replace

import click
from aio_pika.abc import AbstractConnection

from memlane.contracts.errors import TopologyMismatch
from memlane.contracts.topology import Exchange, Queue, Topology
from memlane.producers.broker.declare import apply_topology, missing
from memlane.producers.cli.broker import topology_of, with_broker
from memlane.producers.cli.client import finish
from memlane.producers.cli.exit_codes import FAILED
from memlane.producers.cli.options import settings_from
from memlane.producers.cli.output import as_json, note, write, write_record, write_table
from memlane.producers.cli.said import broker_options, json_option
from memlane.producers.settings import BrokerSettings


@click.group()
def topology() -> None:
    """Show, make or check the exchanges and queues on the broker."""


@topology.command()
@json_option
def show() -> None:
    """Show everything that this deployment has on the broker. Asks nobody.

    Elsewhere than on a terminal a line each: name, kind, arguments, what it is bound to, purpose, with tabs
    between them.
    """
    wanted = topology_of(settings_from(BrokerSettings))
    rows = [_cells(item) for item in _items(wanted)]
    if as_json():
        for name, kind, arguments, bound_to, purpose in rows:
            record = {
                "name": name,
                "kind": kind,
                "arguments": arguments,
                "bound_to": bound_to,
                "purpose": purpose,
            }
            write_record(record)  # fmt: skip
        return
    columns = ("name", "kind", "arguments", "bound to", "purpose")
    write_table(columns, [(n, k, _arguments(a), b or "", p) for n, k, a, b, p in rows])


@topology.command()
@broker_options
def apply() -> None:
    """Make whatever is not there yet. What is there with other arguments is an error, and stays."""
    settings = settings_from(BrokerSettings)
    wanted = topology_of(settings)

    async def work(connection: AbstractConnection) -> list[str]:
        absent = await missing(connection, wanted)
        await apply_topology(connection, wanted)
        return absent

    made = with_broker(settings, "topology apply", work)
    if as_json():
        write_record({"made": made})
    else:
        write("\n".join(f"made {name}" for name in made) or "everything was there")


@topology.command()
@broker_options
def check() -> None:
    """Check that everything is there, with the right arguments. Changes nothing; exit code 1 if not."""
    settings = settings_from(BrokerSettings)
    wanted = topology_of(settings)
    problems = with_broker(settings, "topology check", lambda connection: _problems(connection, wanted))
    if as_json():
        write_record({"ok": not problems, "problems": problems})
    else:
        for problem in problems:
            write(problem)
        if not problems:
            write(f"all {len(_items(wanted))} exchanges and queues are there, as they should be")
    if problems:
        note(
            "to do: `memlane topology apply` makes what is missing; "
            "what differs must be drained and deleted first"
        )
        finish(FAILED)


async def _problems(connection: AbstractConnection, wanted: Topology) -> list[str]:
    absent = await missing(connection, wanted)
    problems = [f"{name} is missing" for name in absent]
    for item in _items(wanted):
        if item.name not in absent:
            try:
                # Of what is there, a declaration is only a comparison; the binding is left out.
                await apply_topology(connection, _alone(item))
            except TopologyMismatch as error:
                problems.append(" ".join(error.message.split()))
    return problems


def _alone(item: Exchange | Queue) -> Topology:
    if isinstance(item, Exchange):
        return Topology((item,), ())
    return Topology((), (replace(item, bound_to=None),))


def _items(wanted: Topology) -> list[Exchange | Queue]:
    return [*wanted.exchanges, *wanted.queues]


def _cells(item: Exchange | Queue) -> tuple[str, str, dict[str, str | int], str | None, str]:
    if isinstance(item, Exchange):
        return item.name, f"{item.kind} exchange", {}, None, item.purpose
    kind = item.kind if item.kind == "stream" else f"{item.kind} queue"
    return item.name, kind, item.arguments, item.bound_to, item.purpose


def _arguments(arguments: dict[str, str | int]) -> str:
    return ", ".join(f"{name}={value}" for name, value in arguments.items())
