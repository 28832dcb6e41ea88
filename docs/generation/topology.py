"""The table of everything that memlane has on a broker."""

from collections.abc import Mapping
from typing import Final

from docs.generation.markdown import code, generated, page, table
from memlane.contracts.topology import Argument, Exchange, Queue, topology

SINKS: Final = ("sqlite", "redis")


def topology_page() -> str:
    """The page."""
    found = topology(SINKS)
    names = " and ".join(map(code, SINKS))
    return page(
        "# Topology",
        generated("`contracts/memlane/contracts/topology.py`"),
        f"Everything that memlane declares on a RabbitMQ broker, here for the sinks {names}. It works "
        "unchanged on RabbitMQ 3.10 to 4.x. Every worker declares all of it at its start. What is there "
        "already with other arguments is an error at start, which names the queue and the argument. A change "
        "to a queue's arguments is a new version of its name (`.v1`, `.v2`).",
        "A bot declares nothing: see [wire-format.md](wire-format.md) for the rights that its account needs.",
        "## Exchanges",
        table(("name", "kind", "for"), map(_exchange_row, found.exchanges)),
        "All durable.",
        "## Queues",
        table(("name", "kind", "bound to", "arguments", "for"), map(_queue_row, found.queues)),
        "All durable. The kind is the argument `x-queue-type`. A queue that is bound to no exchange gets its "
        "messages by its name.",
        "Age and size of the log, and the delays of the retry queues, are settings: `MEMLANE_LOG_AGE`, "
        "`MEMLANE_LOG_BYTES` and `MEMLANE_RETRY_DELAYS` in [configuration.md](configuration.md). The log's "
        "are arguments of its queue: to change them later, delete the queue first. A new delay is a new "
        "queue; the old one stays until somebody deletes it.",
    )


def _exchange_row(exchange: Exchange) -> tuple[str, ...]:
    return code(exchange.name), exchange.kind, exchange.purpose


def _queue_row(queue: Queue) -> tuple[str, ...]:
    bound_to = code(queue.bound_to) if queue.bound_to else ""
    return code(queue.name), queue.kind, bound_to, _arguments(queue.arguments), queue.purpose


def _arguments(arguments: Mapping[str, Argument]) -> str:
    return "<br>".join(code(f"{name}={value}") for name, value in arguments.items())
