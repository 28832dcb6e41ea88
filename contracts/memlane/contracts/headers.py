"""AMQP headers: scalars only, because a stream drops lists and tables."""

from typing import Final

ATTEMPT: Final = "attempt"
"""How often a lane has tried this message: an integer, absent before the first retry."""

FIRST_SEEN: Final = "first-seen"
"""When a lane first failed at it: RFC 3339 text."""

ERROR_CLASS: Final = "error-class"
ERROR_TEXT: Final = "error-text"
"""At most 1 KiB of UTF-8."""

ORIGIN_LANE: Final = "origin-lane"
"""The sink whose lane parked or delayed it."""

PRINCIPAL: Final = "principal"
"""Whose command it is, as a worker found out; believed only from worker accounts. Empty: nobody's."""

ON_BEHALF_OF: Final = "on_behalf_of"
"""For whom a gateway acts: an account. Honoured for listed gateways only."""

REPAIR: Final = "repair"
"""True: another sink holds these commands, so they are taken below a sink's floor as well; believed only from
worker accounts."""

MARK: Final = "mark"
"""Of a message that says nothing else: a reader wrote it into a stream, to know where that ended then."""

TRACEPARENT: Final = "traceparent"
"""W3C trace context, handed on as it is."""

DIRECT_REPLY_TO: Final = "amq.rabbitmq.reply-to"
"""RabbitMQ's pseudo-queue for replies."""

REPLY_TO_PREFIX: Final = "amq.rabbitmq.reply-to."
"""What the broker makes of it; any other `reply_to` is refused."""
