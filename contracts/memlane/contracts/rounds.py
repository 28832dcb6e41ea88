"""What a round of the reconciler found, for whoever asks: `memlane status`, and the workers themselves.

A message to the stream `memlane.rounds.v1`, one a round.
"""

from typing import Literal

from pydantic import Field, TypeAdapter

from memlane.contracts.fields import WireModel
from memlane.contracts.instants import Instant

Part = Literal["source", "rebuilding", "skipped", "unavailable"]
"""How a sink took part. `source`: it was compared with the others. `rebuilding`: likewise, but what it holds
does not count for the others. `skipped`: its lane lags, or is paused."""


class SinkRound(WireModel):
    """What a round found out about one sink.

    Of the addresses (and scopes of deletes) at which another sink holds something newer, or anything at all:
    """

    part: Part
    reason: str = Field(default="", description="Why it was not compared.")
    incarnation: str | None = Field(default=None, description="Which store it was.")
    changes: int | None = Field(default=None, description="How far that had come.")
    rows: int | None = Field(default=None, description="How many rows and marks it held, before.")
    lacked: int = Field(default=0, description="How many it lacked.")
    repaired: int = Field(default=0, description="How many of them it has decided since.")
    waiting: int = Field(default=0, description="How many were sent to its lane, and are not decided yet.")
    parked: int = Field(default=0, description="How many it has parked: they are not sent again.")
    unreadable: int = Field(default=0, description="How many no sink has the content of.")
    gave: int = Field(default=0, description="How many others got from it.")
    damaged: int = Field(default=0, description="Rows that were changed behind memlane's back.")

    @property
    def is_level(self) -> bool:
        """Whether it has all that the sources hold, as far as it takes it."""
        return self.waiting == 0 and self.unreadable == 0 and self.lacked == self.repaired + self.parked


class RoundReport(WireModel):
    """One round."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    at: Instant = Field(description="When it began.")
    seconds: float
    full: bool = Field(default=False, description="Whether all buckets were recounted and compared.")
    dry_run: bool = False
    buckets: int = Field(default=0, description="How many buckets were compared row by row.")
    young: int = Field(default=0, description="Differences that were left to the lanes: they are too new.")
    sinks: dict[str, SinkRound]

    @property
    def differences(self) -> int:
        """Of all sinks."""
        return sum(sink.lacked for sink in self.sinks.values())


ROUND_REPORT: TypeAdapter[RoundReport] = TypeAdapter(RoundReport)
