"""A parked message goes back to its lane."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from aio_pika.abc import AbstractConnection, HeadersType
from aiormq.abc import DeliveredMessage

from memlane.contracts import headers
from memlane.contracts.clock import HybridClock
from memlane.contracts.codec import decode_message, encode_message
from memlane.contracts.errors import MalformedMessage, VersionFromFuture
from memlane.contracts.instants import now, to_text
from memlane.contracts.limits import MAX_IDENTIFIER
from memlane.contracts.topology import COMMANDS, lane_queue
from memlane.producers.broker.publisher import DEFAULT_EXCHANGE, Publisher
from memlane.producers.cli.dead.letters import Letter, text_of

_MAX_CHARACTERS: Final = 64
"""Of a header that goes along; a lane leaves longer ones behind as well."""

_KEPT: Final = ((headers.TRACEPARENT, _MAX_CHARACTERS), (headers.ON_BEHALF_OF, MAX_IDENTIFIER))
FROM_FUTURE: Final = VersionFromFuture.__name__
_NO_STAMPS: Final[Mapping[str, str]] = MappingProxyType({})


class Retrier:
    """Publishes parked messages to their lane again, as if they came for the first time.

    Args:
        sink: the lane's.
        account: with which this command line logs in.
        publisher: for messages that have a principal; publishes as that account.
        nameless: for messages that have none, which must not get one by being retried.
        stamps: new versions for commands from the future, by their old ones; others stay as they are.
    """

    def __init__(
        self,
        sink: str,
        account: str,
        publisher: Publisher,
        nameless: Publisher,
        stamps: Mapping[str, str] = _NO_STAMPS,
    ) -> None:
        self.restamped = 0
        self._sink = sink
        self._account = account
        self._publisher = publisher
        self._nameless = nameless
        self._stamps = stamps

    @classmethod
    async def open(
        cls, connection: AbstractConnection, sink: str, account: str, stamps: Mapping[str, str] = _NO_STAMPS
    ) -> "Retrier":
        """A retrier on new channels of the connection."""
        named = await Publisher.open(connection, user_id=account)
        return cls(sink, account, named, await Publisher.open(connection), stamps)

    async def retry(self, letter: Letter, message: DeliveredMessage) -> None:
        """Publishes it to the lane, and waits for the confirm: only then may it leave the queue.

        With a new version it is a new command, and goes to all sinks.

        Raises:
            PublishFailed: refused, not routable or not confirmed in time.
            BrokerUnreachable: the connection was lost; it may have arrived.
        """
        principal = principal_of(letter, message, self._account)
        publisher = self._nameless if principal is None else self._publisher
        restamped = self._restamped(letter, message.body)
        exchange, key = (DEFAULT_EXCHANGE, lane_queue(self._sink)) if restamped is None else (COMMANDS, "")
        await publisher.publish(
            exchange,
            key,
            message.body if restamped is None else restamped,
            headers=headers_of(letter, message, principal),
            app_id=message.header.properties.app_id,
        )

    def _restamped(self, letter: Letter, body: bytes) -> bytes | None:
        """The message with new versions; None where it keeps its own."""
        if not self._stamps or letter.error != FROM_FUTURE:
            return None
        try:
            found = decode_message(body)
        except MalformedMessage:
            return None
        if found.bad or any(one.id not in self._stamps for one in found.commands):
            return None
        self.restamped += len(found.commands)
        return encode_message([one.model_copy(update={"id": self._stamps[one.id]}) for one in found.commands])


def new_versions(versions: Iterable[str], clock: HybridClock) -> dict[str, str]:
    """New versions by the old ones, in the same order: what was deleted after it was stored stays deleted."""
    return {version: clock.next() for version in sorted(versions)}


def principal_of(letter: Letter, message: DeliveredMessage, account: str) -> str | None:
    """Whose command a parked message is.

    A lane that parks a message writes it anew, and the header is the lane's. What the broker parked is as
    its producer sent it: there, the header counts only where it came from the account itself.

    Returns:
        None where nobody has verified it.
    """
    properties = message.header.properties
    if letter.by_broker and properties.user_id != account:
        # A worker may have published it for somebody else: then that account is not its author.
        claims = headers.PRINCIPAL in (properties.headers or {})
        return None if claims else properties.user_id
    claimed = (properties.headers or {}).get(headers.PRINCIPAL)
    return claimed if isinstance(claimed, str) and 0 < len(claimed) <= MAX_IDENTIFIER else None


def headers_of(letter: Letter, message: DeliveredMessage, principal: str | None) -> HeadersType:
    """Those that a message begins again with; the error, and who waited for a receipt, are left behind."""
    known = 0 < len(letter.parked) <= _MAX_CHARACTERS
    fields: HeadersType = {
        headers.ATTEMPT: 0,
        headers.FIRST_SEEN: letter.parked if known else to_text(now()),
    }
    if principal is not None:
        fields[headers.PRINCIPAL] = principal
    found = message.header.properties.headers or {}
    if not letter.by_broker and found.get(headers.REPAIR) is True:
        fields[headers.REPAIR] = True
    for name, most in _KEPT:
        value = text_of(found, name)
        if 0 < len(value) <= most:
            fields[name] = value
    return fields
