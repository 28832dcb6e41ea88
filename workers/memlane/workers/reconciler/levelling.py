"""When a sink that is rebuilding holds what it should, and when the others can't bring it there."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import structlog

from memlane.contracts.rounds import RoundReport, SinkRound
from memlane.contracts.standing import Notice, Standing
from memlane.producers import log_keys
from memlane.producers.broker.publisher import Publisher
from memlane.producers.broker.standings import say

log: Final = structlog.get_logger("memlane.reconciler")

PATIENCE: Final = timedelta(seconds=60)
"""So long the other sinks have to bring one level; then the command log is read."""


class Levelling:
    """Says after rounds which sinks are level.

    A round counts that began at least the grace period after the sink began to be rebuilt: by then the others
    have decided what it had decided, and lost.

    Args:
        grace: as of the rounds.
        by: the account that says so.
    """

    def __init__(self, grace: timedelta, by: str) -> None:
        self._grace = grace
        self._by = by
        self._first_try: dict[str, tuple[datetime, datetime]] = {}

    async def after(
        self, report: RoundReport, standings: Mapping[str, Standing], publisher: Publisher
    ) -> None:
        """Says what follows from a round. Raises as `say`."""
        has_source = any(one.part == "source" for one in report.sinks.values())
        for sink, one in report.sinks.items():
            since = standings[sink].rebuilding
            if since is None:
                continue
            if has_source and self._is_level(report, one, since, standings[sink]):
                await self._say_level(publisher, sink, one, since)
            elif not standings[sink].from_log and self._has_tried_enough(sink, since, report):
                await self._say_from_log(publisher, sink)

    def _is_level(self, report: RoundReport, one: SinkRound, since: Notice, standing: Standing) -> bool:
        return (
            one.part == "rebuilding"
            and one.is_level
            and report.at >= since.at + self._grace
            and standing.incarnation in {None, one.incarnation}
        )

    def _has_tried_enough(self, sink: str, since: Notice, report: RoundReport) -> bool:
        of, first = self._first_try.get(sink, (since.at, report.at))
        if of != since.at:
            of, first = since.at, report.at
        self._first_try[sink] = (of, first)
        return report.at - first >= PATIENCE

    async def _say_level(self, publisher: Publisher, sink: str, one: SinkRound, since: Notice) -> None:
        await say(publisher, sink, "level", by=self._by, incarnation=one.incarnation, ends=since.at)
        log.info("sink holds what it should", **{log_keys.SINK: sink, log_keys.COUNT: one.rows})

    async def _say_from_log(self, publisher: Publisher, sink: str) -> None:
        reason = "the other sinks could not bring it level"
        await say(publisher, sink, "from-log", by=self._by, reason=reason)
        line = "sink is filled from the command log: no other could bring it level"
        log.warning(line, **{log_keys.SINK: sink})
