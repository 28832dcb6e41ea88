"""The sink that the documentation shows passes the suite, and the page shows what is tested."""

import re
from pathlib import Path

import pytest

from docs.examples.journal_sink import JournalSink
from docs.examples.test_journal_sink import TestJournalSink
from memlane.storage.conformance import asking
from memlane.storage.conformance.commands import address, delete, moment, store, version
from memlane.storage.errors import SinkMisconfigured
from memlane.storage.outcome import BELOW_FLOOR
from memlane.storage.settings import SinkSettings
from memlane.storage.sink import Sink

__all__ = ["TestJournalSink"]

_DOCS = Path(__file__).parents[3] / "docs"


def test_the_page_shows_the_examples_as_they_are() -> None:
    """Each Python block of the page stands in one of the example files."""
    page = (_DOCS / "sinks.md").read_text(encoding="utf-8")
    examples = [path.read_text(encoding="utf-8") for path in sorted((_DOCS / "examples").glob("*.py"))]
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        assert any(block in example for example in examples), block


async def test_what_was_applied_is_there_after_a_restart(tmp_path: Path) -> None:
    """By another sink on the same file, in the same incarnation."""
    async with JournalSink(tmp_path / "journal") as sink:
        await asking.apply(sink, store("kept"), store("due", expires_at=moment(10)), now=moment(5))
        await sink.sweep(moment(20))
        before = await sink.stats(None)
    async with JournalSink(tmp_path / "journal") as sink:
        assert await sink.stats(None) == before
        assert await asking.value(sink, address("kept")) == "a value"


async def test_what_was_forgotten_stays_forgotten_after_a_restart(tmp_path: Path) -> None:
    """So does the floor, and what was repaired below it."""
    async with JournalSink(tmp_path / "journal") as sink:
        await asking.apply(sink, delete(at=1), delete("new", at=9))
        await sink.sweep(moment(20), floor=version(5))
        await asking.apply(sink, store("repaired", at=2), repair=True)
        before, store_before = await sink.stats(None), await sink.health()
    async with JournalSink(tmp_path / "journal") as sink:
        assert await sink.stats(None) == before
        assert await sink.health() == store_before
        assert await asking.apply(sink, store(at=2)) == [BELOW_FLOOR]


async def test_a_line_that_was_cut_off_is_dropped(tmp_path: Path) -> None:
    """As by a crash in the middle of a write: that batch was not yet applied, and comes again."""
    path = tmp_path / "journal"
    async with JournalSink(path) as sink:
        await asking.apply(sink, store("whole"))
        whole = path.read_bytes()
        await asking.apply(sink, store("cut off"))
    path.write_bytes(path.read_bytes()[:-5])
    async with JournalSink(path) as sink:
        assert await asking.keys(sink) == ["whole"]
        assert path.read_bytes() == whole


async def test_a_file_that_cannot_be_is_said_at_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the setting to change."""
    monkeypatch.setenv("JOURNAL_SINK_PATH", str(tmp_path))
    sink: Sink = JournalSink.from_settings("mine", SinkSettings())
    with pytest.raises(SinkMisconfigured, match="JOURNAL_SINK_PATH"):
        await sink.__aenter__()
