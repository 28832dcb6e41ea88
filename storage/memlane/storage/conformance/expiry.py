"""Expiry: what is expired is never returned, swept or not."""

from datetime import timedelta

from memlane.storage.conformance import asking
from memlane.storage.conformance.commands import address, delete, delete_namespace, moment, store, version
from memlane.storage.outcome import APPLIED, Outcome
from memlane.storage.sink import Sink


class Expiry:
    """An entry is there until just before its `expires_at`, as of the instant that is asked."""

    async def test_it_is_gone_from_its_instant_on(self, sink: Sink) -> None:
        """To the microsecond, without a sweep."""
        await asking.apply(sink, store(expires_at=moment(100)), now=moment(50))
        just_before = moment(100) - timedelta(microseconds=1)
        assert await asking.state(sink, address(), just_before) == ("entry", version(1))
        assert await asking.state(sink, address(), moment(100)) == ("gone", version(1))

    async def test_no_page_holds_it(self, sink: Sink) -> None:
        """Neither a list nor a search, before any sweep."""
        due, stays = store("due", "wine", expires_at=moment(100)), store("stays", "wine")
        await asking.apply(sink, due, stays, now=moment(50))
        for as_of, expected in ((moment(99), {"due", "stays"}), (moment(100), {"stays"})):
            assert set(await asking.keys(sink, as_of=as_of)) == expected
            assert set(await asking.search(sink, "wine", as_of=as_of)) == expected
            assert set(await asking.search(sink, "", as_of=as_of)) == expected

    async def test_expired_on_arrival(self, sink: Sink) -> None:
        """It is applied, as an expired row: what is older does not come back in its place."""
        await asking.apply(sink, store(at=1))
        expired = store(at=2, expires_at=moment(100))
        assert await asking.apply(sink, expired, now=moment(100)) == [APPLIED]
        assert await asking.state(sink, address(), moment(100)) == ("gone", version(2))
        assert await asking.apply(sink, store(at=1), now=moment(101)) == [
            Outcome("superseded", newer=version(2))
        ]
        stats = await sink.stats("u")
        assert (stats.live, stats.expired) == (0, 1)

    async def test_a_sweep_makes_due_rows_expired(self, sink: Sink) -> None:
        """Their content goes, their version stays, and no digest changes."""
        commands = [
            store("due", expires_at=moment(100)),
            store("later", expires_at=moment(200)),
            store("never"),
        ]
        await asking.apply(sink, *commands, now=moment(50))
        before = await sink.digests()
        assert (await asking.sweep(sink, moment(100))).expired == 1
        stats = await sink.stats("u")
        assert (stats.live, stats.expired, stats.deleted) == (2, 1, 0)
        assert await sink.digests() == before
        assert await asking.state(sink, address("due"), moment(100)) == ("gone", version(1))

    async def test_arriving_expired_and_expiring_later_are_the_same(self, sink: Sink) -> None:
        """Two sinks of which one was late hold the same: the digest does not tell them apart."""
        early, late = store(user="a", expires_at=moment(100)), store(user="a", expires_at=moment(100))
        await asking.apply(sink, early, now=moment(50))
        before = (await sink.stats("a")).digest
        await asking.sweep(sink, moment(150))
        assert await asking.apply(sink, late, now=moment(150)) == [APPLIED]
        assert (await sink.stats("a")).digest == before

    async def test_a_sweep_takes_no_more_than_its_limit(self, sink: Sink) -> None:
        """And says that there is more."""
        await asking.apply(sink, *(store(f"k{n}", expires_at=moment(100)) for n in range(7)), now=moment(50))
        report = await sink.sweep(moment(100), limit=3)
        assert (report.expired, report.more) == (3, True)
        assert (await asking.sweep(sink, moment(100), limit=3)).expired == 4
        assert (await sink.stats("u")).expired == 7

    async def test_what_expires_and_what_a_mark_takes_share_the_limit(self, sink: Sink) -> None:
        """However much is due of either."""
        due = [store(f"k{n}", expires_at=moment(100)) for n in range(4)]
        covered = [store(f"k{n}", namespace="a") for n in range(4)]
        await asking.apply(sink, *due, *covered, now=moment(50))
        await asking.apply(sink, delete_namespace("a", at=2), now=moment(50))
        await asking.sweep(sink, moment(100), limit=3)
        stats = await sink.stats("u")
        assert (stats.live, stats.expired, stats.marks) == (0, 4, 1)

    async def test_a_sweep_with_nothing_due_does_nothing(self, sink: Sink) -> None:
        """Not even count as a change."""
        await asking.apply(sink, store(), now=moment(50))
        changes = (await sink.stats(None)).changes
        report = await sink.sweep(moment(100))
        assert (report.expired, report.purged, report.more) == (0, 0, False)
        assert (await sink.stats(None)).changes == changes

    async def test_a_newer_store_lives_again(self, sink: Sink) -> None:
        """Before or after the sweep; the older one's expiry does not touch it."""
        for key, swept in (("swept", True), ("not swept", False)):
            await asking.apply(sink, store(key, expires_at=moment(100)), now=moment(50))
            if swept:
                await asking.sweep(sink, moment(150))
            await asking.apply(sink, store(key, "new", at=140), now=moment(150))
        await asking.sweep(sink, moment(200))
        assert set(await asking.keys(sink)) == {"swept", "not swept"}

    async def test_a_delete_of_an_expired_entry_takes_effect(self, sink: Sink) -> None:
        """It is newer, so it is what is kept."""
        await asking.apply(sink, store(expires_at=moment(100)), now=moment(150))
        await asking.apply(sink, delete(at=140), now=moment(150))
        stats = await sink.stats("u")
        assert (stats.expired, stats.deleted) == (0, 1)

    async def test_an_instant_far_away(self, sink: Sink) -> None:
        """The last microsecond of the year 9999 is far, and comes back as it was."""
        last = moment(0).replace(
            year=9999, month=12, day=31, hour=23, minute=59, second=59, microsecond=999_999
        )
        await asking.apply(sink, store(expires_at=last))
        assert (await asking.entry(sink, address())).expires_at == last

    async def test_created_before_1970(self, sink: Sink) -> None:
        """Imported memories may be older than the epoch, to the first instant there is."""
        first = moment(0).replace(year=1, month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
        await asking.apply(sink, store(created_at=first))
        assert (await asking.entry(sink, address())).created_at == first
