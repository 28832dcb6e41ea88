"""What a receipt comes to."""

from collections.abc import Mapping

import pytest

from memlane.contracts.receipt import Receipt, SinkReceipt
from memlane.producers.cli.receipts import exit_code_for, lines_of, record_of, tell_receipt
from memlane.producers.client.writing import Wait

VERSION = "01890a5d-ac96-774b-bcce-b302099a8057"
APPLIED = SinkReceipt(id=VERSION, decision="applied")
SUPERSEDED = SinkReceipt(id=VERSION, decision="superseded", newer=VERSION)
PARKED = SinkReceipt(id=VERSION, decision="parked", reason="too large")


def receipt(sinks: Mapping[str, SinkReceipt | None]) -> Receipt:
    """A receipt with what these sinks said."""
    return Receipt(version=VERSION, confirmed=True, sinks=dict(sinks))


@pytest.mark.parametrize(
    ("wait", "sinks", "code"),
    [
        ("broker", {}, 0),
        ("any", {"a": APPLIED}, 0),
        ("any", {"a": PARKED, "b": SUPERSEDED}, 0),
        ("any", {"a": PARKED}, 1),
        ("any", {}, 3),
        ("all", {"a": APPLIED, "b": APPLIED}, 0),
        ("all", {"a": APPLIED, "b": SUPERSEDED}, 0),
        ("all", {"a": APPLIED, "b": PARKED}, 1),
        ("all", {"a": APPLIED, "b": None}, 3),
        ("all", {"a": PARKED, "b": None}, 1),
        (frozenset({"a"}), {"a": None}, 3),
        (frozenset({"a"}), {"a": APPLIED}, 0),
    ],
)
def test_the_exit_code_says_whether_it_came_as_far_as_was_asked_for(
    wait: Wait, sinks: Mapping[str, SinkReceipt | None], code: int
) -> None:
    """0 decided, 1 parked, 3 not decided by the deadline."""
    assert exit_code_for(receipt(sinks), wait) == code


@pytest.mark.parametrize(("wait", "code"), [("outbox", 0), ("broker", 0), ("any", 3), ("all", 3)])
def test_what_is_queued_came_as_far_as_it_can(
    wait: Wait, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said on stderr, unless that was asked for."""
    sinks: dict[str, SinkReceipt | None] = {"a": None} if code else {}
    queued = Receipt(version=VERSION, confirmed=False, queued=True, sinks=sinks)
    assert tell_receipt(queued, wait, "stored u:k") == code
    told = capsys.readouterr()
    assert told.out.startswith(f"stored u:k  (queued in the outbox, version {VERSION})")
    assert ("memlane outbox flush" in told.err) is (wait != "outbox")
    assert record_of(queued)["queued"] is True


def test_people_are_told_what_each_sink_said() -> None:
    """With the reason."""
    lines = lines_of(receipt({"b": None, "a": PARKED, "c": SUPERSEDED, "d": APPLIED}), "all", "stored u:k")
    assert lines == [
        f"stored u:k  (confirmed by the broker, version {VERSION})",
        "  a: parked: too large",
        "  b: has not decided yet; the command waits in its queue",
        f"  c: superseded by a newer version, {VERSION}",
        "  d: applied",
    ]
    assert "no sink has said anything yet" in lines_of(receipt({}), "any", "stored")[1]


def test_programs_are_told_the_same() -> None:
    """Null: not decided."""
    assert record_of(receipt({"a": PARKED, "b": None})) == {
        "version": VERSION,
        "confirmed": True,
        "queued": False,
        "sinks": {"a": {"decision": "parked", "reason": "too large"}, "b": None},
    }
