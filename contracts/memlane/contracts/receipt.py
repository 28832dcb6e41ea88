"""Receipts: how far a command has come."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from memlane.contracts.fields import WireModel
from memlane.contracts.identifiers import Version

Decision = Literal["applied", "superseded", "parked"]
"""`superseded`: a newer version was there. `parked`: in the sink's dead-letter queue, with the reason."""


class SinkReceipt(WireModel):
    """What one lane decided about one command."""

    id: Version
    decision: Decision
    reason: str | None = Field(default=None, description="Why it was parked.")
    newer: Version | None = Field(default=None, description="The version that superseded it.")


class ReceiptEnvelope(WireModel):
    """A lane's message to a command's `reply_to`."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    sink: str
    receipts: Annotated[list[SinkReceipt], Field(min_length=1)]


RECEIPT_ENVELOPE: TypeAdapter[ReceiptEnvelope] = TypeAdapter(ReceiptEnvelope)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a producer gets for a command.

    Attributes:
        version: the command's id.
        confirmed: the broker has it: it will reach every sink.
        queued: it is in the outbox on this machine's disk, and goes to the broker from there.
        sinks: what each lane that was waited for decided; without an entry, or with None, it is pending.
    """

    version: str
    confirmed: bool
    queued: bool = False
    sinks: dict[str, SinkReceipt | None] = field(default_factory=dict)

    @property
    def applied(self) -> frozenset[str]:
        """The sinks that have applied it."""
        return frozenset(name for name, said in self.sinks.items() if said and said.decision == "applied")

    @property
    def pending(self) -> frozenset[str]:
        """The sinks that were waited for and have not decided yet."""
        return frozenset(name for name, said in self.sinks.items() if said is None)
