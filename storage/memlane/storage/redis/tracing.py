"""The rows and marks of a bucket, as the reconciler compares them."""

from typing import Final

from memlane.contracts.address import Address
from memlane.storage.redis.client import Client, Reply
from memlane.storage.redis.rows import content_hash
from memlane.storage.redis.scripts import BUCKET
from memlane.storage.rows import Kind, Scope, Trace

_STEP_MEMBERS: Final = 500
_STEP_BYTES: Final = 4 * 1024 * 1024


async def bucket_traces(client: Client, bucket: int) -> list[Trace]:
    """Every row and mark of a bucket, read in bounded steps; each as it is when its step reads it."""
    members = await client.set_members(f"bucket:{bucket:03x}")
    traces: list[Trace] = []
    done = 0
    while done < len(members):
        found = await client.run(BUCKET, _STEP_BYTES, *members[done : done + _STEP_MEMBERS])
        traces += [_trace(row) for row in found if row]
        done += len(found)
    return traces


def _trace(row: Reply) -> Trace:
    user_id, version, hash_, kind, namespace = row[:5]
    if kind == "mark":
        return Trace(Scope(user_id, namespace or None), version, hash_, None, intact=True)
    address = Address(user_id, namespace, row[5])
    live = kind == str(int(Kind.LIVE))
    intact = not live or content_hash(address, version, row[6], row[7]) == hash_
    return Trace(address, version, hash_, Kind(int(kind)), intact)
