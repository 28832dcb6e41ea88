"""Sending what waits in the outbox, now."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from memlane.producers.broker.connection import connect
from memlane.producers.broker.nodes import user_of
from memlane.producers.outbox.draining import Draining
from memlane.producers.outbox.outbox import Outbox
from memlane.producers.outbox.sending import send_waiting
from memlane.producers.settings import ClientSettings


async def flush(outbox: Outbox, settings: ClientSettings, targets: list[str], *, aside: bool) -> int:
    """Sends what waits for these targets to the broker of the settings; returns how many commands that were.

    Args:
        outbox: of this machine and user.
        settings: the broker's.
        targets: whose commands; another's go out under this account.
        aside: also what the broker refused before.

    Raises:
        BrokerUnreachable: nothing answers there, or no more.
        BrokerRefused: wrong credentials.
        PublishFailed: the broker does not take them now.
        OutboxFailed: the file can't be read or written.
    """
    sent = 0

    async def send(target: str) -> None:
        if aside:
            await outbox.run(lambda: outbox.file.take_back(target))
        draining = Draining(
            outbox,
            target,
            account=user_of(settings.url),
            app_id=f"memlane-{uuid4().hex[:12]}",
            confirm_timeout=settings.publish_timeout,
        )
        waiting = (await outbox.run(lambda: outbox.file.status(target))).waiting
        with _progress_bar(waiting) as advance:

            def on_sent(count: int) -> None:
                nonlocal sent
                sent += count
                advance(count)

            await send_waiting(outbox, target, draining, connection, on_sent=on_sent)

    async with await connect(settings.url, "memlane outbox flush") as connection:
        for target in targets:
            await send(target)
    return sent


@contextmanager
def _progress_bar(total: int) -> Iterator[Callable[[int], None]]:
    """A bar on stderr while it lasts, if that is a terminal. Yields what takes how many more were sent."""
    if not sys.stderr.isatty():
        yield lambda _count: None
        return
    columns = (TextColumn("sending"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as progress:
        task = progress.add_task("sending", total=total)
        yield lambda count: progress.update(task, advance=count)
