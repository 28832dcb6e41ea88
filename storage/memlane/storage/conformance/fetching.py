"""Fetch: what is at these addresses, in their order."""

from memlane.storage.conformance import asking
from memlane.storage.conformance.commands import (
    NOW,
    address,
    delete,
    delete_namespace,
    moment,
    store,
    version,
)
from memlane.storage.sink import Sink


class Fetching:
    """An answer for each address: an entry, gone, or unknown."""

    async def test_what_was_never_stored_is_unknown(self, sink: Sink) -> None:
        """Without a version: there is no trace of it."""
        fetched = await asking.fetch(sink, address("nothing"))
        assert (fetched.state, fetched.version, fetched.entry) == ("unknown", None, None)

    async def test_answers_are_in_the_order_of_the_addresses(self, sink: Sink) -> None:
        """Whatever the states are."""
        await asking.apply(
            sink,
            store("there"),
            delete("deleted", at=2),
            store("expired", expires_at=moment(50)),
            delete_namespace("gone", at=4),
        )
        keys = ["there", "nothing", "deleted", "expired", "there"]
        addresses = [*map(address, keys), address("x", namespace="gone/below")]
        fetched = await sink.fetch(addresses, NOW)
        assert [(found.state, found.version) for found in fetched] == [
            ("entry", version(1)),
            ("unknown", None),
            ("gone", version(2)),
            ("gone", version(1)),
            ("entry", version(1)),
            ("gone", version(4)),
        ]
        assert [found.entry is not None for found in fetched] == [True, False, False, False, True, False]

    async def test_no_addresses_no_answers(self, sink: Sink) -> None:
        """Nothing asked, nothing said."""
        assert await sink.fetch([], NOW) == []

    async def test_many_addresses_at_once(self, sink: Sink) -> None:
        """A thousand of several users, half of them unknown."""
        commands = [store(f"k{n}", n, user=f"u{n % 7}") for n in range(500)]
        await asking.apply(sink, *commands)
        known = [command.address for command in commands]
        unknown = [at._replace(key=f"not {at.key}") for at in known]
        fetched = await sink.fetch([at for pair in zip(known, unknown, strict=True) for at in pair], NOW)
        assert [found.state for found in fetched] == ["entry", "unknown"] * 500
        assert [found.entry.value for found in fetched if found.entry] == list(range(500))
