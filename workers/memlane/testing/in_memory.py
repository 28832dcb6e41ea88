"""memlane in this process, without a broker: for tests of programs that use it.

Commands and questions are the texts that are on the wire, read, decided and answered by the code of lanes and
of the aggregator. There is no queue between: a command that is confirmed is decided.
"""

import asyncio
import threading
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from memlane.client import MemoryClient, SyncMemoryClient
from memlane.contracts.codec import BadCommand, decode_message
from memlane.contracts.command import AnyCommand
from memlane.contracts.errors import InvalidInput, MalformedMessage, error_text
from memlane.contracts.instants import now
from memlane.contracts.query import AnySinkQuestion, QueryEnvelope
from memlane.contracts.receipt import ReceiptEnvelope, SinkReceipt
from memlane.contracts.reply_codec import encode_reply
from memlane.contracts.version import version_milliseconds
from memlane.producers.client.link import Link
from memlane.producers.settings import ClientSettings
from memlane.storage.memory import MemorySink
from memlane.storage.outcome import Outcome
from memlane.testing.settings import only_passed
from memlane.workers.aggregator.aggregator import read_query, refusal
from memlane.workers.aggregator.answering import answer_questions
from memlane.workers.aggregator.asking import Asked, Reputation
from memlane.workers.aggregator.round import Round
from memlane.workers.lane.applying import apply
from memlane.workers.lane.delivery import newest_allowed
from memlane.workers.responder.answering import answer

DEFAULT_SINKS: Final = ("sqlite", "redis")
"""Their names, as of a deployment with the default settings. All of them are in memory."""

_URL: Final = "amqp://in-memory/"


@dataclass(frozen=True, slots=True)
class Parked:
    """A command that was not applied: elsewhere it would be in the sink's dead-letter queue.

    Attributes:
        sink: whose.
        command: as it came, or what could be read of it.
        reason: why.
    """

    sink: str
    command: object
    reason: str


@dataclass(frozen=True, slots=True)
class _Message:
    body: bytes
    correlation_id: str | None = None


class InMemoryMemlane:
    """A whole memlane in this process. Safe for several event loops, each in its own thread.

    Args:
        folder: for the clients' clocks.
        sinks: the names of its sinks.

    Attributes:
        sinks: by name.
        parked: what could not be applied, in the order in which it came.
        lock: of the sinks.
    """

    def __init__(self, folder: Path, sinks: Sequence[str] = DEFAULT_SINKS) -> None:
        self.sinks = {name: MemorySink(name=name) for name in sinks}
        self.parked: list[Parked] = []
        self._folder = folder
        self.lock = threading.Lock()

    # Any: the settings' model checks them.
    def client(self, **settings: Any) -> MemoryClient:
        """A client, to be used as an asynchronous context."""
        return _Client(self, self._settings(settings))

    def sync_client(self, **settings: Any) -> SyncMemoryClient:
        """A client for programs without an event loop, to be used as a context."""
        return _SyncClient(self, self._settings(settings))

    async def open(self) -> None:
        """Opens the sinks; they stay open."""
        for sink in self.sinks.values():
            await AsyncExitStack().enter_async_context(sink)

    async def apply(self, body: bytes) -> list[ReceiptEnvelope]:
        """Has every sink decide the commands of a message; returns their receipts."""
        try:
            decoded = decode_message(body)
        except MalformedMessage as error:
            self.parked += [Parked(name, body, error_text(error)) for name in self.sinks]
            return []
        moment = now()
        limit = newest_allowed(moment)
        good = [command for command in decoded.commands if version_milliseconds(command.id) <= limit]
        early = [command for command in decoded.commands if version_milliseconds(command.id) > limit]
        told: list[ReceiptEnvelope] = []
        for name, sink in self.sinks.items():
            # The sink never waits for anything, so neither does whoever has the lock.
            with self.lock:
                results = await apply(sink, good, moment)
            receipts = [self._receipt(name, *both) for both in zip(good, results, strict=True)]
            receipts += [self._park(name, one, "its version is from the future") for one in early]
            for bad in decoded.bad:
                self._park_bad(name, bad)
            told.append(ReceiptEnvelope(sink=name, receipts=receipts))
        return told

    async def answer(self, body: bytes) -> bytes:
        """The reply to a message of questions."""
        try:
            query = read_query(body)
        except InvalidInput as error:
            return encode_reply([refusal(error)])
        rounds = _Rounds(self, query)
        return encode_reply(
            await answer_questions(query.questions, rounds.new, ask_all=query.consistency == "all")
        )

    def _receipt(self, sink: str, command: AnyCommand, result: Outcome | Exception) -> SinkReceipt:
        if isinstance(result, Exception):
            return self._park(sink, command, error_text(result))
        if result.decision == "refused":
            return self._park(sink, command, result.reason or "")
        return SinkReceipt(id=command.id, decision=result.decision, newer=result.newer)

    def _park(self, sink: str, command: AnyCommand, reason: str) -> SinkReceipt:
        self.parked.append(Parked(sink, command, reason))
        return SinkReceipt(id=command.id, decision="parked", reason=reason)

    def _park_bad(self, sink: str, bad: BadCommand) -> None:
        self.parked.append(Parked(sink, bad.raw, error_text(bad.error)))

    def _settings(self, said: dict[str, Any]) -> ClientSettings:
        return only_passed(
            ClientSettings, **{"amqp_url": _URL, "state_dir": self._folder, "outbox": False, **said}
        )


