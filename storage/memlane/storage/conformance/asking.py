"""What tests ask a sink, in a word each."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from memlane.contracts.address import Address
from memlane.contracts.canonical import Json
from memlane.contracts.command import AnyCommand
from memlane.contracts.entry import Entry
from memlane.contracts.fingerprint import digest_of
from memlane.contracts.query import Cursor, ListQuestion, SearchQuestion
from memlane.contracts.reply import Fetched, FetchState, Page
from memlane.storage.conformance.commands import NOW, USER
from memlane.storage.outcome import Outcome, SweepReport
from memlane.storage.rows import Trace
from memlane.storage.sink import Sink

_MOST_SWEEPS = 1000


async def apply(
    sink: Sink, *commands: AnyCommand, now: datetime = NOW, repair: bool = False
) -> list[Outcome]:
    """The outcomes of one batch."""
    return await sink.apply(commands, now, repair=repair)


async def apply_each(sink: Sink, commands: Iterable[AnyCommand], now: datetime = NOW) -> list[Outcome]:
    """The outcomes of a batch for each command."""
    return [(await sink.apply([command], now))[0] for command in commands]


async def fetch(sink: Sink, address: Address, as_of: datetime = NOW) -> Fetched:
    """What is at one address."""
    (fetched,) = await sink.fetch([address], as_of)
    return fetched


async def state(sink: Sink, address: Address, as_of: datetime = NOW) -> tuple[FetchState, str | None]:
    """State and version at one address."""
    fetched = await fetch(sink, address, as_of)
    return fetched.state, fetched.version


async def entry(sink: Sink, address: Address, as_of: datetime = NOW) -> Entry:
    """The entry that must be at an address."""
    fetched = await fetch(sink, address, as_of)
    assert fetched.entry is not None, f"{address} is {fetched.state}, not an entry"
    assert (fetched.state, fetched.version) == ("entry", fetched.entry.version)
    return fetched.entry


async def value(sink: Sink, address: Address, as_of: datetime = NOW) -> Json:
    """The value that must be at an address."""
    return (await entry(sink, address, as_of)).value


# Any: a question's fields, checked by its model.
async def page(sink: Sink, user: str = USER, *, as_of: datetime = NOW, **question: Any) -> Page:
    """One page of a list."""
    return await sink.find(ListQuestion(user_id=user, **question), as_of)


async def keys(sink: Sink, user: str = USER, *, as_of: datetime = NOW, **question: Any) -> list[str]:
    """The keys of a list of up to 500, in order."""
    return [hit.entry.key for hit in (await page(sink, user, as_of=as_of, limit=500, **question)).hits]


async def search(
    sink: Sink, text: str, user: str = USER, *, as_of: datetime = NOW, **question: Any
) -> list[str]:
    """The keys that a search finds, best first."""
    asked = SearchQuestion(user_id=user, text=text, **{"limit": 500, **question})
    return [hit.entry.key for hit in (await sink.find(asked, as_of)).hits]


async def walk(
    sink: Sink, user: str = USER, *, limit: int, as_of: datetime = NOW, **question: Any
) -> list[Entry]:
    """A whole list, page by page. No page may be empty, or too long, while there is more."""
    entries: list[Entry] = []
    cursor: Cursor | None = None
    while True:
        found = await page(sink, user, as_of=as_of, limit=limit, cursor=cursor, **question)
        assert len(found.hits) <= limit
        entries += [hit.entry for hit in found.hits]
        if not found.more:
            return entries
        assert found.hits, "a page has no hits, although there is more"
        cursor = Cursor(version=entries[-1].version, namespace=entries[-1].namespace, key=entries[-1].key)


async def sweep(
    sink: Sink, now: datetime = NOW, *, limit: int = 1000, floor: str | None = None
) -> SweepReport:
    """Sweeps until nothing is due; the sums of all reports."""
    expired = purged = forgotten = 0
    for _ in range(_MOST_SWEEPS):
        report = await sink.sweep(now, limit=limit, floor=floor)
        touched = report.expired + report.purged + report.forgotten
        assert touched <= limit, "a sweep touched more rows than it may"
        expired, purged = expired + report.expired, purged + report.purged
        forgotten += report.forgotten
        if not report.more:
            return SweepReport(expired=expired, purged=purged, forgotten=forgotten)
    raise AssertionError(f"{_MOST_SWEEPS} sweeps did not come to an end")


async def held(sink: Sink) -> list[Trace]:
    """All rows and marks, after a check that the digests are what they add up to."""
    found: list[Trace] = []
    for bucket, digest in enumerate(await sink.digests()):
        if digest.count:
            traces = await sink.versions(bucket)
            assert digest_of(trace.hash for trace in traces) == digest, (
                f"the digest of bucket {bucket} is off"
            )
            found += traces
    total = (await sink.stats(None)).digest
    whole = digest_of(trace.hash for trace in found)
    assert (total.count, total.sum) == (whole.count, whole.sum), "the total digest is off"
    return found
