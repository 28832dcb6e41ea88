"""A network between memlane and the real broker that a test can cut, freeze or close."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final
from urllib.parse import urlsplit, urlunsplit

_CHUNK: Final = 65536


class Proxy:
    """Hands on TCP connections to a server.

    Attributes:
        accepted: how many connections there were so far.
    """

    def __init__(self, host: str, port: int) -> None:
        self.accepted = 0
        self.port = 0
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._up = asyncio.Event()
        self._down = asyncio.Event()
        self.thaw()

    async def open(self) -> None:
        """Takes connections, on the same port as before."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Takes no connections any more, and cuts those that there are."""
        if self._server is not None:
            self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None

    def cut(self) -> None:
        """Ends all connections, as a broken network does: whatever is under way is lost."""
        for writer in self._writers:
            writer.transport.abort()

    def freeze(self) -> None:
        """Nothing comes through in either direction; connections stay open."""
        self._up.clear()
        self._down.clear()

    def freeze_answers(self) -> None:
        """What the server says does not come through; what it is told does."""
        self._down.clear()

    def thaw(self) -> None:
        """Everything comes through again."""
        self._up.set()
        self._down.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self.accepted += 1
        self._tasks.add(task)
        try:
            with suppress(OSError):
                await self._serve(reader, writer)
        finally:
            self._tasks.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            their_reader, their_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            raise
        both = {writer, their_writer}
        self._writers |= both
        pipes = (
            asyncio.create_task(_pipe(reader, their_writer, self._up)),
            asyncio.create_task(_pipe(their_reader, writer, self._down)),
        )
        try:
            await asyncio.wait(pipes, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pipe in pipes:
                pipe.cancel()
            await asyncio.gather(*pipes, return_exceptions=True)
            for one in both:
                one.close()
                with suppress(OSError):
                    await one.wait_closed()
            self._writers -= both


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, open_: asyncio.Event) -> None:
    with suppress(OSError):
        while data := await reader.read(_CHUNK):
            await open_.wait()
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def network(url: str) -> AsyncIterator[tuple[Proxy, str]]:
    """A proxy to the server of a URL, and the URL by which it is reached."""
    parts = urlsplit(url)
    proxy = Proxy(parts.hostname or "", parts.port or 0)
    await proxy.open()
    try:
        login = f"{parts.username}:{parts.password}@" if parts.username else ""
        yield proxy, urlunsplit(parts._replace(netloc=f"{login}127.0.0.1:{proxy.port}"))
    finally:
        proxy.thaw()
        await proxy.close()
