"""Values travel as opaque text: byte for byte what was stored."""

import json

from hypothesis import given

from memlane.contracts.canonical import canonical, parse
from memlane.contracts.command import StoreCommand
from memlane.contracts.entry import Entry
from memlane.contracts.instants import from_microseconds
from memlane.storage.conformance import asking
from memlane.storage.conformance.cases import VALUES
from memlane.storage.conformance.commands import NOW, USER, address, store
from memlane.storage.conformance.profiles import on_one_sink
from memlane.storage.conformance.strategies import any_store, fresh_names, instants
from memlane.storage.outcome import APPLIED
from memlane.storage.sink import Sink


class Values:
    """What was stored comes back exactly, in every kind of answer."""

    async def test_values_come_back_byte_for_byte(self, sink: Sink) -> None:
        """No empty list becomes an object, no integer is rounded, no float loses its point."""
        values = [json.loads(text) for text in VALUES]
        assert [canonical(value) for value in values] == VALUES
        await asking.apply(
            sink, *(store(f"k{n}", value, at=n, metadata={"m": value}) for n, value in enumerate(values))
        )
        fetched = await sink.fetch([address(f"k{n}") for n in range(len(VALUES))], NOW)
        listed = (await asking.page(sink, limit=500, order="oldest")).hits
        for entries in ([found.entry for found in fetched], [hit.entry for hit in listed]):
            assert [entry and entry.value_json for entry in entries] == VALUES
            assert [entry and entry.metadata_json for entry in entries] == [f'{{"m":{t}}}' for t in VALUES]

    async def test_a_large_value(self, sink: Sink) -> None:
        """Nearly a whole message; it is found by its words too."""
        value = "wort " * 200_000 + "é"
        assert await asking.apply(sink, store(value=value)) == [APPLIED]
        assert await asking.value(sink, address()) == value
        assert await asking.search(sink, "wort") == ["k"]

    async def test_a_large_value_of_one_word(self, sink: Sink) -> None:
        """Such as an encoded picture."""
        value = "A" * 1_000_000
        await asking.apply(sink, store(value=value))
        assert await asking.value(sink, address()) == value

    async def test_a_deep_value(self, sink: Sink) -> None:
        """64 levels, the deepest there can be."""
        text = '[{"a":' * 32 + "1" + "}]" * 32
        await asking.apply(sink, store(value=parse(text)))
        assert (await asking.entry(sink, address())).value_json == text

    async def test_a_long_integer(self, sink: Sink) -> None:
        """4,000 digits, the longest there can be."""
        await asking.apply(sink, store(value=int("9" * 4000)))
        assert (await asking.entry(sink, address())).value_json == "9" * 4000

    async def test_the_longest_labels(self, sink: Sink) -> None:
        """255 characters of four bytes each, in every label, and 100 tags."""
        longest = "🙂" * 255
        tags = sorted(f"{n:03}{longest[3:]}" for n in range(100))
        await asking.apply(
            sink,
            store(longest, user=longest, namespace=longest, tags=tags, session=longest, project=longest),
        )
        entry = await asking.entry(sink, address(longest, user=longest, namespace=longest))
        assert (entry.tags, entry.session_id, entry.project_id) == (tuple(tags), longest, longest)

    @on_one_sink()
    @given(command=any_store(fresh_names(), instants(2030)))
    async def test_any_entry_comes_back_whole(self, sink: Sink, command: StoreCommand) -> None:
        """Every field of any store, as it was sent, from a fetch and from a list."""
        await asking.apply(sink, command)
        page = await asking.page(sink, command.user_id, namespace=command.namespace)
        expected = _as_entry(command)
        assert await asking.entry(sink, command.address) == expected
        assert [hit.entry for hit in page.hits] == [expected]

    async def test_reading_does_not_change(self, sink: Sink) -> None:
        """Asked twice, a sink says the same."""
        await asking.apply(sink, store(value={"b": [1.0, 1]}))
        first = await sink.fetch([address(), address("none")], NOW)
        await asking.page(sink, USER)
        assert await sink.fetch([address(), address("none")], NOW) == first


def _as_entry(command: StoreCommand) -> Entry:
    fields = command.model_dump(exclude={"type", "id", "value_json", "metadata_json", "created_at"})
    return Entry.model_construct(
        **fields,
        version=command.id,
        value_json=command.value_json,
        metadata_json=command.metadata_json,
        created_at=from_microseconds(command.created_us),
    )
