"""What a change of rows and marks adds to the digests and to the counts, gathered over a batch."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from memlane.contracts.fingerprint import address_hash, bucket_of, weight
from memlane.storage.rows import Head, Kind, Mark, Scope

_NO_ROWS: Final = dict.fromkeys(Kind, 0)


def scope_bucket(scope: Scope) -> int:
    """The bucket of a scope mark."""
    return bucket_of(address_hash(scope.user_id, scope.namespace or ""))


@dataclass(slots=True)
class UserDelta:
    """What changes for one user: rows and marks, the sum of their weights, and the rows by kind."""

    count: int = 0
    sum: int = 0
    marks: int = 0
    kinds: dict[Kind, int] = field(default_factory=_NO_ROWS.copy)


@dataclass(slots=True)
class Tally:
    """The changes of one transaction, by user and by bucket."""

    users: dict[str, UserDelta] = field(default_factory=lambda: defaultdict(UserDelta))
    buckets: dict[int, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))

    def row(self, user_id: str, bucket: int, old: Head | None, new: Head | None) -> None:
        """A row came, went, or was replaced."""
        user = self.users[user_id]
        if old is not None:
            user.kinds[old.kind] -= 1
            self._add(user, bucket, -1, old.hash)
        if new is not None:
            user.kinds[new.kind] += 1
            self._add(user, bucket, 1, new.hash)

    def mark(self, scope: Scope, old: Mark | None, new: Mark | None) -> None:
        """A mark was set, replaced or dropped."""
        user, bucket = self.users[scope.user_id], scope_bucket(scope)
        if old is not None:
            user.marks -= 1
            self._add(user, bucket, -1, old.hash)
        if new is not None:
            user.marks += 1
            self._add(user, bucket, 1, new.hash)

    def bucket_deltas(self) -> Iterator[tuple[int, int, int]]:
        """Bucket, count and sum, of the buckets that changed."""
        for bucket, (count, total) in self.buckets.items():
            yield bucket, count, total

    def _add(self, user: UserDelta, bucket: int, sign: int, hash_: str) -> None:
        amount = sign * weight(hash_)
        user.count += sign
        user.sum += amount
        of_bucket = self.buckets[bucket]
        of_bucket[0] += sign
        of_bucket[1] += amount
