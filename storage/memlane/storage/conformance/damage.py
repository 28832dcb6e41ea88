"""For sinks whose store a test can damage behind their back: the damage is seen, and mended."""

from abc import abstractmethod

from memlane.contracts.address import Address
from memlane.contracts.fingerprint import address_hash, bucket_of
from memlane.storage.conformance import asking
from memlane.storage.conformance.commands import NOW, address, delete, store
from memlane.storage.sink import Sink


class DamageConformance:
    """Say in a subclass how to damage your sink's store. Needs the fixture `sink`."""

    @abstractmethod
    async def spoil_digest(self, sink: Sink, bucket: int) -> None:
        """Makes the digest of a bucket wrong."""

    @abstractmethod
    async def spoil_content(self, sink: Sink, place: Address) -> None:
        """Changes the content of a live row, and leaves its version and hash."""

    async def test_a_recount_sets_a_wrong_digest_right(self, sink: Sink) -> None:
        """Once; after that there is nothing to correct."""
        await asking.apply(sink, store(), store("other"), delete("deleted", at=2))
        before, bucket = await sink.digests(), bucket_of(address_hash(*address()))
        await self.spoil_digest(sink, bucket)
        assert (await sink.digests())[bucket] != before[bucket]
        assert (await sink.sweep(NOW, recount=bucket)).corrected
        assert await sink.digests() == before
        assert not (await sink.sweep(NOW, recount=bucket)).corrected
        assert len(await asking.held(sink)) == 3

    async def test_a_recount_of_another_bucket_does_not_touch_it(self, sink: Sink) -> None:
        """One bucket an interval: each in its turn."""
        await asking.apply(sink, store())
        bucket = bucket_of(address_hash(*address()))
        await self.spoil_digest(sink, bucket)
        wrong = (await sink.digests())[bucket]
        await sink.sweep(NOW, recount=(bucket + 1) % 4096)
        assert (await sink.digests())[bucket] == wrong
        assert (await sink.sweep(NOW, recount=bucket)).corrected

    async def test_content_that_does_not_give_its_hash_is_not_intact(self, sink: Sink) -> None:
        """So that the reconciler does not take it for a source, and has it repaired."""
        await asking.apply(sink, store(), store("other"))
        await self.spoil_content(sink, address())
        intact = {trace.place: trace.intact for trace in await asking.held(sink)}
        assert intact == {address(): False, address("other"): True}
