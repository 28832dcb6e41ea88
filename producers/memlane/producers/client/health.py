"""What `MemoryClient.health` says."""

from dataclasses import dataclass, field

from memlane.contracts.reply import SinkStatus


@dataclass(frozen=True, slots=True)
class Health:
    """How the system looks from a client.

    Attributes:
        broker: whether there is a connection to RabbitMQ.
        sinks: how each sink answered; empty where no aggregator did.
    """

    broker: bool
    sinks: dict[str, SinkStatus] = field(default_factory=dict)

    @property
    def healthy(self) -> bool:
        """Whether the broker and all sinks are well."""
        return self.broker and bool(self.sinks) and all(status == "ok" for status in self.sinks.values())
