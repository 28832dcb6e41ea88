"""The reports of the reconciler's rounds, in the stream `memlane.rounds.v1`: writing and reading them."""

import asyncio
from contextlib import suppress
from typing import Final

from aio_pika.abc import AbstractConnection

from memlane.contracts.canonical import parse
from memlane.contracts.errors import InvalidInput
from memlane.contracts.rounds import ROUND_REPORT, RoundReport
from memlane.contracts.topology import ROUNDS
from memlane.contracts.validation import validate
from memlane.producers.broker.publisher import DEFAULT_EXCHANGE, Publisher
from memlane.producers.broker.stream import read_stream

FIRST_SECONDS: Final = 1.0
NEXT_SECONDS: Final = 0.1
"""Between messages of one chunk, which come together."""


async def report_round(publisher: Publisher, report: RoundReport) -> None:
    """Tells of a round.

    Raises:
        BrokerError: it could not be published.
    """
    body = report.model_dump_json(by_alias=True).encode()
    await publisher.publish(DEFAULT_EXCHANGE, ROUNDS, body)


async def last_round(connection: AbstractConnection) -> RoundReport | None:
    """The report of the last round; None where there was none of late.

    Raises:
        BrokerError: the broker ends the reading.
        AMQPException: the stream can't be read.
    """
    # Nothing else is ever in the stream, so its last chunk holds a report.
    found: RoundReport | None = None
    async with read_stream(connection, ROUNDS, "last") as reader:
        seconds = FIRST_SECONDS
        with suppress(TimeoutError):
            while True:
                async with asyncio.timeout(seconds):
                    message = await reader.next()
                found = _report_of(message.body) or found
                seconds = NEXT_SECONDS
    return found


def _report_of(body: bytes) -> RoundReport | None:
    try:
        return validate(ROUND_REPORT, parse(body), by_name=False)
    except InvalidInput:  # of another version of memlane
        return None
