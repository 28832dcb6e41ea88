"""What a receipt comes to: lines for people, a record for programs, and an exit code."""

from typing import Any

from memlane.contracts.receipt import Receipt, SinkReceipt
from memlane.producers.cli.exit_codes import DONE, FAILED, INCOMPLETE
from memlane.producers.cli.output import as_json, note, write, write_record
from memlane.producers.client.writing import Wait


def tell_receipt(receipt: Receipt, wait: Wait, done: str) -> int:
    """Writes a receipt to stdout.

    Args:
        receipt: of the command.
        wait: how far was waited.
        done: what was asked for, in the past: `stored u1:color`.

    Returns:
        The exit code; see `exit_code_for`.
    """
    if receipt.queued and wait != "outbox":
        note(
            "queued in the outbox; the broker is away, or takes nothing: memlane outbox flush sends it later"
        )
    if as_json():
        write_record(record_of(receipt))
    else:
        for line in lines_of(receipt, wait, done):
            write(line)
    return exit_code_for(receipt, wait)


# Any: what JSON can say.
def record_of(receipt: Receipt) -> dict[str, Any]:
    """The receipt for JSON Lines. A sink with null has not decided yet."""
    sinks = {name: None if said is None else _fields(said) for name, said in receipt.sinks.items()}
    return {
        "version": receipt.version,
        "confirmed": receipt.confirmed,
        "queued": receipt.queued,
        "sinks": sinks,
    }


def lines_of(receipt: Receipt, wait: Wait, done: str) -> list[str]:
    """The receipt for people."""
    where = "queued in the outbox" if receipt.queued else "confirmed by the broker"
    lines = [f"{done}  ({where}, version {receipt.version})"]
    lines += [f"  {name}: {_sentence(said)}" for name, said in sorted(receipt.sinks.items())]
    if wait == "any" and not receipt.sinks:
        lines.append("  no sink has said anything yet")
    return lines


def exit_code_for(receipt: Receipt, wait: Wait) -> int:
    """0 where it came as far as was asked for; 1 where it is parked; 3 where a sink has not decided.

    A command that a newer one superseded counts as decided: that is what newer ones are for.
    """
    if wait in ("outbox", "broker"):
        return DONE
    decisions = [said.decision if said else None for said in receipt.sinks.values()]
    if wait == "any" and any(decision in {"applied", "superseded"} for decision in decisions):
        return DONE
    if "parked" in decisions:
        return FAILED
    return INCOMPLETE if None in decisions or not decisions else DONE


def _fields(said: SinkReceipt) -> dict[str, Any]:
    fields = {"decision": said.decision, "reason": said.reason, "newer": said.newer}
    return {name: value for name, value in fields.items() if value is not None}


def _sentence(said: SinkReceipt | None) -> str:
    if said is None:
        return "has not decided yet; the command waits in its queue"
    if said.decision == "superseded":
        return f"superseded by a newer version{f', {said.newer}' if said.newer else ''}"
    return f"parked: {said.reason}" if said.decision == "parked" else said.decision
