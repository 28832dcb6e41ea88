"""Sinks converge: what they hold depends only on the set of commands, never on order or repetition."""

import asyncio

from hypothesis import given, settings
from hypothesis.stateful import run_state_machine_as_test

from memlane.storage.conformance import Plan, check_convergence, convergence_machine, delivery_plans
from memlane.storage.memory import MemorySink


@settings(max_examples=150, deadline=None)
@given(plan=delivery_plans(sinks=3))
async def test_any_deliveries_end_the_same(plan: Plan) -> None:
    """Three sinks, each with its own order, batches, duplicates, clock and sweeps, hold the same."""
    async with MemorySink() as one, MemorySink() as two, MemorySink() as three:
        await check_convergence([one, two, three], plan)


def test_any_story_ends_the_same() -> None:
    """Commands are published while the sinks deliver, sweep, read and wait; afterwards they hold the same."""

    def open_sinks() -> list[MemorySink]:
        sinks = [MemorySink(), MemorySink()]
        for sink in sinks:
            runner.run(sink.__aenter__())
        return sinks

    with asyncio.Runner() as runner:
        machine = convergence_machine(runner, open_sinks, users=lambda: "")
        run_state_machine_as_test(
            machine, settings=settings(max_examples=60, stateful_step_count=30, deadline=None)
        )
