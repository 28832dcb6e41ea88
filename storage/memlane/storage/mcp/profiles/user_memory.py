"""Servers that remember facts about users, such as a bot's own: `remember_user_info` and three tools more.

A memory is a key and a value of a user, and everything is said in texts: what was done, and what there is, a
line each. So an entry's value is its record, which is one line of JSON. A call writes one entry, and reading
one reads all of its user's: for stores of up to some thousand entries a user.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Final

from memlane.contracts.address import Address
from memlane.contracts.command import StoreCommand
from memlane.storage.mcp.answers import done
from memlane.storage.mcp.errors import ToolFailed
from memlane.storage.mcp.profile import Abilities, Call, Wanted
from memlane.storage.mcp.record import encode_record, newest_record
from memlane.storage.mcp.session import Needs, ToolAnswer

LIMIT: Final = 1_000_000
"""Memories that are asked for at once: all that a user has."""

_MEMORY: Final = re.compile(r"- (\d{1,3})\.(\d{1,3}):")

Texts = dict[Address, list[str]]
"""What a server keeps at each address; more than one text only where somebody else wrote there."""


class UserMemory:
    """See the module. A server with other words is served by a class that derives from this one."""

    name = "user-memory"
    default_command: ClassVar[str | None] = None
    entities_a_server: int | None = None
    abilities: ClassVar[Abilities] = {
        "get": "server",
        "list": "ledger",
        "search": "ledger",
        "delete": "removed",
    }
    needs: ClassVar[Needs] = {
        "remember_user_info": frozenset({"user", "key", "value"}),
        "search_user_memory": frozenset({"user", "query"}),
        "get_user_memories": frozenset({"user", "limit"}),
        "delete_user_memories": frozenset({"user", "key"}),
    }
    remembered: ClassVar[str] = "Got it! I'll remember that "
    """What the answer to `remember_user_info` begins with when it is done; the key and the value follow."""
    headings: ClassVar[tuple[str, ...]] = (
        "Here's what I remember about ",
        "I don't remember anything about ",
    )
    """What an answer of `get_user_memories` may begin with; any other one is a failure, not an empty list."""

    def environment(self, folder: Path, shard: int) -> dict[str, str]:  # noqa: ARG002
        """The file of a server that has one. A server that is only reached keeps its store where it likes."""
        return {"USER_MEMORY_FILE": str(folder.resolve() / "user-memory.db")}

    def refuse(self, command: StoreCommand) -> str | None:  # noqa: ARG002
        """It takes everything."""
        return None

    async def read(self, call: Call, addresses: Sequence[Address]) -> dict[Address, StoreCommand]:
        """See `Profile.read`. One call a user."""
        there = await self._texts(call, addresses)
        return {
            address: command
            for address in addresses
            if (command := newest_record(there.get(address, ()))) is not None and command.address == address
        }

    async def bring(self, call: Call, wanted: Wanted) -> None:
        """See `Profile.bring`. One call for each entry that is new, changed or gone, and two a user."""
        there = await self._texts(call, wanted)
        texts = {a: [] if one is None else [encode_record(one)] for a, one in wanted.items()}
        differing = {address: kept for address, kept in texts.items() if there.get(address, []) != kept}
        for address, kept in differing.items():
            await self._write(call, address, *kept)
        if differing:
            there = await self._texts(call, differing)
            wrong = sum(there.get(address, []) != kept for address, kept in differing.items())
            if wrong:
                raise ToolFailed(f"the server says it is done, but does not hold {wrong} of the entries")

    async def _write(self, call: Call, address: Address, text: str | None = None) -> None:
        place = {"user": address.user_id, "key": key_of(address)}
        if text is None:
            # No promise is made about its words: what it still holds is seen afterwards.
            done(await call("delete_user_memories", place))
        else:
            answer = await call("remember_user_info", {**place, "value": text})
            done(answer, begins=f"{self.remembered}{place['key']}: ")

    async def _texts(self, call: Call, addresses: Iterable[Address]) -> Texts:
        """What the server keeps for the users of these addresses."""
        found: Texts = defaultdict(list)
        for user in dict.fromkeys(address.user_id for address in addresses):
            answer = done(await call("get_user_memories", {"user": user, "limit": LIMIT}))
            if not answer.text.startswith(self.headings):
                raise ToolFailed("get_user_memories did not answer with memories")
            for address, text in _memories(user, answer):
                found[address].append(text)
        return found


def key_of(address: Address) -> str:
    """The key that a server knows an entry by: `7.5:default/color`, with the lengths of both parts in front.

    Without them `a/b`, `c` and `a`, `b/c` would be one, and nobody could tell where a key ends in a line.
    """
    return f"{len(address.namespace)}.{len(address.key)}:{address.namespace}/{address.key}"


def _memories(user: str, answer: ToolAnswer) -> Iterator[tuple[Address, str]]:
    """The memories that memlane wrote, of an answer with a line `- key: value` for each; others are left."""
    # Only at line feeds: a record may hold what else ends a line in Unicode.
    for line in answer.text.split("\n"):
        if lengths := _MEMORY.match(line):
            cut = lengths.end() + int(lengths[1])
            address = Address(user, line[lengths.end() : cut], line[cut + 1 : cut + 1 + int(lengths[2])])
            start = f"- {key_of(address)}: "
            if line.startswith(start):
                yield address, line[len(start) :]
