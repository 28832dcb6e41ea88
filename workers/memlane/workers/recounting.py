"""Checks a sink's digests against its rows, and sets them right."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from memlane.contracts.fingerprint import BUCKETS, Digest, digest_of
from memlane.storage.sink import Sink


@dataclass(frozen=True, slots=True)
class BucketFinding:
    """A bucket that is not as it should be.

    Attributes:
        bucket: its number.
        kept: the digest that the sink keeps.
        counted: what its rows and marks add up to.
        damaged: rows and marks that do not give the hash that is kept with them.
    """

    bucket: int
    kept: Digest
    counted: Digest
    damaged: int


async def check_digests(sink: Sink) -> AsyncIterator[BucketFinding]:
    """Counts every bucket, and yields those whose digest or rows are wrong.

    A bucket that a lane changed between the two reads is counted once more before it is reported.
    """
    kept = await sink.digests()
    for bucket in range(BUCKETS):
        finding = await _look(sink, bucket, kept[bucket])
        if finding is not None and finding.kept != finding.counted:
            finding = await _look(sink, bucket, (await sink.digests())[bucket])
        if finding is not None:
            yield finding


async def rebuild_digest(sink: Sink, bucket: int, now: datetime) -> bool:
    """Demotes a bucket's damaged rows, and sets its digest to what is there; True if the digest was wrong."""
    return (await sink.sweep(now, limit=0, recount=bucket)).corrected


async def _look(sink: Sink, bucket: int, kept: Digest) -> BucketFinding | None:
    traces = await sink.versions(bucket)
    counted = digest_of(trace.hash for trace in traces)
    damaged = sum(not trace.intact for trace in traces)
    if kept == counted and not damaged:
        return None
    return BucketFinding(bucket, kept, counted, damaged)
