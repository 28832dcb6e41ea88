"""Forgetting deletes below a floor: what goes, what stays, and what is refused there from then on."""

from memlane.contracts.command import AnyCommand
from memlane.contracts.version import MAX_MILLISECONDS, make_version
from memlane.storage.conformance import asking
from memlane.storage.conformance.commands import (
    NOW,
    address,
    delete,
    delete_namespace,
    expired,
    forget,
    moment,
    store,
    version,
)
from memlane.storage.outcome import APPLIED, BELOW_FLOOR, Outcome, SweepReport
from memlane.storage.rows import Kind, Scope
from memlane.storage.sink import Sink

FLOOR = version(100)


class Forgetting:
    """What a sweep with a floor removes."""

    async def test_without_a_floor_nothing_is_forgotten(self, sink: Sink) -> None:
        """Tombstones, expired rows and marks are kept for ever."""
        await asking.apply(sink, delete(at=1), expired(store("e")), delete_namespace("n", at=1))
        assert await asking.sweep(sink) == SweepReport()
        assert len(await asking.held(sink)) == 3
        assert (await sink.health()).floor is None

    async def test_deletes_below_the_floor_are_forgotten(self, sink: Sink) -> None:
        """Deleted and expired rows and finished marks. What is as new as the floor stays, and what lives."""
        await asking.apply(
            sink, delete("d", at=1), delete("new", at=100), expired(store("e")), store("live", at=1)
        )
        await asking.apply(sink, store(user="v", namespace="n/m"), delete_namespace("n", at=2, user="v"))
        await asking.apply(sink, forget("w", at=3), forget("x", at=100))
        assert await asking.sweep(sink, floor=FLOOR) == SweepReport(forgotten=4)
        places = {trace.place for trace in await asking.held(sink)}
        assert places == {address("new"), address("live"), Scope("x", None)}
        assert await asking.state(sink, address("d")) == ("unknown", None)
        assert await asking.value(sink, address("live")) == "a value"

    async def test_counts_follow(self, sink: Sink) -> None:
        """The counts of a user and of all, and the change counter."""
        await asking.apply(sink, delete(at=1), expired(store("e")), forget("w", at=1), store("live"))
        before = await sink.stats(None)
        await asking.sweep(sink, floor=FLOOR)
        after = await sink.stats(None)
        assert (before.deleted, before.expired, before.marks) == (1, 1, 1)
        assert (after.live, after.deleted, after.expired, after.marks) == (1, 0, 0, 0)
        assert after.changes > before.changes
        assert (await sink.stats("w")).digest.count == 0

    async def test_what_expires_below_the_floor_is_forgotten(self, sink: Sink) -> None:
        """In the same sweep, or the next."""
        await asking.apply(sink, store(expires_at=moment(50)), now=moment(5))
        await asking.sweep(sink, moment(20), floor=FLOOR)
        await asking.sweep(sink, moment(60), floor=FLOOR)
        await asking.sweep(sink, moment(60), floor=FLOOR)
        assert await asking.held(sink) == []

    async def test_in_bounded_steps(self, sink: Sink) -> None:
        """No sweep touches more than its limit, and says whether there is more."""
        await asking.apply(
            sink, *(delete(f"k{n}", at=n) for n in range(7)), *(forget(f"w{n}", at=1) for n in range(3))
        )
        report = await sink.sweep(NOW, limit=3, floor=FLOOR)
        assert report.forgotten <= 3
        assert report.more
        assert report.forgotten + (await asking.sweep(sink, limit=3, floor=FLOOR)).forgotten == 10
        assert await asking.held(sink) == []

    async def test_a_mark_stays_until_its_rows_are_gone(self, sink: Sink) -> None:
        """Else what it covers would come back."""
        await asking.apply(sink, *(store(f"k{n}", namespace="n") for n in range(20)))
        await asking.apply(sink, delete_namespace("n", at=2))
        for _ in range(100):
            more = (await sink.sweep(NOW, limit=3, floor=FLOOR)).more
            assert await asking.keys(sink) == []
            if not more:
                break
        assert await asking.held(sink) == []

    async def test_the_highest_floor_is_kept(self, sink: Sink) -> None:
        """A lower one, or none, changes nothing."""
        await asking.sweep(sink, floor=FLOOR)
        await asking.sweep(sink, floor=version(50))
        await asking.sweep(sink)
        assert (await sink.health()).floor == FLOOR
        await asking.apply(sink, delete(at=70))
        assert (await asking.sweep(sink, floor=version(50))).forgotten == 1
        await asking.sweep(sink, floor=version(200))
        assert (await sink.health()).floor == version(200)

    async def test_a_late_delete_goes_with_a_later_sweep(self, sink: Sink) -> None:
        """What comes below the floor after a sweep: rows and marks."""
        await asking.sweep(sink, floor=FLOOR)
        late: list[AnyCommand] = [
            delete(at=1),
            expired(store("e")),
            forget("w", at=1),
            delete_namespace("n", at=1),
        ]
        assert await asking.apply(sink, *late) == [APPLIED] * 4
        assert (await asking.sweep(sink, floor=FLOOR)).forgotten <= 4
        assert await asking.held(sink) == []

    async def test_a_higher_floor_forgets_more(self, sink: Sink) -> None:
        """Each time that it moves."""
        await asking.apply(sink, delete("a", at=1), delete("b", at=150))
        assert (await asking.sweep(sink, floor=FLOOR)).forgotten == 1
        assert (await asking.sweep(sink, floor=version(200))).forgotten == 1


