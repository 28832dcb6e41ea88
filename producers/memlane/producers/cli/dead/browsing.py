"""Looking into a dead-letter queue, and leaving everything in it."""

from collections import Counter
from dataclasses import replace
from datetime import datetime

from aio_pika.abc import AbstractConnection
from aiormq.abc import DeliveredMessage

from memlane.producers.cli.dead.letters import Letter, read_letter
from memlane.producers.cli.dead.reading import reading
from memlane.producers.cli.dead.selection import Selection


async def browse(
    connection: AbstractConnection, sink: str, most: int, selection: Selection, now: datetime
) -> tuple[list[Letter], int, int]:
    """The oldest parked messages of a sink that are meant, each once with the number of its copies.

    The whole queue is read: its own order says little, as each look at it may change that.

    Returns:
        At most so many letters; how many distinct ones are meant; how many messages there are in all.

    Raises:
        NotFound: there is no such queue.
        BrokerUnreachable: the connection was lost.
    """
    kept: dict[bytes, Letter] = {}
    copies: Counter[bytes] = Counter()
    meant: set[bytes] = set()
    async with reading(connection, sink) as found:
        async for message in found:
            letter = read_letter(message, sink)
            copies[letter.identity] += 1
            if selection.takes(letter, now) and letter.identity not in meant:
                meant.add(letter.identity)
                kept[letter.identity] = letter
                if len(kept) > 2 * most:
                    kept = _oldest(kept, most)
    oldest = _oldest(kept, most).values()
    return [replace(one, copies=copies[one.identity]) for one in oldest], len(meant), found.total


def _oldest(letters: dict[bytes, Letter], most: int) -> dict[bytes, Letter]:
    return {one.identity: one for one in sorted(letters.values(), key=lambda one: one.parked)[:most]}


async def find(
    connection: AbstractConnection, sink: str, selection: Selection, now: datetime
) -> list[tuple[Letter, DeliveredMessage]]:
    """The parked messages that are meant, whole; for selections that mean few.

    Raises:
        NotFound: there is no such queue.
        BrokerUnreachable: the connection was lost.
    """
    letters: list[tuple[Letter, DeliveredMessage]] = []
    async with reading(connection, sink) as found:
        async for message in found:
            letter = read_letter(message, sink)
            if selection.takes(letter, now):
                letters.append((letter, message))
    return letters
