"""`@allpepper/memory-bank-mcp` (npm): a file for each entry, in a folder for each user.

Files and folders are named by hashes: the server takes plain characters only, a file system at most 255
bytes, and some fold case. The record in the file says whose it is. The server can delete nothing: what is
deleted is blanked. It writes only a file that is not there (where one is, it says that it did, and does
nothing), and updates only one that is. An update empties the file first: a crash right then loses what was in
it, and the ledger brings it again.
"""

import json
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import ClassVar, Final

from memlane.contracts.address import Address
from memlane.contracts.command import StoreCommand
from memlane.storage.mcp.answers import done
from memlane.storage.mcp.errors import ToolFailed
from memlane.storage.mcp.naming import name_of
from memlane.storage.mcp.profile import Abilities, Call, Wanted
from memlane.storage.mcp.record import decode_record, encode_record
from memlane.storage.mcp.session import Needs, ToolAnswer

BLANK: Final = "\n"
"""What is in a file whose entry was deleted: the server takes no empty text."""

_HASH_BYTES: Final = 32
_NO_FILE: Final = "Resource not found: "
_NO_FOLDER: Final = "An unexpected error occurred: Error: ENOENT: "


class MemoryBank:
    """See the module."""

    name = "memory-bank"
    default_command: ClassVar[str | None] = "npx --yes @allpepper/memory-bank-mcp@0.2.2"
    entities_a_server: int | None = None
    abilities: ClassVar[Abilities] = {
        "get": "server",
        "list": "ledger",
        "search": "ledger",
        "delete": "blanked",
    }
    needs: ClassVar[Needs] = {
        "memory_bank_read": frozenset({"projectName", "fileName"}),
        "memory_bank_write": frozenset({"projectName", "fileName", "content"}),
        "memory_bank_update": frozenset({"projectName", "fileName", "content"}),
    }

    def environment(self, folder: Path, shard: int) -> dict[str, str]:
        """A folder in the folder; the server makes it with the first file."""
        return {"MEMORY_BANK_ROOT": str(folder.resolve() / f"memory-bank-{shard:03}")}

    def refuse(self, command: StoreCommand) -> str | None:  # noqa: ARG002
        """It takes everything."""
        return None

    async def read(self, call: Call, addresses: Sequence[Address]) -> dict[Address, StoreCommand]:
        """See `Profile.read`. One call for each address."""
        found = {address: decode_record(await _read(call, address) or "") for address in addresses}
        return {a: command for a, command in found.items() if command is not None and command.address == a}

    async def bring(self, call: Call, wanted: Wanted) -> None:
        """See `Profile.bring`. Three calls for each that is new, changed or gone."""
        for address, command in wanted.items():
            await _make(call, address, BLANK if command is None else encode_record(command))


async def _make(call: Call, address: Address, text: str) -> None:
    """Makes a file hold a text; one that is not there stays away where that text is blank."""
    there = await _read(call, address)
    if there == text or (there is None and text == BLANK):
        return
    tool = "memory_bank_write" if there is None else "memory_bank_update"
    done(await call(tool, {**_place_of(address), "content": text}))
    if await _read(call, address) != text:
        raise ToolFailed("the server says that the file is written, but it holds something else")


async def _read(call: Call, address: Address) -> str | None:
    """What is in a file; None where there is none."""
    answer = await call("memory_bank_read", _place_of(address))
    if answer.is_error and _reason(answer).startswith((_NO_FILE, _NO_FOLDER)):
        return None
    return done(answer).text


def _reason(answer: ToolAnswer) -> str:
    """The server's reason for an error; empty where it gives none."""
    try:
        return str(json.loads(answer.text)["error"])
    except (ValueError, TypeError, KeyError):
        return ""


def _place_of(address: Address) -> dict[str, str]:
    """The arguments that name an address's file."""
    return {"projectName": _hash(address.user_id), "fileName": f"{_hash(name_of(address))}.json"}


def _hash(text: str) -> str:
    return blake2b(text.encode(), digest_size=_HASH_BYTES).hexdigest()
