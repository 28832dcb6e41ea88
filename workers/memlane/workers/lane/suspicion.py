"""Which messages may have ended a worker's process: those that came back too often for no reason known here.

The broker counts how often it had to deliver a message again (`x-delivery-count`). A worker that lives knows
what it gave back itself, when it paused or lost its connection: that says nothing against a message.
"""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from aiormq.abc import DeliveredMessage

DELIVERY_COUNT: Final = "x-delivery-count"

SUSPECT_AFTER: Final = 5
"""A message of the lane that came back so often is tried alone, away from its neighbours."""

POISON_AFTER: Final = 3
"""One that came back so often although it was alone is parked."""

MAX_REMEMBERED: Final = 20_000
"""Messages that were given back; the oldest are forgotten first."""


class Suspicion:
    """Counts for whom a message came back: for its own sake, or for the worker's."""

    def __init__(self) -> None:
        self._given_back: OrderedDict[int, int] = OrderedDict()

    def gave_back(self, messages: Iterable[DeliveredMessage]) -> None:
        """Notes messages that this worker, which lives, leaves to be delivered again."""
        for message in messages:
            key = _key(message)
            self._given_back[key] = self._given_back.pop(key, 0) + 1
        while len(self._given_back) > MAX_REMEMBERED:
            self._given_back.popitem(last=False)

    def times_back(self, message: DeliveredMessage) -> int:
        """How often a message came back without a reason that is known here."""
        if not message.redelivered:
            return 0
        count = (message.header.properties.headers or {}).get(DELIVERY_COUNT)
        if not isinstance(count, int):
            return 0
        return max(0, count - self._given_back.get(_key(message), 0))


def _key(message: DeliveredMessage) -> int:
    """The same for every delivery of a message, and hardly ever that of another one."""
    return hash((message.header.properties.message_id, message.body))
