"""A batch into a sink. One that fails is halved until the culprit is alone."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import structlog
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from memlane.contracts.command import AnyCommand
from memlane.producers import log_keys
from memlane.storage.errors import SinkBusy, SinkUnavailable
from memlane.storage.outcome import Outcome
from memlane.storage.sink import Sink
from memlane.workers.lane.breaker import check_health
from memlane.workers.lane.failures import FailureKind, kind_of

log: Final = structlog.get_logger("memlane.lane")

_FIRST_WAIT_SECONDS: Final = 0.05
_ATTEMPTS: Final = 3
"""Where the sink is only busy, a batch is tried so often at once."""


async def apply(
    sink: Sink, commands: Sequence[AnyCommand], now: datetime, *, repair: bool = False
) -> list[Outcome | Exception]:
    """Applies commands, and finds those that can't be. Arguments as of `Sink.apply`.

    Returns:
        For each command its outcome, or the error that it alone raises.

    Raises:
        SinkUnavailable: the backend is down, or stays busy; what was applied before is applied again later.
    """
    try:
        return list(await _apply_patiently(sink, commands, now, repair=repair))
    except SinkBusy as error:
        # No command is at fault, so none is retried or parked for it: the lane waits.
        raise SinkUnavailable(f"{error.message} (tried {_ATTEMPTS} times)", hint=error.hint) from error
    # Any other error is a fault of one of the commands: that is the sink's contract.
    except Exception as error:
        if kind_of(error) is FailureKind.OUTAGE:
            raise
        if len(commands) == 1:
            # A sink that is broken for everything says so to its health check.
            await check_health(sink)
            return [error]
        log.warning(
            "batch failed, halving it to find the command that is at fault",
            **{log_keys.SINK: sink.name, log_keys.COUNT: len(commands), log_keys.ERROR: type(error).__name__},
        )
    middle = len(commands) // 2
    halves = commands[:middle], commands[middle:]
    return [result for half in halves for result in await apply(sink, half, now, repair=repair)]


async def _apply_patiently(
    sink: Sink, commands: Sequence[AnyCommand], now: datetime, *, repair: bool
) -> list[Outcome]:
    try:
        return await sink.apply(commands, now, repair=repair)
    except SinkBusy:
        await asyncio.sleep(_FIRST_WAIT_SECONDS)
    retrying = AsyncRetrying(
        retry=retry_if_exception_type(SinkBusy),
        stop=stop_after_attempt(_ATTEMPTS - 1),
        wait=wait_exponential_jitter(multiplier=4 * _FIRST_WAIT_SECONDS, max=1),
        reraise=True,
    )
    outcomes: list[Outcome] = await retrying(sink.apply, commands, now, repair=repair)
    return outcomes
