"""What `MemoryClient.health` says."""

from dataclasses import dataclass, field

from memlane.contracts.reply import SinkStatus
from memlane.producers.outbox.status import OutboxStatus


@dataclass(frozen=True, slots=True)
class Health:
    """How the system looks from a client.

    Attributes:
        broker: whether there is a connection to RabbitMQ.
        sinks: how each sink answered; empty where no aggregator did.
        blocked: why the broker takes no messages (an alarm); None where it does, as far as it has said.
        outbox: what waits in the outbox; None where its file can't be read.
    """

    broker: bool
    sinks: dict[str, SinkStatus] = field(default_factory=dict)
    blocked: str | None = None
    outbox: OutboxStatus | None = field(default_factory=OutboxStatus)

    @property
    def healthy(self) -> bool:
        """Whether the broker and all sinks are well. What waits in the outbox does not count."""
        sinks = bool(self.sinks) and all(status == "ok" for status in self.sinks.values())
        return self.broker and self.blocked is None and self.outbox is not None and sinks
