"""One round of asking: the sinks, the deadline, the one instant, and how each sink took part."""

import time
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from memlane.contracts.query import AnyQuestion
from memlane.contracts.reply import SinkReply, SinkReport
from memlane.workers.aggregator.asking import Ask, Reputation

NOT_MISSING: Final = frozenset({"ok", "skipped", "rebuilding"})
"""How a sink may stand in an answer that is complete. What is rebuilding holds nothing that others do not."""


class Round:
    """The sinks' part in the answer to one message.

    Args:
        ask: puts questions to a sink.
        reputation: of whether a sink answers; shared over all rounds.
        quickness: of whether it answers as soon as a get would like; likewise.
        sinks: all of the deployment, preferred first.
        as_of: one instant for all sinks.
        deadline: by `time.monotonic()`.
        patience: seconds to wait for one sink before the next one is asked, too.
        rebuilding: those that lack commands: they are not asked.
    """

    def __init__(
        self,
        ask: Ask,
        reputation: Reputation,
        quickness: Reputation,
        *,
        sinks: Sequence[str],
        as_of: datetime,
        deadline: float,
        patience: float,
        rebuilding: Collection[str] = (),
    ) -> None:
        self.sinks = sinks
        self.reports: dict[str, SinkReport] = {}
        self._rebuilding = rebuilding
        self._ask = ask
        self._reputation = reputation
        self._quickness = quickness
        self._as_of = as_of
        self._deadline = deadline
        self._patience = patience
        self._asked_at: dict[str, float] = {}

    @property
    def seconds_left(self) -> float:
        """Until the deadline; never below zero."""
        return max(0.0, self._deadline - time.monotonic())

    @property
    def patience(self) -> float:
        """How long to wait for a sink when there is another one to ask."""
        return min(self._patience, self.seconds_left)

    def is_rebuilding(self, sink: str) -> bool:
        """Whether a sink is not asked, because it lacks commands."""
        return sink in self._rebuilding

    def quickest_first(self) -> list[str]:
        """The sinks in the order of preference, those after the others that were too slow lately."""
        at = time.monotonic()
        return sorted(self.sinks, key=lambda sink: not self._quickness.may_ask(sink, self.sinks, at))

    async def ask(self, sink: str, questions: Sequence[AnyQuestion], seconds: float) -> SinkReply:
        """Asks a sink, and notes how it answered. A sink that is known to be away is not waited for."""
        if seconds <= 0:
            reply = SinkReply(sink=sink, status="timeout", reason="the deadline had come")
            return self._note(reply, 0.0)
        if sink in self._rebuilding:
            reply = SinkReply(sink=sink, status="rebuilding", reason="it lacks commands, and is filled up")
            return self._note(reply, 0.0)
        if not self._reputation.may_ask(sink, self.sinks, time.monotonic()):
            reply = SinkReply(sink=sink, status="unavailable", reason="it did not answer lately")
            return self._note(reply, 0.0)
        self._asked_at[sink] = time.monotonic()
        asked = await self._ask(sink, questions, self._as_of, seconds)
        self._reputation.saw(sink, ok=asked.reply.status == "ok", now=time.monotonic())
        return self._note(asked.reply, asked.ms)

    def give_up(self, sink: str) -> None:
        """Notes that a sink was asked, and others were quicker. It may be well, and answer lists in time."""
        self._quickness.saw(sink, ok=False, now=time.monotonic())
        ms = round((time.monotonic() - self._asked_at.get(sink, self._deadline)) * 1000, 3)
        self._note(SinkReply(sink=sink, status="timeout", reason="others were quicker"), max(0.0, ms))

    def was_quick(self, sink: str) -> None:
        """Notes that a sink answered before another one had to."""
        self._quickness.saw(sink, ok=True, now=time.monotonic())

    def skip(self, sink: str) -> None:
        """Notes that a sink was not needed."""
        self.reports.setdefault(sink, SinkReport(status="skipped"))

    def _note(self, reply: SinkReply, ms: float) -> SinkReply:
        self.reports[reply.sink] = SinkReport(status=reply.status, ms=ms, reason=reply.reason)
        return reply
