"""What a profile is: how one kind of MCP server is told to keep, to find and to forget an entry."""

from collections.abc import Awaitable, Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol

from memlane.contracts.address import Address
from memlane.contracts.command import StoreCommand
from memlane.storage.errors import SinkMisconfigured
from memlane.storage.mcp.session import Needs, ToolAnswer

ENTRY_POINT_GROUP: Final = "memlane.mcp_profiles"

Wanted = Mapping[Address, StoreCommand | None]
"""What a server is to hold at each address; None: nothing."""

Abilities = Mapping[str, str]
"""Who answers `get`, `list` and `search` (`server`, `ledger`); what a `delete` is (`removed`, `blanked`)."""


class Call(Protocol):
    """Calls a tool of the server. Raises `SinkUnavailable` where there is no answer."""

    # Any: what a tool takes is JSON.
    def __call__(self, tool: str, arguments: dict[str, Any]) -> Awaitable[ToolAnswer]:
        """The tool's answer, which may be an error."""


class Profile(Protocol):
    """One kind of server. Has no state: the sink owns the session and the ledger."""

    name: str
    needs: ClassVar[Needs]
    """The tools it must have, with the arguments that this profile passes."""
    abilities: ClassVar[Abilities]
    default_command: ClassVar[str | None]
    """The command line that starts it where the settings name none; None: they must."""
    entities_a_server: int | None
    """One server is given so many; then there is another, with a store of its own. None: one for all."""

    def environment(self, folder: Path, shard: int) -> dict[str, str]:
        """The variables of a server's process, so that it keeps its store in this folder.

        Raises:
            SinkMisconfigured: it can't keep one there.
        """

    def refuse(self, command: StoreCommand) -> str | None:
        """Why this server can never take an entry; None where it can."""

    async def read(self, call: Call, addresses: Sequence[Address]) -> dict[Address, StoreCommand]:
        """What the server holds at these addresses, as it says now.

        Raises:
            ToolFailed: it does not say.
        """

    async def bring(self, call: Call, wanted: Wanted) -> None:
        """Makes the server hold just that, however often it is called, and whatever was done of it before.

        Reads what is there, changes only what differs, and does not believe it before it has read it back.
        What is new is there before what is old goes, so that a crash in between loses neither.

        Raises:
            ToolFailed: the server says no, or does not hold it afterwards.
        """


def installed_profiles() -> list[str]:
    """The names of all profiles that are installed, sorted."""
    return sorted(entry_points(group=ENTRY_POINT_GROUP).names)


def make_profile(name: str) -> Profile:
    """The profile of that name.

    Raises:
        SinkMisconfigured: there is none.
    """
    found = entry_points(group=ENTRY_POINT_GROUP, name=name)
    if not found:
        raise SinkMisconfigured(
            f"there is no MCP profile {name!r}",
            hint=f"MEMLANE_MCP_PROFILE may be {', '.join(installed_profiles())}",
        )
    profile: Profile = next(iter(found)).load()()
    return profile
