"""The same as `convergence`, as a state machine: hypothesis chooses each next step, and shrinks the story."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from memlane.contracts.command import AnyCommand
from memlane.storage.conformance.convergence import Replica
from memlane.storage.conformance.plans import commands, left_of, of_users
from memlane.storage.sink import Sink

OpenSinks = Callable[[], Sequence[Sink]]
"""Sinks for one example: new ones, or ones that are used again."""

Users = Callable[[], str]
"""What is put in front of the users of one example."""

_PICKS = st.lists(st.integers(0, 1_000), min_size=1, max_size=6)
_AT = st.integers(0, 1_000)


class ConvergenceMachine(RuleBasedStateMachine):
    """Commands are published; each sink gets them in batches of its own, in any order, any number of times.

    Get a class for your sinks from `convergence_machine`.
    """

    runner: ClassVar[asyncio.Runner]
    open_sinks: ClassVar[OpenSinks]
    users: ClassVar[Users]

    def __init__(self) -> None:
        super().__init__()
        self.prefix = type(self).users()
        self.published: list[AnyCommand] = []
        self.replicas = [Replica(sink, self.published) for sink in type(self).open_sinks()]
        self.failed = False

    @initialize()
    def start(self) -> None:
        """Takes down what the sinks held before."""
        for replica in self.replicas:
            self._run(replica.start())

    @rule(command=commands())
    def publish(self, command: AnyCommand) -> None:
        """One more command, which no sink has yet."""
        self.published += of_users([command], self.prefix)

    @rule(at=_AT)
    def publish_what_is_left(self, at: int) -> None:
        """Of a store that has expired, as a repair would."""
        if left := left_of(self.published):
            self.published.append(left[at % len(left)])

    @rule(at=_AT, picks=_PICKS)
    def deliver(self, at: int, picks: list[int]) -> None:
        """A batch to one sink: any of the commands, in any order, as often as you like."""
        if self.published:
            batch = [self.published[pick % len(self.published)] for pick in picks]
            self._run(self._replica(at).deliver(batch))

    @rule(at=_AT, limit=st.sampled_from([1, 3, 1000]))
    def sweep(self, at: int, limit: int) -> None:
        """A sweep of one sink."""
        replica = self._replica(at)
        self._run(replica.sink.sweep(replica.now, limit=limit))

    @rule(at=_AT, seconds=st.integers(1, 10))
    def wait(self, at: int, seconds: int) -> None:
        """Time passes at one sink."""
        self._replica(at).now += timedelta(seconds=seconds)

    @rule(at=_AT)
    def read(self, at: int) -> None:
        """One sink shows what it got."""
        self._run(self._replica(at).check_reads())

    def teardown(self) -> None:
        """All sinks get the rest, and hold the same."""
        if self.failed:
            return
        end = max(replica.now for replica in self.replicas)
        for replica in self.replicas:
            replica.now = end
            self._run(replica.finish())

    def _replica(self, at: int) -> Replica:
        return self.replicas[at % len(self.replicas)]

    # Any: whatever the coroutine returns is not looked at.
    def _run(self, step: Coroutine[Any, Any, object]) -> None:
        try:
            type(self).runner.run(step)
        except BaseException:
            self.failed = True
            raise


def convergence_machine(
    runner: asyncio.Runner, open_sinks: OpenSinks, users: Users
) -> type[RuleBasedStateMachine]:
    """A machine for `run_state_machine_as_test`.

    Args:
        runner: of the event loop in which the sinks were entered.
        open_sinks: the sinks of one example.
        users: a prefix that no other example of these sinks has.
    """
    fields = {"runner": runner, "open_sinks": staticmethod(open_sinks), "users": staticmethod(users)}
    return type("Convergence", (ConvergenceMachine,), fields)
