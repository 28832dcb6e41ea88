"""What is to be done to which parked messages: found out before anything is done."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from aio_pika.abc import AbstractConnection

from memlane.contracts.errors import VersionFromFuture
from memlane.producers.cli.dead.letters import Letter, read_letter
from memlane.producers.cli.dead.reading import reading
from memlane.producers.cli.dead.selection import Selection
from memlane.producers.cli.progress import OnProgress


@dataclass(slots=True)
class Plan:
    """The messages that are meant, without their bodies.

    Made before the first of them is touched: what is parked later is in no plan, also when it is the very
    command that was retried and has failed once more. So that is never taken for a copy of the old one.

    Attributes:
        left: how many messages with a key are still to be taken out of the queue.
        errors: how many distinct messages there are of each class of error.
        messages: distinct ones.
        commands: in them.
        copies: messages in the queue, copies counted.
        parked: messages in the queue, meant or not.
        from_future: versions of the commands among them that were parked for being from the future.
    """

    left: Counter[bytes] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    messages: int = 0
    commands: int = 0
    copies: int = 0
    parked: int = 0
    from_future: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Group:
    """The copies of one message."""

    error: str
    parked: str
    commands: int
    from_future: tuple[str, ...] = ()
    keys: list[bytes] = field(default_factory=list)
    meant: bool = False


async def survey(
    connection: AbstractConnection,
    sink: str,
    selection: Selection,
    now: datetime,
    *,
    limit: int | None = None,
    on_progress: OnProgress = lambda _done, _all: None,
) -> Plan:
    """Reads the queue once, and leaves it as it is. A message is meant where any of its copies is.

    Args:
        connection: to the broker.
        sink: whose queue.
        selection: which are meant.
        now: the instant that ages count from.
        limit: the most distinct messages, the oldest first.
        on_progress: told of each message that was read.

    Raises:
        NotFound: there is no such queue.
        BrokerUnreachable: the connection was lost.
    """
    groups: dict[bytes, _Group] = {}
    read = 0
    async with reading(connection, sink) as found:
        async for message in found:
            letter = read_letter(message, sink)
            _add(groups, letter, meant=selection.takes(letter, now))
            read += 1
            on_progress(read, found.total)
    meant = sorted((group for group in groups.values() if group.meant), key=lambda group: group.parked)
    return _plan(meant[:limit], read)


def _add(groups: dict[bytes, _Group], letter: Letter, *, meant: bool) -> None:
    versions = (
        tuple(one.version for one in letter.commands) if letter.error == VersionFromFuture.__name__ else ()
    )
    group = groups.setdefault(
        letter.identity, _Group(letter.error, letter.parked, len(letter.commands), versions)
    )
    group.keys.append(letter.key)
    if meant and not group.meant:
        group.meant, group.error = True, letter.error


def _plan(groups: list[_Group], parked: int) -> Plan:
    plan = Plan(messages=len(groups), parked=parked)
    for group in groups:
        plan.errors[group.error] += 1
        plan.commands += group.commands
        plan.copies += len(group.keys)
        plan.left.update(group.keys)
        plan.from_future.update(group.from_future)
    return plan
