"""Looking into a dead-letter queue, and leaving everything in it."""

from aio_pika.abc import AbstractConnection, AbstractIncomingMessage
from aio_pika.exceptions import ChannelNotFoundEntity

from memlane.contracts.topology import dead_queue
from memlane.producers.cli.dead.letters import Letter, read_letter
from memlane.producers.cli.errors import NotFound


async def browse(connection: AbstractConnection, sink: str, most: int) -> tuple[list[Letter], int]:
    """The oldest parked messages of a sink, and how many there are in all.

    They are taken without ack; closing the channel puts them back where they were. Meanwhile nobody else
    sees them, and each such look counts as a delivery: the queue's limit for those is a billion.

    Raises:
        NotFound: there is no such queue.
    """
    name = dead_queue(sink)
    channel = await connection.channel()
    try:
        queue = await channel.declare_queue(name, passive=True)
    except ChannelNotFoundEntity as error:
        raise NotFound(
            f"RabbitMQ has no queue {name}", hint="check the sink's name, or run `memlane topology apply`"
        ) from error
    try:
        total = queue.declaration_result.message_count or 0
        letters: list[Letter] = []
        while len(letters) < min(most, total):
            message: AbstractIncomingMessage | None = await queue.get(no_ack=False, fail=False)
            if message is None:
                break
            letters.append(read_letter(message, sink))
        return letters, total
    finally:
        await channel.close()
