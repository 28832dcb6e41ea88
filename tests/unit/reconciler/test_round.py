"""One round: what is sent, from whom, and what it says of it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from memlane.contracts.command import AnyCommand
from memlane.contracts.query import AnySinkQuestion
from memlane.contracts.rounds import RoundReport
from memlane.contracts.standing import NOTHING_SAID
from memlane.storage.conformance import asking
from memlane.storage.conformance.commands import NOW, address, delete, store
from memlane.storage.errors import SinkUnavailable
from memlane.storage.memory import FailingSink, MemorySink
from memlane.workers.aggregator.asking import Asked, LocalAsker
from memlane.workers.reconciler.repairs import RepairBook, Repaired, Repairs
from memlane.workers.reconciler.round import Manner, Round
from memlane.workers.reconciler.taking_part import participants
from memlane.workers.sink_reader import SinkReader

NAMES: Final = ("one", "two", "three")


class Lanes(Repairs):
    """Lanes that apply at once, or never."""

    def __init__(self, sinks: dict[str, FailingSink], *, silent: bool = False) -> None:
        self.sent: list[tuple[str, int]] = []
        self._sinks = sinks
        self._is_silent = silent

    async def send(self, sink: str, commands: Sequence[AnyCommand]) -> Repaired:
        """Applies, if it does."""
        self.sent.append((sink, len(commands)))
        if self._is_silent:
            return Repaired(waiting=len(commands))
        await self._sinks[sink].apply(commands, NOW)
        return Repaired(done=len(commands))


async def three() -> dict[str, FailingSink]:
    """Three empty sinks."""
    sinks = {name: FailingSink(MemorySink(name=name)) for name in NAMES}
    for sink in sinks.values():
        await sink.__aenter__()
    return sinks


async def one_round(sinks: dict[str, FailingSink], lanes: Lanes) -> RoundReport:
    """A round in which nothing is too young."""
    reader = SinkReader(LocalAsker(sinks, _nobody))
    standings = dict.fromkeys(NAMES, NOTHING_SAID)
    taking_part = await participants(reader, NAMES, standings, dict.fromkeys(NAMES, 0))
    manner = Manner(grace=timedelta(0))
    return await Round(taking_part, reader, lanes, book=RepairBook(), poison={}, manner=manner).run()


async def test_the_newest_goes_to_whoever_lacks_it() -> None:
    """A store and a delete; the report says which way they went."""
    sinks = await three()
    await asking.apply(sinks["one"], store("old"), store("new", at=2))
    await asking.apply(sinks["two"], delete("old", at=3))
    report = await one_round(sinks, Lanes(sinks))
    lacked = {name: (one.lacked, one.repaired, one.gave) for name, one in report.sinks.items()}
    assert lacked == {"one": (1, 1, 2), "two": (1, 1, 2), "three": (2, 2, 0)}
    assert {await asking.state(sink, address("old")) for sink in sinks.values()} == {
        await asking.state(sinks["two"], address("old"))
    }
    assert (await one_round(sinks, Lanes(sinks))).differences == 0


async def test_a_holder_that_can_not_be_read_does_not_end_the_round() -> None:
    """Another one holds it as well."""
    sinks = await three()
    for name in ("one", "two"):
        await asking.apply(sinks[name], store())
    sinks["one"].fail("fetch", error=SinkUnavailable("one is away"))
    report = await one_round(sinks, Lanes(sinks))
    assert (report.sinks["three"].repaired, report.sinks["two"].gave) == (1, 1)


async def test_what_nobody_can_say_now_waits() -> None:
    """And the sink that lacks it is not level."""
    sinks = await three()
    await asking.apply(sinks["one"], store())
    sinks["one"].fail("fetch", error=SinkUnavailable("one is away"))
    report = await one_round(sinks, Lanes(sinks))
    assert report.sinks["two"].waiting == 1
    assert not report.sinks["two"].is_level


async def test_a_lane_that_decides_nothing_gets_no_more_in_that_round() -> None:
    """Each message would be waited for."""
    sinks = await three()
    await asking.apply(sinks["one"], *(store(f"k{n}") for n in range(3000)))
    lanes = Lanes(sinks, silent=True)
    report = await one_round(sinks, lanes)
    assert {name for name, _ in lanes.sent} == {"two", "three"}
    assert report.sinks["two"].waiting == report.sinks["three"].waiting == 3000
    assert len(lanes.sent) <= 8


async def _nobody(
    sink: str,
    questions: Sequence[AnySinkQuestion],  # noqa: ARG001  # as `Ask` has it
    as_of: object,  # noqa: ARG001
    seconds: float,  # noqa: ARG001
) -> Asked:
    raise AssertionError(f"{sink} is here")
