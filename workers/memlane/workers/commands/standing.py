"""`memlane sink pause|resume|level`: how a sink stands, said to all workers."""

import click
from aio_pika.abc import AbstractConnection

from memlane.contracts.standing import Event, Standing
from memlane.producers.broker.connection import user_of
from memlane.producers.broker.publisher import Publisher
from memlane.producers.broker.standings import say, standings_now
from memlane.producers.cli.broker import with_broker
from memlane.producers.cli.options import settings_from
from memlane.producers.cli.said import broker_options
from memlane.producers.settings import BrokerSettings
from memlane.workers.commands.naming import check_sink


@click.command()
@click.argument("name", metavar="SINK")
@click.option("--reason", default="", help="Shown to whoever asks why.")
@broker_options
def pause(name: str, reason: str) -> None:
    """Stop all lanes of SINK, everywhere, until it is resumed.

    Its commands wait in their queue; other sinks, and questions, go on. Workers that start later wait, too.
    """
    _say(name, "paused", reason)
    click.echo(f"{name}: paused; `memlane sink resume {name}` ends it", err=True)


@click.command()
@click.argument("name", metavar="SINK")
@broker_options
def resume(name: str) -> None:
    """Let the lanes of SINK go on where they stopped."""
    before = _say(name, "resumed")
    was = "goes on" if before.paused else "was not paused"
    click.echo(f"{name}: {was}", err=True)


@click.command()
@click.argument("name", metavar="SINK")
@broker_options
def level(name: str) -> None:
    """Say that SINK holds what it should, so that it is asked again.

    For a sink that is rebuilding, and that you filled yourself: workers say so when they have.
    """
    before = _say(name, "level")
    was = "is asked again" if before.rebuilding else "was not rebuilding"
    click.echo(f"{name}: {was}", err=True)


def _say(name: str, event: Event, reason: str = "") -> Standing:
    """Says it, and returns how the sink stood before."""
    settings = settings_from(BrokerSettings)
    check_sink(settings, name)

    async def work(connection: AbstractConnection) -> Standing:
        before = (await standings_now(connection))[name]
        account = user_of(settings.url)
        publisher = await Publisher.open(connection, user_id=account)
        await say(publisher, name, event, reason=reason, by=account)
        return before

    return with_broker(settings, f"sink {event}", work)
