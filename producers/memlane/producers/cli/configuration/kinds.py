"""Which classes of settings there are: the producers' own, and what installed packages add."""

from importlib.metadata import entry_points
from typing import Final

from pydantic_settings import BaseSettings

from memlane.producers.cli.extras import is_usable
from memlane.producers.settings import ClientSettings, LogSettings

ENTRY_POINT_GROUP: Final = "memlane.settings"


def settings_kinds() -> list[type[BaseSettings]]:
    """All of them; those of an extra only where it is installed."""
    added = [found.load() for found in entry_points(group=ENTRY_POINT_GROUP) if is_usable(found)]
    return [ClientSettings, *added, LogSettings]
