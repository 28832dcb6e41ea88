"""For sinks that can't take every value: refused is decided once, and shows."""

from typing import ClassVar

from memlane.contracts.canonical import Json
from memlane.storage.conformance import asking
from memlane.storage.conformance.commands import address, delete, store, version
from memlane.storage.outcome import APPLIED, Outcome
from memlane.storage.rows import Kind
from memlane.storage.sink import Sink


class RefusalConformance:
    """Say in a subclass what your sink can never take. Needs the fixture `sink`.

    Attributes:
        too_much: a value that the sink refuses.
    """

    too_much: ClassVar[Json]

    async def test_it_is_refused_with_the_reason(self, sink: Sink) -> None:
        """And so it is when it comes again."""
        for _ in range(2):
            (outcome,) = await asking.apply(sink, store(value=self.too_much))
            assert outcome.decision == "refused"
            assert outcome.reason

    async def test_a_refused_row_serves_nothing(self, sink: Sink) -> None:
        """Its address is *unknown* at its version: another sink may have it."""
        await asking.apply_each(sink, [store(at=1), store(value=self.too_much, at=2)])
        assert await asking.state(sink, address()) == ("unknown", version(2))
        assert await asking.keys(sink) == []
        assert await asking.search(sink, "value") == []

    async def test_a_refused_row_shows(self, sink: Sink) -> None:
        """In stats, in the digest and in the comparison."""
        await asking.apply(sink, store(value=self.too_much))
        assert (await sink.stats("u")).refused == 1
        (trace,) = await asking.held(sink)
        assert (trace.version, trace.kind, trace.intact) == (version(1), Kind.REFUSED, True)

    async def test_what_is_older_does_not_come_back(self, sink: Sink) -> None:
        """It would be stale."""
        await asking.apply(sink, store(value=self.too_much, at=2))
        assert await asking.apply(sink, store(at=1)) == [Outcome("superseded", newer=version(2))]

    async def test_what_is_newer_takes_effect(self, sink: Sink) -> None:
        """A store that fits, or a delete."""
        await asking.apply(sink, store(value=self.too_much), store("l", self.too_much))
        assert await asking.apply(sink, store(at=2), delete("l", at=2)) == [APPLIED] * 2
        assert await asking.keys(sink) == ["k"]
        assert (await sink.stats("u")).refused == 0

    async def test_the_others_of_its_batch_are_applied(self, sink: Sink) -> None:
        """A refusal is an answer, not a failure."""
        outcomes = await asking.apply(sink, store("a"), store("b", self.too_much), store("c"))
        assert [outcome.decision for outcome in outcomes] == ["applied", "refused", "applied"]
        assert set(await asking.keys(sink)) == {"a", "c"}
