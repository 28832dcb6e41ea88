"""What is not sent again, and for how long."""

from memlane.contracts.command import AnyCommand
from memlane.contracts.fingerprint import command_hash
from memlane.contracts.receipt import SinkReceipt
from memlane.workers.reconciler.repairs import FIRST_AGAIN, MOST_AGAIN, RepairBook
from tests.support.commands import store


class _Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def _is_waiting(book: RepairBook, command: AnyCommand, sink: str = "redis") -> bool:
    return book.is_waiting(sink, command.id, command_hash(command))


def test_what_is_not_answered_is_sent_again_later_and_later() -> None:
    """At first soon, for its answer may have been lost; then ever more rarely, for its lane may still try."""
    clock, command = _Clock(), store("k")
    book = RepairBook(clock)
    assert not _is_waiting(book, command)
    seconds = FIRST_AGAIN
    for _ in range(10):
        book.sent("redis", [command])
        clock.now += seconds - 1
        assert _is_waiting(book, command)
        clock.now += 1
        assert not _is_waiting(book, command)
        seconds = min(MOST_AGAIN, 2 * seconds)


def test_what_was_answered_is_not_waited_for() -> None:
    """If it was parked, it is known as that."""
    book, done, parked = RepairBook(), store("done"), store("parked")
    book.sent("redis", [done, parked])
    book.heard("redis", done, SinkReceipt(id=done.id, decision="applied"))
    book.heard("redis", parked, SinkReceipt(id=parked.id, decision="parked"))
    assert not _is_waiting(book, done)
    assert not _is_waiting(book, parked)
    assert not book.is_parked("redis", done.id, command_hash(done))
    assert book.is_parked("redis", parked.id, command_hash(parked))


def test_what_did_not_leave_is_not_waited_for() -> None:
    """Only that."""
    book, one, other = RepairBook(), store("one"), store("other")
    book.sent("redis", [one, other])
    book.not_sent("redis", [one])
    assert not _is_waiting(book, one)
    assert _is_waiting(book, other)


def test_another_store_may_have_lost_what_it_was_sent() -> None:
    """It is sent again at once; what other sinks were sent is waited for."""
    book, command = RepairBook(), store("k")
    book.begin("redis", "first")
    book.begin("sqlite", "its")
    book.sent("redis", [command])
    book.sent("sqlite", [command])
    book.begin("redis", "first")
    assert _is_waiting(book, command)
    book.begin("redis", "second")
    assert not _is_waiting(book, command)
    assert _is_waiting(book, command, "sqlite")