class BelowTheFloor:
    """What becomes of commands that are older than the floor."""

    async def test_a_store_without_a_live_row_is_refused(self, sink: Sink) -> None:
        """It may have been deleted. It leaves no row, whatever else was there."""
        await asking.apply(sink, delete("gone", at=1), delete("new", at=150), store("kept", at=120))
        await asking.sweep(sink, floor=FLOOR)
        stores = [store("gone", at=2), store("never", at=2), store("gone", at=3)]
        assert await asking.apply(sink, *stores) == [BELOW_FLOOR] * 3
        assert {trace.place for trace in await asking.held(sink)} == {address("new"), address("kept")}
        newer = await asking.apply(sink, store("new", at=99), store("kept", at=99))
        assert newer == [Outcome("superseded", newer=version(at)) for at in (150, 120)]

    async def test_a_tombstone_that_is_still_there_is_no_live_row(self, sink: Sink) -> None:
        """Nor is a row that a mark covers."""
        await asking.sweep(sink, floor=FLOOR)
        await asking.apply(sink, delete(at=1), store("m", namespace="n", at=1), repair=True)
        await asking.apply(sink, delete_namespace("n", at=2))
        late = [store(at=2), store("m", namespace="n", at=3)]
        assert await asking.apply(sink, *late) == [BELOW_FLOOR] * 2
        assert await asking.keys(sink) == []

    async def test_over_a_live_row_it_takes_effect(self, sink: Sink) -> None:
        """A delete between the two would have removed it. The same again is applied again."""
        await asking.apply(sink, store(at=1))
        await asking.sweep(sink, floor=FLOOR)
        newer = store(value="newer", at=2)
        assert await asking.apply(sink, newer) == [APPLIED]
        assert await asking.apply(sink, newer, newer) == [APPLIED] * 2
        assert await asking.value(sink, address()) == "newer"
        assert await asking.apply(sink, delete(at=3), store(at=4)) == [APPLIED, BELOW_FLOOR]
        assert await asking.state(sink, address()) == ("gone", version(3))

    async def test_a_repair_is_taken(self, sink: Sink) -> None:
        """Another sink holds it, live."""
        await asking.sweep(sink, floor=FLOOR)
        assert await asking.apply(sink, store(at=1), repair=True) == [APPLIED]
        assert await asking.value(sink, address()) == "a value"
        assert await asking.apply(sink, store("other", at=1)) == [BELOW_FLOOR]

    async def test_a_store_that_has_expired_leaves_what_a_delete_does(self, sink: Sink) -> None:
        """It serves nothing, so it need not be parked."""
        await asking.sweep(sink, floor=FLOOR)
        assert await asking.apply(sink, store(expires_at=moment(50))) == [APPLIED]
        await asking.sweep(sink, floor=FLOOR)
        assert await asking.held(sink) == []

    async def test_at_the_floor_and_above_all_is_as_ever(self, sink: Sink) -> None:
        """Only what is older is in doubt."""
        await asking.sweep(sink, floor=FLOOR)
        assert await asking.apply(sink, store(at=100), store("b", at=101)) == [APPLIED] * 2

    async def test_everything_may_be_below(self, sink: Sink) -> None:
        """Whatever the floor is."""
        await asking.apply(sink, store("live"), delete("d", at=2))
        await asking.sweep(sink, floor=make_version(MAX_MILLISECONDS, 0))
        assert await asking.apply(sink, store("d", at=3), store("live", at=3)) == [BELOW_FLOOR, APPLIED]
        assert [trace.kind for trace in await asking.held(sink)] == [Kind.LIVE]
