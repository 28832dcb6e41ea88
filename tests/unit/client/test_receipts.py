"""Who waits for a command is told what the lanes decided, by the deadline."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memlane.contracts.receipt import Decision, ReceiptEnvelope, SinkReceipt
from memlane.producers.client.receipt_book import Expected, ReceiptBook
from tests.support.commands import version

ID = version()
OTHER_ID = version()
SOON = timedelta(seconds=1)
NOW = timedelta(0)


def receipt(decision: Decision = "applied", id_: str = ID) -> SinkReceipt:
    """What a lane decided."""
    return SinkReceipt(id=id_, decision=decision)


def nobody_is_ahead(_version: str) -> bool:
    """All clocks are right."""
    return False


# Any: of a message, only its body is looked at.
def message(body: bytes) -> Any:
    """A message as the link hands it over."""
    return SimpleNamespace(body=body)


async def test_all_that_are_waited_for_must_have_told() -> None:
    """In any order."""
    expected = Expected({"a", "b"}, nobody_is_ahead)
    waiting = asyncio.create_task(expected.wait(SOON))
    expected.note("b", receipt("parked"))
    await asyncio.sleep(0)
    assert not waiting.done()
    expected.note("a", receipt())
    assert await waiting == {"a": receipt(), "b": receipt("parked")}


async def test_who_has_not_told_is_pending() -> None:
    """At the deadline."""
    expected = Expected({"a", "b"}, nobody_is_ahead)
    expected.note("a", receipt())
    assert await expected.wait(NOW) == {"a": receipt(), "b": None}


@pytest.mark.parametrize(
    ("decision", "is_enough"), [("applied", True), ("superseded", True), ("parked", False)]
)
async def test_any_is_the_first_that_has_its_effect(decision: Decision, is_enough: bool) -> None:
    """A parked command has none."""
    expected = Expected("any", nobody_is_ahead)
    expected.note("a", receipt(decision))
    waiting = asyncio.create_task(expected.wait(SOON))
    await asyncio.sleep(0.01)
    assert waiting.done() == is_enough
    expected.note("b", receipt())
    assert "a" in await waiting


async def test_receipts_go_to_who_waits_for_them() -> None:
    """And those that nobody waits for, or not any more, to nobody."""
    book = ReceiptBook()
    mine, others = Expected({"a"}, nobody_is_ahead), Expected({"a"}, nobody_is_ahead)
    book.expect(ID, mine)
    book.expect(other := version(), others)
    book.forget(other)
    for id_ in (version(), other, ID):
        body = ReceiptEnvelope(sink="a", receipts=[receipt(id_=id_)]).model_dump_json(by_alias=True)
        await book.on_receipt(message(body.encode()))
    assert await mine.wait(NOW) == {"a": receipt()}
    assert await others.wait(NOW) == {"a": None}


@given(st.binary() | st.sampled_from([b"{}", b'{"schema":1,"sink":"a","receipts":[]}', b"[" * 100_000]))
async def test_what_can_not_be_read_counts_as_none(body: bytes) -> None:
    """It raises nothing into the connection."""
    await ReceiptBook().on_receipt(message(body))


async def test_a_version_ahead_is_noticed_when_it_is_told() -> None:
    """Not after the wait for the other sinks, when the time may have passed it."""
    ahead = {OTHER_ID}
    expected = Expected({"a", "b"}, ahead.__contains__)
    expected.note("a", SinkReceipt(id=ID, decision="superseded", newer=OTHER_ID))
    ahead.clear()
    expected.note("b", receipt())
    assert expected.overtaken
