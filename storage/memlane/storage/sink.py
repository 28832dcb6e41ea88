"""The contract of every sink.

A sink's content depends only on the set of commands that it has decided: never on their order, nor on
how often it saw each. `memlane.storage.conformance` tests what is said here.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from memlane.contracts.address import Address
from memlane.contracts.command import AnyCommand
from memlane.contracts.fingerprint import Digest
from memlane.contracts.query import ListQuestion, SearchQuestion
from memlane.contracts.reply import Fetched, Page, SinkStats
from memlane.storage.identity import StoreIdentity
from memlane.storage.outcome import Outcome, SweepReport
from memlane.storage.rows import Trace


class Sink(Protocol):
    """A backend that applies commands and answers queries. Used as an async context manager.

    All methods may be called concurrently, from the event loop in which the sink was entered. Any may
    raise `SinkUnavailable`. Nothing is cached over calls that another process's writes would make stale.
    """

    @property
    def name(self) -> str:
        """The sink's name in the topology: lower-case letters, digits and `-`."""

    @property
    def durable(self) -> bool:
        """Whether "applied" survives the backend's crash. False for a cache."""

    async def __aenter__(self) -> Self:
        """Connects, checks the backend's settings, and makes or upgrades the schema.

        Raises:
            SinkUnavailable: it can't be reached now.
            SinkMisconfigured: it can be reached, but can't work as it is set up.
        """

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnects. Safe to call twice."""

    async def health(self) -> StoreIdentity:
        """Returns which store it is, if the backend would take writes now. Cheap: called every second or so.

        Raises:
            SinkUnavailable: it would not, and why.
        """

    async def apply(
        self, commands: Sequence[AnyCommand], now: datetime, *, repair: bool = False
    ) -> list[Outcome]:
        """Applies a batch: all of it or nothing, durable when it returns.

        Idempotent, and indifferent to order: by address the highest (version, hash) wins; a scope mark
        covers everything in its scope up to its own version. The digests change in the same
        transaction. Commands of a batch may touch the same address.

        A store that has not expired, is below the sink's floor (see `sweep`), and has no live row at its
        address is refused and leaves no row: it may have been deleted, and that forgotten.

        Args:
            commands: 1 to some thousands, any users.
            now: what has expired by then is not kept live.
            repair: whether the commands come from another sink that holds them: then they are not refused for
                being below the floor.

        Returns:
            An outcome for each command, in their order.

        Raises:
            SinkUnavailable: the backend is down.
            SinkBusy: not now.
            Exception: a fault of one of the commands; nothing was applied.
        """

    async def fetch(self, addresses: Sequence[Address], as_of: datetime) -> list[Fetched]:
        """What is at these addresses, in their order: an entry, gone (at which version), or unknown.

        A refused row answers *unknown* with its version; no trace at all, *unknown* without one. What is
        expired as of then, or covered by a mark, is *gone*.
        """

    async def find(self, question: ListQuestion | SearchQuestion, as_of: datetime) -> Page:
        """The user's live entries that the question means, at most `question.limit` of them.

        A list is ordered by (version, namespace, key), and goes on strictly behind the cursor; an empty
        search likewise, newest first. A search finds what any of its words are about, best first. Only
        rows of that very user are returned, live as of then and not covered by a mark. Hits may be
        fewer than the limit although `more` is true, but never none. The digest is the user's, read in the
        same snapshot.
        """

    async def stats(self, user_id: str | None) -> SinkStats:
        """What is held of a user, or (None) in all."""

    async def digests(self) -> list[Digest]:
        """The digest of every bucket, 4096 of them, in one snapshot; in O(1) of the rows."""

    async def hashes(self, bucket: int) -> list[str]:
        """The hash of every row and mark in a bucket (0 to 4095), in no order, quicker than `versions`."""

    async def versions(
        self, bucket: int, *, check: bool = True, hashes: Collection[str] | None = None
    ) -> list[Trace]:
        """The rows and marks in a bucket (0 to 4095), in no order.

        Args:
            bucket: which.
            check: whether rows are compared with their content. Without it, which is far quicker, all of them
                count as intact but those that were demoted.
            hashes: only those with one of these; None: all.
        """

    async def sweep(
        self, now: datetime, *, limit: int = 1000, recount: int | None = None, floor: str | None = None
    ) -> SweepReport:
        """Does what is due: expires, removes rows under marks, forgets old deletes, recounts one bucket.

        A delete or a mark below the floor that arrives later may leave its row until the next such sweep.

        Args:
            now: live rows whose time has come become expired: their content goes, the row stays.
            limit: how many rows and marks to change or remove at most, so that writers wait only shortly.
            recount: the bucket whose damaged rows are demoted (see `memlane.storage.damage`), each once, so
                that the right ones can take their place, and whose digest is set to what its rows and marks
                add up to.
            floor: a version. The highest that it was ever given is kept with the rows; the sink removes the
                deleted and expired rows below it, and the marks with nothing under them any more.
                Refused rows stay. None: nothing is forgotten now; what is kept of a floor stays in force.
        """


@runtime_checkable
class Checkable(Protocol):
    """A sink over a server that was not made for it: what it can do is worth asking, and trying."""

    @property
    def abilities(self) -> Mapping[str, str]:
        """What becomes of each kind of question or command, in a few words each."""

    async def check(self) -> None:
        """Keeps a small entry under a reserved user, reads it back, and removes it.

        Raises:
            SinkUnavailable: that does not work, and why.
        """
