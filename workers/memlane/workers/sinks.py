"""Finding and entering sinks by name: installed ones are known by the entry point `memlane.sinks`."""

from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import Final, Protocol

from memlane.contracts.errors import ConfigurationError
from memlane.storage.errors import SinkMisconfigured, SinkUnknown
from memlane.storage.settings import SinkSettings
from memlane.storage.sink import Sink

ENTRY_POINT_GROUP: Final = "memlane.sinks"


class SinkClass(Protocol):
    """What an entry point names: a class that can be made from the settings."""

    def from_settings(self, name: str, settings: SinkSettings) -> Sink:
        """The sink that the settings describe."""


def installed_sinks() -> list[str]:
    """The names of all sinks that are installed, sorted."""
    return sorted(entry_points(group=ENTRY_POINT_GROUP).names)


def make_sink(name: str, settings: SinkSettings) -> Sink:
    """The sink of that name, not entered yet.

    Raises:
        SinkUnknown: no such sink is installed.
        SinkMisconfigured: its settings can't work.
    """
    found = entry_points(group=ENTRY_POINT_GROUP, name=name)
    if not found:
        raise SinkUnknown(f"no sink {name!r} is installed", hint=f"there are: {', '.join(installed_sinks())}")
    entry_point = next(iter(found))
    try:
        sink_class: SinkClass = entry_point.load()
    except ModuleNotFoundError as error:
        extra = ",".join(entry_point.extras) or "worker"
        raise SinkMisconfigured(
            f"the sink {name!r} needs the package {error.name}", hint=f"pip install 'memlane[{extra}]'"
        ) from error
    return sink_class.from_settings(name, settings)


def check_durability(sinks: Sequence[Sink]) -> None:
    """A deployment has at least one durable sink.

    Raises:
        ConfigurationError: it has none.
    """
    if not any(sink.durable for sink in sinks):
        names = ", ".join(sink.name for sink in sinks)
        raise ConfigurationError(
            f"none of the sinks is durable: {names}", hint="add one that is, such as sqlite, to MEMLANE_SINKS"
        )
