"""The asynchronous client: what a bot sees of memlane."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self, TypeVar
from uuid import uuid4

from memlane.contracts.address import Address
from memlane.contracts.canonical import Json
from memlane.contracts.codec import encode_command
from memlane.contracts.command import (
    AddressCommand,
    AnyCommand,
    DeleteAddress,
    DeleteNamespace,
    DeleteUser,
    StoreCommand,
)
from memlane.contracts.entry import Entry
from memlane.contracts.errors import IncompleteAnswer, OutboxError
from memlane.contracts.limits import DEFAULT_IMPORTANCE, DEFAULT_NAMESPACE, MAX_PAGE
from memlane.contracts.query import (
    NO_FILTERS,
    Consistency,
    Cursor,
    Filters,
    GetQuestion,
    ListQuestion,
    Order,
    SearchQuestion,
    StatsQuestion,
)
from memlane.contracts.receipt import Receipt
from memlane.contracts.reply import AnyAnswer, GetAnswer, PageAnswer, SinkStatus, StatsAnswer
from memlane.producers.client.building import build, checked_deadline, expiry
from memlane.producers.client.clock_file import ClockFile
from memlane.producers.client.forwarding import Forwarding
from memlane.producers.client.health import Health
from memlane.producers.client.link import Link
from memlane.producers.client.question_sender import QuestionSender
from memlane.producers.client.receipt_book import ReceiptBook
from memlane.producers.client.recent_writes import RecentWrites
from memlane.producers.client.user_memory import UserMemory
from memlane.producers.client.writing import Wait, Writer
from memlane.producers.outbox.status import OutboxStatus
from memlane.producers.settings import ClientSettings

Answer = TypeVar("Answer", GetAnswer, PageAnswer, StatsAnswer)


class MemoryClient:
    """Remembers, forgets and finds, over RabbitMQ. Used as an async context manager; reconnects by itself.

    Every write is confirmed by the broker before its method returns, and from then on it reaches every
    sink; or, while the broker is away, it is in the outbox on this machine's disk, and goes on from there.
    A client reads its own writes. Safe for concurrent tasks of one event loop.

    Args:
        url: `amqp://user:password@host:port/vhost`; by default the setting `MEMLANE_AMQP_URL`.
        deadline: how long a question may take, and a wait for receipts.
        settings: everything else; by default from the environment.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        deadline: timedelta | None = None,
        settings: ClientSettings | None = None,
    ) -> None:
        self._settings = settings or ClientSettings()
        self._deadline = checked_deadline(self._settings.deadline if deadline is None else deadline)
        self._clock_file = ClockFile(self._settings.state_dir / "clock")
        self._clock = self._clock_file.load()
        self._recent = RecentWrites()
        self._receipts = ReceiptBook()
        urls = self._settings.completed(url) if url else self._settings.url
        self._link = self._make_link(urls)
        self._questions = QuestionSender(self._link, self._deadline)
        self._link.on_receipt = self._receipts.on_receipt
        self._link.on_reply = self._questions.on_reply
        self._link.on_lost = self._questions.on_lost
        self._forwarding = Forwarding(self._link, urls, self._settings, f"memlane-{uuid4().hex[:12]}")
        self._sender = self._forwarding.sender
        self._writer = Writer(
            self._forwarding, self._receipts, self._sinks, clock=self._clock, deadline=self._deadline
        )

    async def __aenter__(self) -> Self:
        """Connects; while nothing answers there, goes on trying in the background.

        Raises:
            BrokerUnreachable: nothing answers there, and there is no outbox that can be written.
            BrokerRefused: wrong credentials.
        """
        await self._forwarding.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Waits for the confirms of what is under way, for the outbox 2 s at most, and disconnects."""
        await self._forwarding.close()
        await self._questions.close()
        await self._link.close()
        await self._clock_file.save(self._clock)

    def user(self, user_id: str) -> UserMemory:
        """The same methods, bound to one user."""
        return UserMemory(self, user_id)

    async def store(
        self,
        user_id: str,
        key: str,
        value: Json,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        tags: Iterable[str] = (),
        importance: int = DEFAULT_IMPORTANCE,
        session_id: str | None = None,
        project_id: str | None = None,
        metadata: Mapping[str, Json] | None = None,
        created_at: datetime | None = None,
        expires_at: datetime | None = None,
        ttl: timedelta | None = None,
        wait: Wait = "broker",
    ) -> Receipt:
        """Remembers a value at an address, in place of whatever is there.

        Args:
            user_id: whose memory; 1 to 255 characters, none of them a control character.
            key: likewise.
            value: any JSON value; its command may take 1 MiB.
            namespace: a path of 1 to 16 parts separated by `/`.
            tags: at most 100.
            importance: 1 to 10.
            session_id: what session it comes from, if any.
            project_id: what project it belongs to, if any.
            metadata: a JSON object, to filter by.
            created_at: aware; by default the time of the call.
            expires_at: aware; from then on it is not returned.
            ttl: the same, counted from now; not together with `expires_at`.
            wait: how far the command must have come: `outbox` (on this machine's disk), `broker`
                (confirmed), `any` sink or `all` sinks have decided it, or a set of sinks. Running into the
                deadline does not raise: the receipt then says who is pending. Nor does a broker that is
                away: the receipt then says `queued`.

        Raises:
            InvalidInput: names the field and its limit; nothing was sent.
            OutboxError: the broker is away, and the outbox is full, or can't be written.
            PublishFailed: nobody would get it: no queue is there, or one is full.
            PublishRefused: the broker refuses it for good.
            BrokerUnreachable: without an outbox: no connection within the time; it may have arrived.
        """
        command = build(
            StoreCommand,
            id=self._clock.next(),
            user_id=user_id,
            namespace=namespace,
            key=key,
            value=value,
            tags=tags,
            importance=importance,
            session_id=session_id,
            project_id=project_id,
            metadata=metadata or {},
            created_at=created_at,
            expires_at=expiry(ttl, expires_at),
        )
        if wait != "broker":
            return await self._write(command, wait)
        # The shortest way, and nothing kept but the text: ten thousand of these may wait at once.
        version, encoded = command.id, encode_command(command)
        del command
        confirmed = await self._sender.enqueue(encoded)
        self._wrote(version, user_id, namespace, key)
        return Receipt(version=version, confirmed=confirmed, queued=not confirmed)

    async def store_many(
        self,
        user_id: str,
        values: Mapping[str, Json],
        *,
        namespace: str = DEFAULT_NAMESPACE,
        wait: Wait = "broker",
    ) -> list[Receipt]:
        """Remembers several values of a user; returns a receipt each, in their order.

        Raises:
            InvalidInput: names the field; nothing was sent, not even the valid ones.
            BrokerError: as `store`.
        """
        commands = [
            build(
                StoreCommand,
                id=self._clock.next(),
                user_id=user_id,
                namespace=namespace,
                key=key,
                value=value,
            )
            for key, value in values.items()
        ]
        return await self.send(commands, wait=wait)

    async def send(self, commands: Sequence[AnyCommand], *, wait: Wait = "broker") -> list[Receipt]:
        """Publishes commands that have their versions: what importers and repairs do.

        Raises:
            BrokerError: as `store`.
        """
        receipts = await self._writer.write_many(commands, wait)
        self._remember(commands)
        return receipts

    async def delete(
        self, user_id: str, key: str, *, namespace: str = DEFAULT_NAMESPACE, wait: Wait = "broker"
    ) -> Receipt:
        """Forgets what is at one address. Raises as `store`."""
        command = build(DeleteAddress, id=self._clock.next(), user_id=user_id, namespace=namespace, key=key)
        return await self._write(command, wait)

    async def delete_namespace(self, user_id: str, namespace: str, *, wait: Wait = "broker") -> Receipt:
        """Forgets everything that a user has in a namespace and below it. Raises as `store`."""
        command = build(DeleteNamespace, id=self._clock.next(), user_id=user_id, namespace=namespace)
        return await self._write(command, wait)

    async def forget(self, user_id: str, *, wait: Wait = "broker") -> Receipt:
        """Forgets everything of a user. Raises as `store`."""
        return await self._write(build(DeleteUser, id=self._clock.next(), user_id=user_id), wait)

    async def get(
        self,
        user_id: str,
        key: str,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        consistency: Consistency = "first",
    ) -> Entry | None:
        """What is at an address; None if nothing is.

        Args:
            user_id: whose memory.
            key: the entry's.
            namespace: the entry's.
            consistency: `first` asks the preferred sink, and the next only if need be; `all` asks every
                sink and takes the newest version.

        Raises:
            IncompleteAnswer: nobody could say.
            InvalidInput: names the field.
        """
        address = Address(user_id, namespace, key)
        return _entry_of(await self.get_answer(address, consistency=consistency), address)

    async def get_answer(self, address: Address, *, consistency: Consistency = "first") -> GetAnswer:
        """The same with everything that the answer says: gone or unknown, at which version, who said it.

        Raises:
            IncompleteAnswer: no reply before the deadline.
        """
        return self._seen(await self._questions.get(self._get_question(address), consistency), GetAnswer)

    async def get_many(
        self, user_id: str, keys: Iterable[str], *, namespace: str = DEFAULT_NAMESPACE
    ) -> dict[str, Entry | None]:
        """What is at several addresses, by key; asked together. Raises as `get`."""
        addresses = [Address(user_id, namespace, key) for key in dict.fromkeys(keys)]
        questions = [self._get_question(address) for address in addresses]
        answers = await asyncio.gather(*(self._questions.get(one, "first") for one in questions))
        return {
            address.key: _entry_of(self._seen(answer, GetAnswer), address)
            for address, answer in zip(addresses, answers, strict=True)
        }

    async def list(
        self,
        user_id: str,
        *,
        namespace: str | None = None,
        filters: Filters = NO_FILTERS,
        order: Order = "newest",
        limit: int = 50,
        cursor: Cursor | None = None,
    ) -> PageAnswer:
        """A user's entries by time, a page at a time.

        Args:
            user_id: whose memory.
            namespace: only in it and below it.
            filters: only entries for which all of this holds.
            order: `newest` or `oldest` version first.
            limit: 1 to 500.
            cursor: of the page before.

        Returns:
            Hits, cursor (None: no more), whether the answer is complete, and how each sink took part.

        Raises:
            IncompleteAnswer: no reply before the deadline.
            InvalidInput: names the field.
        """
        question = build(
            ListQuestion,
            user_id=user_id,
            namespace=namespace,
            filters=filters,
            order=order,
            limit=limit,
            cursor=cursor,
        )
        return self._seen(await self._questions.ask(question), PageAnswer)

    async def iterate(
        self,
        user_id: str,
        *,
        namespace: str | None = None,
        filters: Filters = NO_FILTERS,
        order: Order = "newest",
    ) -> AsyncIterator[Entry]:
        """All entries of a user, page by page.

        Raises:
            IncompleteAnswer: a page rests on fewer sinks than there are.
        """
        cursor: Cursor | None = None
        while True:
            page = await self.list(
                user_id, namespace=namespace, filters=filters, order=order, limit=MAX_PAGE, cursor=cursor
            )
            if not page.complete:
                raise IncompleteAnswer(f"a page of {user_id!r} is incomplete", hint="ask again later")
            for hit in page.hits:
                yield hit.entry
            if (cursor := page.cursor) is None:
                return

    async def search(
        self,
        user_id: str,
        text: str = "",
        *,
        namespace: str | None = None,
        filters: Filters = NO_FILTERS,
        limit: int = 10,
    ) -> PageAnswer:
        """What is about any of the words, best first. The text has no syntax; empty lists the newest.

        Raises:
            IncompleteAnswer: no reply before the deadline. A partial answer does not raise: it says
                `complete: False`, and which sink is missing.
            InvalidInput: names the field.
        """
        question = build(
            SearchQuestion, user_id=user_id, text=text, namespace=namespace, filters=filters, limit=limit
        )
        return self._seen(await self._questions.ask(question), PageAnswer)

    async def stats(self, user_id: str | None = None) -> StatsAnswer:
        """What each sink holds, of a user or (None) in all. Raises as `search`."""
        return self._seen(await self._questions.ask(build(StatsQuestion, user_id=user_id)), StatsAnswer)

    async def health(self) -> Health:
        """How the broker and the sinks are. Does not raise for what is away: it says so."""
        outbox: OutboxStatus | None = None
        with suppress(OutboxError):
            outbox = await self._forwarding.status()
        sinks: dict[str, SinkStatus] = {}
        if self._link.is_up:
            with suppress(IncompleteAnswer):
                sinks = {name: said.status for name, said in (await self.stats()).sinks.items()}
        return Health(broker=self._link.is_up, sinks=sinks, blocked=self.blocked, outbox=outbox)

    @property
    def blocked(self) -> str | None:
        """Why the broker takes no messages (an alarm); None where it does, as far as it has said."""
        return self._link.blocked

    async def flush(self, within: timedelta | None = None) -> OutboxStatus:
        """Returns when everything sent before is confirmed, what is in the outbox included, or has failed.

        Args:
            within: the longest that it waits; None: as long as it takes.

        Returns:
            What still waits in the outbox.

        Raises:
            OutboxFailed: the outbox can't be read.
        """
        return await self._forwarding.flush(within)

    def _make_link(self, urls: str) -> Link:
        return Link(urls, self._settings.publish_timeout)

    def _get_question(self, address: Address) -> GetQuestion:
        return build(GetQuestion, **address._asdict(), min_version=self._recent.min_version(address))

    async def _write(self, command: AnyCommand, wait: Wait) -> Receipt:
        receipt = await self._writer.write(command, wait)
        # A delete may have been issued again, under a newer version.
        self._remember([command.model_copy(update={"id": receipt.version})])
        return receipt

    def _remember(self, commands: Iterable[AnyCommand]) -> None:
        for command in commands:
            namespace = None if isinstance(command, DeleteUser) else command.namespace
            key = command.key if isinstance(command, AddressCommand) else None
            self._wrote(command.id, command.user_id, namespace, key)

    def _wrote(self, version: str, user_id: str, namespace: str | None, key: str | None) -> None:
        self._recent.wrote(version, user_id, namespace, key)
        self._clock_file.save_sometimes(self._clock)

    async def _sinks(self) -> frozenset[str]:
        return frozenset((await self.stats()).sinks)

    def _seen(self, answer: AnyAnswer, kind: type[Answer]) -> Answer:
        """The answer as what it must be; the clock moves past every version in it."""
        if not isinstance(answer, kind):
            raise IncompleteAnswer(f"the answer is a {answer.type}, which was not asked for")
        for version in _versions(answer):
            self._clock.observe(version)
        return answer


def _versions(answer: AnyAnswer) -> list[str]:
    if isinstance(answer, GetAnswer):
        return [answer.version] if answer.version is not None else []
    return [hit.entry.version for hit in answer.hits] if isinstance(answer, PageAnswer) else []


def _entry_of(answer: GetAnswer, address: Address) -> Entry | None:
    if answer.state == "unanswered" or (answer.state == "unknown" and not answer.complete):
        missing = [f"{name}: {said.status}" for name, said in answer.sinks.items() if said.status != "ok"]
        raise IncompleteAnswer(
            f"nobody could say what is at {address} ({', '.join(missing) or 'not applied yet'})",
            hint="ask again later",
        )
    return answer.entry
