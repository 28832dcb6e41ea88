"""What a sink may have forgotten is not brought to it again; what it still serves is deleted all the same."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from memlane.contracts.address import Address
from memlane.contracts.command import AnyCommand
from memlane.contracts.fingerprint import BUCKETS
from memlane.contracts.reply import SinkDigests
from memlane.contracts.rounds import RoundReport
from memlane.contracts.standing import NOTHING_SAID
from memlane.storage.conformance import asking
from memlane.storage.conformance.commands import (
    NOW,
    address,
    delete,
    delete_namespace,
    expired,
    forget,
    store,
    version,
)
from memlane.storage.memory import MemorySink
from memlane.storage.rows import Kind, Scope, Trace
from memlane.workers.aggregator.asking import LocalAsker, RemoteAsker
from memlane.workers.reconciler.comparing import Terms, compare
from memlane.workers.reconciler.repairs import RepairBook
from memlane.workers.reconciler.round import Manner, Round
from memlane.workers.reconciler.taking_part import Participant, highest_floor, participants
from memlane.workers.sink_reader import SinkReader

FLOOR: Final = version(100)
DELETED, EXPIRED, LIVE, REFUSED = Kind.DELETED, Kind.EXPIRED, Kind.LIVE, Kind.REFUSED


def trace(kind: Kind | None, at: float, place: Address | Scope | None = None) -> Trace:
    """Of a row, or (None) of a mark."""
    if place is None:
        place = Scope("u", "n") if kind is None else address()
    return Trace(place, version(at), "0" * 32, kind, intact=True)


def lacking(one: Trace | None, other: Trace | None, floor: str | None = FLOOR) -> set[str]:
    """Which of two sinks lacks something, by what each of them holds."""
    held = {"one": [one] if one else [], "other": [other] if other else []}
    terms = Terms(held.keys(), dict.fromkeys(held, None), floor=floor)
    return {lack.sink for lack in compare(held, terms).lacks}


def test_a_delete_below_the_floor_is_not_lacked() -> None:
    """Deleted and expired rows, and marks; nor where what is there serves nothing."""
    for kind in (DELETED, EXPIRED, None):
        assert lacking(trace(kind, at=99), None) == set()
        assert lacking(trace(kind, at=99), None, floor=None) == {"other"}
        assert lacking(trace(kind, at=100), None) == {"other"}
    assert lacking(trace(DELETED, at=99), trace(EXPIRED, at=98)) == set()


def test_what_lives_below_the_floor_is_lacked() -> None:
    """Only deletes are forgotten."""
    assert lacking(trace(LIVE, at=1), None) == {"other"}
    assert lacking(trace(LIVE, at=1), trace(DELETED, at=0)) == {"other"}
    assert lacking(trace(REFUSED, at=1), None) == {"other"}


def test_a_delete_of_what_another_serves_is_lacked() -> None:
    """However old it is: else, once it is forgotten, what it deleted would come back."""
    assert lacking(trace(DELETED, at=2), trace(LIVE, at=1)) == {"other"}
    assert lacking(trace(EXPIRED, at=2), trace(LIVE, at=1)) == {"other"}


def test_the_highest_floor_counts() -> None:
    """Of those that take part, and tell one."""

    def one(floor: str | None) -> Participant:
        zeros = [0] * BUCKETS
        digests = SinkDigests(counts=zeros, sums=zeros, incarnation="i", changes=0, floor=floor)
        return Participant("one", "source", digests=digests)

    absent = Participant("absent", "skipped")
    assert highest_floor([absent, one(None)]) is None
    assert highest_floor([one(version(5)), absent, one(FLOOR), one(None)]) == FLOOR


class NoRemote(RemoteAsker):
    """Nobody is asked over a broker."""

    def __init__(self) -> None:
        pass


async def dry_round(sinks: Mapping[str, MemorySink]) -> RoundReport:
    """Only compares."""
    reader = SinkReader(LocalAsker(sinks, NoRemote()))
    backlogs = dict.fromkeys(sinks, 0)
    taking_part = await participants(reader, list(sinks), dict.fromkeys(sinks, NOTHING_SAID), backlogs)
    manner = Manner(grace=timedelta(0), dry_run=True)
    return await Round(taking_part, reader, None, book=RepairBook(), poison={}, manner=manner).run()


async def test_while_one_sink_has_swept_and_the_other_not_nothing_is_repaired() -> None:
    """The sinks' sweeps are minutes apart. Afterwards their digests are the same again."""
    commands: list[AnyCommand] = [
        store("live"), delete(at=1), expired(store("e")), delete_namespace("n", at=1), forget("v", at=1),
        delete("new", at=150), forget("w", at=150),
    ]  # fmt: skip
    async with MemorySink(name="one") as one, MemorySink(name="two") as two:
        for sink in (one, two):
            await sink.apply(commands, NOW)
        await asking.sweep(one, floor=FLOOR)
        report = await dry_round({"one": one, "two": two})
        assert report.buckets > 0
        assert report.differences == 0
        await asking.sweep(two, floor=FLOOR)
        assert await one.digests() == await two.digests()
