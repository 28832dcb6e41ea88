"""What a client wrote lately, so that it reads its own writes."""

from collections import OrderedDict
from typing import Final

from memlane.contracts.address import Address
from memlane.contracts.identifiers import namespace_ancestors

MAX_REMEMBERED: Final = 10_000
"""Addresses, and likewise scopes; the oldest are forgotten first."""

Place = tuple[str, str | None, str | None]


class RecentWrites:
    """The newest version that this client wrote, by address and by deleted scope."""

    def __init__(self, most: int = MAX_REMEMBERED) -> None:
        self._most = most
        self._versions: OrderedDict[Place, str] = OrderedDict()

    def wrote(self, version: str, user_id: str, namespace: str | None = None, key: str | None = None) -> None:
        """Notes a write to an address, or (without key or namespace) a delete of a scope."""
        place = (user_id, namespace, key)
        self._versions[place] = max(version, self._versions.pop(place, ""))
        if len(self._versions) > self._most:
            self._versions.popitem(last=False)

    def min_version(self, address: Address) -> str | None:
        """An answer about this address that is older than that is not the latest."""
        if not self._versions:
            return None
        user_id = address.user_id
        places: list[Place] = [(user_id, address.namespace, address.key), (user_id, None, None)]
        places += [(user_id, namespace, None) for namespace in namespace_ancestors(address.namespace)]
        return max((found for place in places if (found := self._versions.get(place))), default=None)
