"""The comparison can fail: what is planted is found, and what is right is not."""

import pytest

from memlane.contracts.address import Address
from memlane.contracts.clock import HybridClock
from memlane.contracts.command import AnyCommand
from memlane.contracts.instants import from_microseconds, now
from memlane.storage.memory import MemorySink
from memlane.storage.rows import Kind, Scope
from tests.chaos.comparing import compare
from tests.chaos.fold import Fold, fold
from tests.chaos.holdings import Content, Holding, Row, holding_of
from tests.chaos.journal import said_by
from tests.support.commands import delete, delete_namespace, store

HERE = Address("u", "default", "k")
NOW_US = 2_000_000_000_000_000


async def _held(*commands: AnyCommand) -> Holding:
    """What a sink holds that has decided just these."""
    async with MemorySink() as sink:
        await sink.apply(commands, now())
        return await holding_of(sink, {HERE}, now())


def _faults(expected: Fold, holding: Holding) -> list[str]:
    return [finding.fault for finding in compare(expected, holding)]


def _folded(*commands: AnyCommand, uncertain: tuple[AnyCommand, ...] = ()) -> Fold:
    return fold(map(said_by, commands), map(said_by, uncertain))


async def test_a_sink_that_decided_everything_is_right() -> None:
    """Its digest is the fold's, too."""
    commands: list[AnyCommand] = [store(), store("gone"), delete("gone")]
    commands += [store("x", namespace="a/b"), delete_namespace("a")]
    expected, holding = _folded(*commands), await _held(*reversed(commands))
    assert compare(expected, holding) == []
    assert holding.digest == expected.digest()


async def test_a_lost_store_is_found() -> None:
    """Confirmed, and not there."""
    assert _faults(_folded(store()), await _held(store("other"))) == ["lost", "wrong"]


async def test_a_lost_row_of_a_delete_is_found() -> None:
    """Nothing is visible either way, but an older store could come back."""
    assert _faults(_folded(store(), delete()), await _held()) == ["lost"]


async def test_a_store_that_an_older_one_stands_for_is_wrong() -> None:
    """The newer one was confirmed."""
    older, newer = store(value="older"), store(value="newer")
    assert _faults(_folded(older, newer), await _held(older)) == ["wrong"]


async def test_what_was_deleted_and_is_there_is_resurrected() -> None:
    """By address or by scope."""
    stored = store()
    for gone in (delete(), delete_namespace("default")):
        assert "resurrected" in _faults(_folded(stored, gone), await _held(stored))


async def test_what_nobody_stored_is_wrong() -> None:
    """It comes from nowhere."""
    assert _faults(_folded(), await _held(store())) == ["wrong"]


@pytest.mark.parametrize("decided", [True, False])
async def test_the_unconfirmed_may_be_there_or_not(decided: bool) -> None:
    """A store, a delete of an address and a scope delete."""
    stored = store()
    for unsure in (store(value="unsure"), delete(), delete_namespace("default")):
        holding = await _held(stored, *([unsure] if decided else []))
        assert _faults(_folded(stored, uncertain=(unsure,)), holding) == []


async def test_an_unconfirmed_store_does_not_excuse_the_loss_of_a_confirmed_one() -> None:
    """Either of the two must be there."""
    stored, unsure = store(), store(value="unsure")
    assert _faults(_folded(stored, uncertain=(unsure,)), await _held()) == ["lost"]


async def test_an_older_unconfirmed_store_excuses_nothing() -> None:
    """The confirmed one is newer."""
    unsure, stored = store(value="unsure"), store()
    assert _faults(_folded(stored, uncertain=(unsure,)), await _held(unsure)) == ["wrong"]


async def test_a_lost_mark_is_found() -> None:
    """Also where nothing is below it."""
    assert _faults(_folded(delete_namespace("a")), await _held()) == ["lost"]


async def test_a_mark_that_nobody_made_is_wrong() -> None:
    """It would hide what is stored below it."""
    assert _faults(_folded(), await _held(delete_namespace("a"))) == ["wrong"]


def test_damage_and_a_wrong_digest_are_found() -> None:
    """Each by itself."""
    said = said_by(store())
    row = Row(said.version, said.hash, Kind.LIVE)
    holding = Holding("x", NOW_US, NOW_US, {HERE: Content(said.version, said.hash)}, {HERE: row}, {}, [HERE])
    holding.digest = fold([]).digest()
    assert _faults(fold([said]), holding) == ["wrong", "wrong"]


def test_a_file_without_rows_is_compared_by_what_is_visible() -> None:
    """A foreign server keeps no versions of what is gone."""
    stored, gone = said_by(store()), said_by(delete())
    visible = Holding("file", NOW_US, NOW_US, {HERE: Content(stored.version, stored.hash)})
    assert _faults(fold([stored]), visible) == []
    assert _faults(fold([stored, gone]), visible) == ["resurrected"]
    assert _faults(fold([stored, gone]), Holding("file", NOW_US, NOW_US)) == []


def test_a_mark_counts_for_whole_parts_of_a_namespace() -> None:
    """`ab` is not below `a`."""
    stored = said_by(store(namespace="ab"))
    mark = said_by(delete_namespace("a"))
    assert mark.place == Scope("u", "a")
    assert fold([stored, mark]).at(Address("u", "ab", "k")).top == stored


def test_what_expires_may_be_visible_until_it_is_swept() -> None:
    """Of a server that knows nothing of expiry; a sink's own answer is exact."""
    expired = said_by(store(expires_at=from_microseconds(NOW_US - 1_000_000)))
    content = Content(expired.version, expired.hash)
    assert _faults(fold([expired]), Holding("file", NOW_US, NOW_US - 2_000_000, {HERE: content})) == []
    assert _faults(fold([expired]), Holding("file", NOW_US, NOW_US - 2_000_000)) == []
    assert _faults(fold([expired]), Holding("sink", NOW_US, NOW_US, {HERE: content})) == ["resurrected"]


def test_versions_rise() -> None:
    """What these tests rest on."""
    clock = HybridClock()
    assert clock.next() < clock.next()
