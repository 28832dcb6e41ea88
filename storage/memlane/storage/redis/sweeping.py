"""What is due: expiry, purging, forgetting, each a bounded script, so that applies go on in between."""

from datetime import datetime

from memlane.storage.outcome import Recount, SweepReport
from memlane.storage.redis.client import Client
from memlane.storage.redis.preparing import SCHEMA, new_incarnation
from memlane.storage.redis.recounting import recount_bucket
from memlane.storage.redis.rows import sortable
from memlane.storage.redis.scripts import EXPIRE, FORGET, PURGE


async def sweep(
    client: Client, now: datetime, limit: int, recount: int | None, floor: str | None = None
) -> SweepReport:
    """Expires, then purges, then forgets, `limit` rows together, then recounts."""
    room = max(0, limit)
    expired, looked_at = await client.run(EXPIRE, SCHEMA, new_incarnation(), sortable(now), room)
    left = room - looked_at
    purged, unfinished = await client.run(PURGE, SCHEMA, new_incarnation(), left)
    forgotten, unforgotten = 0, 0
    if floor is not None:
        left = max(0, left - purged)
        forgotten, unforgotten = await client.run(FORGET, SCHEMA, new_incarnation(), floor, left)
    found = Recount() if recount is None else await recount_bucket(client, recount)
    more = bool(unfinished or unforgotten) or (room > 0 and looked_at == room)
    return SweepReport(expired, purged, found.corrected, found.damaged, more, forgotten)
