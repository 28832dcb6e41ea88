"""Who takes part in a round, and how: before anything is compared."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from memlane.contracts.fingerprint import BUCKETS
from memlane.contracts.reply import SinkDigests
from memlane.contracts.rounds import Part
from memlane.contracts.standing import Standing
from memlane.storage.errors import SinkUnavailable
from memlane.workers.sink_reader import SinkReader

MAX_BACKLOG: Final = 1000
"""Messages in a lane; with more it lags, and what it lacks is on its way."""


@dataclass(frozen=True, slots=True)
class Participant:
    """A sink in a round.

    Attributes:
        sink: its name.
        part: how it takes part.
        reason: why not.
        digests: of its buckets; None where it takes no part.
    """

    sink: str
    part: Part
    reason: str = ""
    digests: SinkDigests | None = None

    @property
    def rows(self) -> int | None:
        """How many rows and marks it holds."""
        return None if self.digests is None else sum(self.digests.counts)


def highest_floor(taking_part: Sequence[Participant]) -> str | None:
    """The version below which some of them may have forgotten deletes; None where all keep them."""
    floors = (one.digests.floor for one in taking_part if one.digests is not None)
    return max((floor for floor in floors if floor is not None), default=None)


async def participants(
    reader: SinkReader,
    sinks: Sequence[str],
    standings: Mapping[str, Standing],
    backlogs: Mapping[str, int | None],
) -> list[Participant]:
    """How each sink takes part: those that can are asked for their digests.

    Args:
        reader: of the sinks.
        sinks: all of the deployment.
        standings: of those that something was said about.
        backlogs: messages that wait for each; None where it has no lane.
    """
    return await asyncio.gather(
        *(_participant(reader, sink, standings[sink], backlogs[sink]) for sink in sinks)
    )


def differing(taking_part: Sequence[Participant]) -> list[int]:
    """The buckets in which not all digests are equal."""
    found = [one.digests for one in taking_part if one.digests is not None]
    columns = zip(*(zip(of.counts, of.sums, strict=True) for of in found), strict=True)
    return [bucket for bucket, digests in zip(range(BUCKETS), columns, strict=True) if len(set(digests)) > 1]


async def _participant(reader: SinkReader, sink: str, standing: Standing, backlog: int | None) -> Participant:
    if standing.paused is not None:
        return Participant(sink, "skipped", "its lane is paused")
    if standing.cut_off is not None:
        return Participant(sink, "skipped", "its lane is cut off")
    if backlog is None:
        return Participant(sink, "unavailable", "it has no lane")
    if backlog > MAX_BACKLOG:
        return Participant(sink, "skipped", f"its lane lags: {backlog:,} messages wait")
    try:
        digests = await reader.digests(sink)
    except SinkUnavailable as error:
        return Participant(sink, "unavailable", str(error)[:500])
    return Participant(sink, "rebuilding" if standing.rebuilding else "source", digests=digests)
