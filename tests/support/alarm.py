"""A real broker that takes no messages, as when its memory runs out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from memlane.testing.servers import RabbitMQServer


@asynccontextmanager
async def memory_alarm(server: RabbitMQServer) -> AsyncIterator[None]:
    """The broker's memory alarm is set meanwhile. Only for a server that no other test uses now."""
    await asyncio.to_thread(server.control, "set_vm_memory_high_watermark", "0")
    try:
        yield
    finally:
        await asyncio.to_thread(server.control, "set_vm_memory_high_watermark", "0.6")
