"""What is read of a sink's rows, to be told to others."""

from collections.abc import Sequence
from datetime import datetime

from memlane.contracts.fingerprint import command_hash
from memlane.contracts.query import AnySinkQuestion
from memlane.storage.conformance.commands import address, delete, delete_namespace, store
from memlane.storage.rows import Kind, Scope, Trace
from memlane.workers.aggregator.asking import Asked
from memlane.workers.sink_reader import SinkReader


async def _nobody(
    sink: str,
    questions: Sequence[AnySinkQuestion],
    as_of: datetime,  # noqa: ARG001
    seconds: float,  # noqa: ARG001
) -> Asked:
    raise AssertionError(f"{sink} is asked {questions}")


async def test_what_is_damaged_is_told_to_nobody() -> None:
    """Neither a row nor a mark, whatever its kind: it would be taken for what was published."""
    deleted, mark, expired = delete(at=2), delete_namespace("a", at=1), store("e")
    traces = [
        Trace(deleted.address, deleted.id, command_hash(deleted), Kind.DELETED, intact=True),
        Trace(Scope("u", "a"), mark.id, command_hash(mark), None, intact=True),
        Trace(expired.address, expired.id, command_hash(expired), Kind.EXPIRED, intact=True),
        Trace(address("live"), deleted.id, "0" * 32, Kind.LIVE, intact=False),
    ]
    reader = SinkReader(_nobody)
    assert len((await reader.rows("sink", traces)).commands) == 3
    damaged = [trace._replace(intact=False) for trace in traces]
    read = await reader.rows("sink", damaged)
    assert (read.commands, read.unread) == ([], damaged)
