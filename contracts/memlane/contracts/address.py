"""Where a thing is remembered."""

from typing import NamedTuple

from memlane.contracts.limits import DEFAULT_NAMESPACE


class Address(NamedTuple):
    """One place in a user's memory. Addresses of different users never meet."""

    user_id: str
    namespace: str
    key: str

    def __str__(self) -> str:
        place = self.key if self.namespace == DEFAULT_NAMESPACE else f"{self.namespace}/{self.key}"
        return f"{self.user_id}:{place}"
