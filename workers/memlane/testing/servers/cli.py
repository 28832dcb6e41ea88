"""The command line: `python -m memlane.testing.servers up|down|run|status`."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from memlane.testing.servers.child import Child
from memlane.testing.servers.errors import ServerError
from memlane.testing.servers.finding import find, standard_sources
from memlane.testing.servers.found import Servers, Source
from memlane.testing.servers.probes import PROBES
from memlane.testing.servers.record import Record, recorded_source, stop_servers
from memlane.testing.servers.sources import cluster_source, without_password

FOLDER = Path(".memlane")
COMMAND_NOT_FOUND = 127  # as shells have it


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Find RabbitMQ and Redis, or start them privately, for memlane to run on.

    Looked for in this order: MEMLANE_AMQP_URL and MEMLANE_REDIS_URL, what `up` left running, a Docker engine,
    servers installed on this machine, the package manager. Run it in the project's folder: it keeps its state
    in .memlane there.
    """


@main.command()
@click.option(
    "--nodes",
    type=click.IntRange(2, 7),
    metavar="N",
    help="A private cluster of so many RabbitMQ nodes, started on this machine; its URL lists all of them.",
)
def up(nodes: int | None) -> None:
    """Find or start the servers, leave them running, and print their URLs for a shell to evaluate."""
    record = _record()
    with _errors_told(), record.alone():
        found, _ = find(_sources(record, detached=True, nodes=nodes))
        stop_servers(record.add(found.values()))
    servers = Servers.of(found)
    for name, value in servers.environment().items():
        click.echo(f"export {name}={value}")
    _tell(f"RabbitMQ is {servers.amqp_how}; Redis is {servers.redis_how}.")
    _tell("What was started stays up until `make services-down`.")


@main.command()
def down() -> None:
    """Stop what `up` started, and nothing else; the data stays."""
    record = _record()
    with _errors_told(), record.alone():
        stopped = stop_servers(record.read().values())
        record.clear()
    _tell(f"Stopped {' and '.join(stopped)}." if stopped else "Nothing was left running.")


@main.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(command: tuple[str, ...]) -> None:
    """Run COMMAND with the servers' URLs in its environment; stop afterwards what was started for it.

    Uses what `up` left running. Ends with the command's exit code.
    """
    if shutil.which(command[0]) is None:
        _tell(f"error: there is no command {command[0]!r}")
        sys.exit(COMMAND_NOT_FOUND)
    child = Child()
    with child.listening(), _errors_told():
        found, stop = find(_sources(_record()))
        try:
            code = child.run(command, {**os.environ, **Servers.of(found).environment()})
        finally:
            stop()
    sys.exit(code)


@main.command()
def status() -> None:
    """Show what `up` left running; exit code 1 where that is nothing, or does not answer."""
    found = _record().read()
    problems = {kind: PROBES[kind](server.url) for kind, server in found.items()}
    for kind, server in found.items():
        state = "answers" if problems[kind] is None else f"does not answer: {problems[kind]}"
        click.echo(f"{kind}  {without_password(server.url)}  {state}  ({server.how})")
    if not found:
        _tell("Nothing was left running. `make services` starts RabbitMQ and Redis.")
    sys.exit(0 if found and not any(problems.values()) else 1)


def _record() -> Record:
    return Record(Path.cwd() / FOLDER)


def _sources(record: Record, *, detached: bool = False, nodes: int | None = None) -> list[Source]:
    folder = record.file.parent / "servers"
    environment, *others = standard_sources(folder, tell=_tell, detached=detached, durable=True)
    if nodes is not None:
        recorded = recorded_source(record, check=PROBES, nodes=nodes)
        cluster = cluster_source(folder / f"rabbitmq-{nodes}", nodes, detached=detached)
        return [recorded, cluster, environment, *others]
    return [environment, recorded_source(record, check=PROBES), *others]


@contextmanager
def _errors_told() -> Iterator[None]:
    try:
        yield
    except ServerError as error:
        _tell(f"error: {error}")
        sys.exit(1)


def _tell(text: str) -> None:
    click.echo(text, err=True)
