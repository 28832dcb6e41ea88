"""`@modelcontextprotocol/server-memory` (npm): a knowledge graph in one JSON Lines file.

An entry is an entity; its only observation is the record. The server rewrites its file at every call, knows
no versions, and two calls at once lose each other's changes: so calls are made one by one, many entries each,
and a file gets at most 10,000 entities (an update of one was measured to take 10 ms at 1,000 entities, and
100 ms at 10,000).
"""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from memlane.contracts.address import Address
from memlane.contracts.command import StoreCommand
from memlane.storage.mcp.answers import done
from memlane.storage.mcp.chunks import chunks
from memlane.storage.mcp.errors import ToolFailed
from memlane.storage.mcp.naming import name_of
from memlane.storage.mcp.profile import Abilities, Call, Wanted
from memlane.storage.mcp.record import encode_record, newest_record, same
from memlane.storage.mcp.session import Needs

ENTITY_TYPE: Final = "memory"

Observations = dict[str, list[str]]
"""Of each entity that is there, by its name."""


class ServerMemory:
    """See the module."""

    name = "server-memory"
    default_command: ClassVar[str | None] = "npx --yes @modelcontextprotocol/server-memory@2026.8.31"
    entities_a_server: int | None = 10_000
    abilities: ClassVar[Abilities] = {
        "get": "server",
        "list": "ledger",
        "search": "ledger",
        "delete": "removed",
    }
    needs: ClassVar[Needs] = {
        "open_nodes": frozenset({"names"}),
        "create_entities": frozenset({"entities"}),
        "delete_entities": frozenset({"entityNames"}),
        "add_observations": frozenset({"observations"}),
        "delete_observations": frozenset({"deletions"}),
    }

    def environment(self, folder: Path, shard: int) -> dict[str, str]:
        """An absolute path: the server takes a relative one from where its own code is."""
        return {"MEMORY_FILE_PATH": str(folder.resolve() / f"memory-{shard:03}.jsonl")}

    def refuse(self, command: StoreCommand) -> str | None:  # noqa: ARG002
        """It takes everything."""
        return None

    async def read(self, call: Call, addresses: Sequence[Address]) -> dict[Address, StoreCommand]:
        """See `Profile.read`."""
        there = await _open(call, [name_of(address) for address in addresses])
        return {
            address: command
            for address in addresses
            if (command := newest_record(there.get(name_of(address), ()))) is not None
        }

    async def bring(self, call: Call, wanted: Wanted) -> None:
        """See `Profile.bring`. At most four calls for a chunk of what is new, changed or gone."""
        there = await _open(call, [name_of(address) for address in wanted])
        texts = {name_of(a): None if one is None else encode_record(one) for a, one in wanted.items()}
        new = {name: text for name, text in texts.items() if text is not None and name not in there}
        changed = {
            name: text
            for name, text in texts.items()
            if text is not None and name in there and there[name] != [text]
        }
        gone = [name for name, text in texts.items() if text is None and name in there]
        for names in chunks({name: len(text.encode()) for name, text in new.items()}):
            entities = [{"name": n, "entityType": ENTITY_TYPE, "observations": [new[n]]} for n in names]
            done(await call("create_entities", {"entities": entities}))
        # What goes counts as well as what comes: a call that deletes carries the old texts.
        for names in chunks(
            {name: len("".join([text, *there[name]]).encode()) for name, text in changed.items()}
        ):
            await _replace(call, {name: changed[name] for name in names}, there)
        if gone:
            done(await call("delete_entities", {"entityNames": gone}))
        if new or changed or gone:
            await self._check(call, wanted, [*new, *changed, *gone])

    async def _check(self, call: Call, wanted: Wanted, names: Collection[str]) -> None:
        touched = {address: one for address, one in wanted.items() if name_of(address) in set(names)}
        there = await self.read(call, list(touched))
        wrong = [address for address, one in touched.items() if not same(there.get(address), one)]
        if wrong:
            raise ToolFailed(f"the server says it is done, but does not hold {len(wrong)} of the entries")


async def _open(call: Call, names: Sequence[str]) -> Observations:
    answer = done(await call("open_nodes", {"names": list(names)}))
    entities = answer.data.get("entities")
    if not isinstance(entities, list):
        raise ToolFailed("open_nodes did not answer with entities")
    return dict(_observations(entities))


# Any: what the server says is JSON.
def _observations(entities: list[Any]) -> Iterator[tuple[str, list[str]]]:
    for entity in entities:
        try:
            yield str(entity["name"]), [str(one) for one in entity["observations"]]
        except (TypeError, KeyError):
            raise ToolFailed("open_nodes answered with something that is no entity") from None


async def _replace(call: Call, texts: dict[str, str], there: Observations) -> None:
    """The new observation first, then the old ones go: a crash in between leaves both."""
    adding = [{"entityName": n, "contents": [t]} for n, t in texts.items() if t not in there[n]]
    if adding:
        done(await call("add_observations", {"observations": adding}))
    old = {name: [one for one in there[name] if one != text] for name, text in texts.items()}
    deleting = [{"entityName": name, "observations": those} for name, those in old.items() if those]
    if deleting:
        done(await call("delete_observations", {"deletions": deleting}))