class _Rounds:
    """Rounds over the sinks of one deployment, for one message of questions."""

    def __init__(self, memlane: InMemoryMemlane, query: QueryEnvelope) -> None:
        self._memlane = memlane
        self._as_of = now()
        self._deadline = time.monotonic() + query.deadline_ms / 1000
        self._reputation = Reputation()

    def new(self) -> Round:
        """A round over all of them."""
        return Round(
            self._ask,
            self._reputation,
            self._reputation,
            sinks=list(self._memlane.sinks),
            as_of=self._as_of,
            deadline=self._deadline,
            patience=self._deadline,
        )

    async def _ask(
        self,
        sink: str,
        questions: Sequence[AnySinkQuestion],
        as_of: datetime,
        seconds: float,  # noqa: ARG002  it takes none
    ) -> Asked:
        with self._memlane.lock:
            return Asked(await answer(self._memlane.sinks[sink], questions, as_of), 0.0)


class _Session:
    """See `Session`."""

    def __init__(self, memlane: InMemoryMemlane, link: Link) -> None:
        self._memlane = memlane
        self._link = link
        self.lost = asyncio.Event()
        self.blocked: str | None = None

    async def send(self, body: bytes, *, app_id: str, wants_receipt: bool) -> None:  # noqa: ARG002
        """See `Session.send`."""
        for envelope in await self._memlane.apply(body):
            if wants_receipt:
                await self._link.on_receipt(
                    _Message(envelope.model_dump_json(by_alias=True, exclude_none=True).encode())
                )

    async def ask(self, body: bytes, correlation_id: str, seconds: float) -> None:  # noqa: ARG002
        """See `Session.ask`."""
        await self._link.on_reply(_Message(await self._memlane.answer(body), correlation_id))


class _Link(Link):
    """See `Link`: it is up from the start."""

    def __init__(self, memlane: InMemoryMemlane) -> None:
        super().__init__(_URL, timedelta(seconds=1))
        self._memlane = memlane

    async def open(self, may_be_away: object = None) -> None:  # noqa: ARG002
        """See `Link.open`."""
        await self._memlane.open()
        self._session = _Session(self._memlane, self)

    @property
    def is_open(self) -> bool:
        """See `Link.is_open`."""
        return self._session is not None


class _Client(MemoryClient):
    def __init__(self, memlane: InMemoryMemlane, settings: ClientSettings) -> None:
        self._memlane = memlane
        super().__init__(settings=settings)

    def _make_link(self, urls: str) -> Link:  # noqa: ARG002
        return _Link(self._memlane)


class _SyncClient(SyncMemoryClient):
    def __init__(self, memlane: InMemoryMemlane, settings: ClientSettings) -> None:
        self._memlane = memlane
        super().__init__(settings=settings)

    def _make_client(
        self,
        url: str | None,  # noqa: ARG002
        deadline: timedelta | None,  # noqa: ARG002
        settings: ClientSettings | None,
    ) -> MemoryClient:
        return _Client(self._memlane, settings or only_passed(ClientSettings))
