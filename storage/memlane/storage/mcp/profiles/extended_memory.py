"""`extended-memory-mcp` (PyPI): contexts in one SQLite file.

Each address is a project of its own, named in hexadecimal digits since the server folds the case of projects;
the record is a context in it. So a context is found by an index, and nothing of it stays behind when it is
forgotten, as a tag would. Contexts cannot be changed: a new one is saved, then the old ones are forgotten.

Its answers are texts, and where its database fails it says "saved", with the id None, or "nothing found". So
a save counts with an id, a forgetting where it says that there was one, and "nothing found" only where it
finds a probe that was put there.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

from memlane.contracts.address import Address
from memlane.contracts.command import StoreCommand
from memlane.contracts.limits import MIN_IMPORTANCE
from memlane.storage.errors import SinkMisconfigured
from memlane.storage.mcp.answers import done
from memlane.storage.mcp.errors import ToolFailed
from memlane.storage.mcp.naming import hex_name_of
from memlane.storage.mcp.profile import Abilities, Call, Wanted
from memlane.storage.mcp.record import encode_record, newest_record
from memlane.storage.mcp.session import Needs

MOST_SHOWN: Final = 10
"""Contexts in one answer, whatever limit it is given: the ones that were saved last."""

PROBE: Final = "memlane looks whether this can be read"
"""A context that is forgotten at once."""

_SAVED: Final = "✅ Context saved successfully!"
_FORGOTTEN: Final = "✅ Context deleted successfully!"
_NOTHING: Final = "🔍 No saved contexts found"
_LOADED: Final = "🧠 **Memory Loaded Successfully**"
_ID: Final = re.compile(r"Context ID: (\d+)\n")
_COUNT: Final = re.compile(r"^Memory contexts in chronological order \(showing last (\d+) entries\):$", re.M)
_CONTEXT: Final = re.compile(r"^\(ID: (\d+), Importance: [^\n]*\)\n(?:🏷️ Tags: [^\n]*\n)?📝 ([^\n]*)$", re.M)
_CHANGED_BY_IT: Final = re.compile(r"[?#$]|\.\.")

Shown = dict[int, str]
"""The first line of each context of a project, by its id."""


class ExtendedMemory:
    """See the module."""

    name = "extended-memory"
    default_command: ClassVar[str | None] = "extended-memory-mcp-server"
    entities_a_server: int | None = None
    abilities: ClassVar[Abilities] = {
        "get": "server",
        "list": "ledger",
        "search": "ledger",
        "delete": "removed",
    }
    needs: ClassVar[Needs] = {
        "save_context": frozenset({"content", "importance_level", "project_id"}),
        "load_contexts": frozenset({"importance_level", "limit", "project_id"}),
        "forget_context": frozenset({"context_id"}),
    }

    def environment(self, folder: Path, shard: int) -> dict[str, str]:
        """A database in the folder, no instructions in front of answers, and its emoji on any machine.

        Raises:
            SinkMisconfigured: the server would refuse the folder's path, or take it for another one.
        """
        file = str(folder.resolve() / f"memory-{shard:03}.db")
        if _CHANGED_BY_IT.search(file) or file.startswith(("/etc/", "/var/")):
            raise SinkMisconfigured(
                f"extended-memory-mcp cannot keep its database in {folder.resolve()}",
                hint="set MEMLANE_MCP_DIR to a folder that is not in /etc or /var, without ? # $ or .. in it",
            )
        return {
            "STORAGE_CONNECTION_STRING": f"sqlite://{file}",
            "CUSTOM_INSTRUCTION_PATH": "",
            "LOG_LEVEL": "WARNING",
            "PYTHONUTF8": "1",
        }

    def refuse(self, command: StoreCommand) -> str | None:  # noqa: ARG002
        """It takes everything."""
        return None

    async def read(self, call: Call, addresses: Sequence[Address]) -> dict[Address, StoreCommand]:
        """See `Profile.read`. One call for each address."""
        found = {address: newest_record((await _load(call, address)).values()) for address in addresses}
        return {a: command for a, command in found.items() if command is not None and command.address == a}

    async def bring(self, call: Call, wanted: Wanted) -> None:
        """See `Profile.bring`. For what is new three calls each, and one more for what it replaces."""
        for address, command in wanted.items():
            if command is None:
                await _clear(call, address)
            else:
                await _keep(call, address, encode_record(command), command.importance)


async def _keep(call: Call, address: Address, text: str, importance: int) -> None:
    """Makes a text the only context of an address."""
    shown = await _load(call, address)
    if text not in shown.values():
        shown = await _save(call, address, text, importance)
    while True:
        kept = max(one for one, its in shown.items() if its == text)
        for old in shown.keys() - {kept}:
            await _forget(call, old)
        if len(shown) < MOST_SHOWN:
            return
        shown = await _load(call, address)
        _expect(text, shown)


async def _clear(call: Call, address: Address) -> None:
    """Makes an address have no context."""
    shown = await _load(call, address)
    if not shown:
        # It says so too where it could not look. If it finds the probe, then it has found all there is.
        shown = await _save(call, address, PROBE, MIN_IMPORTANCE)
    while shown:
        for one in shown:
            await _forget(call, one)
        # Whatever was beyond those shown is shown now.
        shown = await _load(call, address) if len(shown) == MOST_SHOWN else {}


async def _load(call: Call, address: Address) -> Shown:
    """The contexts of an address, or none where the server could not look."""
    arguments = {"project_id": hex_name_of(address), "importance_level": MIN_IMPORTANCE, "limit": MOST_SHOWN}
    answer = done(await call("load_contexts", arguments))
    if answer.text.startswith(_NOTHING):
        return {}
    count = _COUNT.search(done(answer, begins=_LOADED).text)
    shown = {int(one): text for one, text in _CONTEXT.findall(answer.text)}
    if count is None or int(count[1]) != len(shown):
        raise ToolFailed("load_contexts answered with something that is no list of contexts")
    return shown


async def _save(call: Call, address: Address, text: str, importance: int) -> Shown:
    """Saves a context; all that are there then."""
    arguments = {"project_id": hex_name_of(address), "importance_level": importance, "content": text}
    answer = done(await call("save_context", arguments), begins=_SAVED)
    if _ID.search(answer.text) is None:
        raise ToolFailed("the server says that it saved a context, but gives it no id")
    shown = await _load(call, address)
    _expect(text, shown)
    return shown


async def _forget(call: Call, context_id: int) -> None:
    done(await call("forget_context", {"context_id": context_id}), begins=_FORGOTTEN)


def _expect(text: str, shown: Shown) -> None:
    if text not in shown.values():
        raise ToolFailed("the server says that it saved a context, but does not hold it")
