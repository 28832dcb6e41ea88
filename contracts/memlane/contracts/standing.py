"""How the sinks stand, for all workers to know: which one is paused, cut off, or rebuilding.

Whatever changes it is a notice in the stream `memlane.standing.v1`; who reads them all, in order, knows.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints, TypeAdapter

from memlane.contracts.fields import WireModel
from memlane.contracts.identifiers import Version
from memlane.contracts.instants import Instant

MAX_REASON: Final = 500
"""Characters of a notice's reason."""

Event = Literal[
    "paused", "resumed", "cut-off", "joined", "known", "rebuilding", "from-log", "level", "poison",
    "replaying", "replayed",
]  # fmt: skip
"""`paused`, `resumed`: its lane, by an operator. `cut-off`: its lane takes no further commands, because its
backlog was too long; `joined`: it does again. `known`: which store it is, the first time. `rebuilding`: it
lacks commands, so it is not asked; `from-log`: the other sinks can't bring it level, so the command log
is read; `level`: it holds what it should. `poison`: a command was parked, because it ends the worker's
process. `replaying`: the log is read to it, decided up to an offset; `replayed`: that is over."""

_SinkName = Annotated[str, StringConstraints(pattern="^[a-z0-9][a-z0-9-]*$", max_length=100)]


class Notice(WireModel):
    """One change of one sink's standing."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    sink: _SinkName
    event: Event
    at: Instant
    reason: Annotated[str, StringConstraints(max_length=MAX_REASON)] = ""
    by: str | None = Field(default=None, description="The account that said so.")
    incarnation: str | None = Field(
        default=None, description="Which store is rebuilding or level; see `StoreIdentity`."
    )
    version: Version | None = Field(default=None, description="Of `poison`: the command's.")
    offset: int | None = Field(
        default=None, description="Of `replaying`: everything before it in the log is decided.", ge=0
    )
    ends: Instant | None = Field(
        default=None,
        description="Of `level`: the `at` of the notice that it ends; another one holds on. Null: any.",
    )


NOTICE: TypeAdapter[Notice] = TypeAdapter(Notice)


@dataclass(frozen=True, slots=True)
class Standing:
    """How one sink stands: the notices that hold.

    Attributes:
        paused: by whom, why, since when; None where it is not.
        cut_off: likewise.
        rebuilding: likewise.
        incarnation: of the store that was last said to be rebuilding or level; None before the first.
        poison: versions of commands that were parked as poison: they are not sent to it again.
        replaying: a replay that has not ended: it goes on, or was broken off.
        from_log: whether it is to be filled from the command log, because the other sinks could not do it.
    """

    paused: Notice | None = None
    cut_off: Notice | None = None
    rebuilding: Notice | None = None
    incarnation: str | None = None
    poison: frozenset[str] = frozenset()
    from_log: bool = False
    replaying: Notice | None = None

    def after(self, notice: Notice) -> "Standing":
        """The standing after one more notice."""
        incarnation = notice.incarnation or self.incarnation
        match notice.event:
            case "known":
                return replace(self, incarnation=self.incarnation or notice.incarnation)
            case "rebuilding":
                return replace(self, rebuilding=notice, incarnation=incarnation, from_log=False)
            case "cut-off":
                return replace(self, cut_off=notice, rebuilding=notice, from_log=False)
            case "from-log":
                return replace(self, from_log=self.rebuilding is not None)
            case "level":
                return self._level(notice)
            case "poison":
                return replace(self, poison=self.poison | {notice.version or ""})
            case event:
                return replace(self, **_SIMPLE[event](notice))

    def _level(self, notice: Notice) -> "Standing":
        # What came between is not in what the store was filled with.
        if notice.ends is not None and self.rebuilding is not None and notice.ends != self.rebuilding.at:
            return self
        incarnation = notice.incarnation or self.incarnation
        return replace(self, rebuilding=None, incarnation=incarnation, from_log=False)

    def in_words(self) -> list[str]:
        """What is to be said about it, a sentence each."""
        told = (("paused", self.paused), ("cut off", self.cut_off), ("rebuilding", self.rebuilding))
        return [
            f"{word} since {notice.at:%Y-%m-%d %H:%M:%S} UTC"
            + (f" by {notice.by}" if notice.by else "")
            + (f": {notice.reason}" if notice.reason else "")
            for word, notice in told
            if notice is not None
        ]


NOTHING_SAID: Final = Standing()

# Any: what `replace` takes.
_SIMPLE: Final[dict[str, Callable[[Notice], dict[str, Any]]]] = {
    "paused": lambda notice: {"paused": notice},
    "resumed": lambda _: {"paused": None},
    "joined": lambda _: {"cut_off": None},
    "replaying": lambda notice: {"replaying": notice},
    "replayed": lambda _: {"replaying": None},
}
"""The events that change one thing, and what they change it to."""
