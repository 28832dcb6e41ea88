"""A lane whose SQLite file is removed under it: an outage, which the health check ends by itself."""

from pathlib import Path

from memlane.storage.sqlite import SqliteSink
from tests.integration.conftest import StartSystem


def remove(path: Path) -> None:
    """Removes the main file; its log and the index of that stay behind."""
    path.unlink()


async def test_it_goes_on_in_a_new_file(start_system: StartSystem, tmp_path: Path) -> None:
    """Without a restart; nothing that came after is lost, and nothing is parked for it."""
    path = tmp_path / "memory.db"
    system = await start_system(SqliteSink(path))
    async with system.client(deadline="PT20S") as client:
        await client.store("u", "before", 1, wait="all")
        for n in range(3):
            remove(path)
            receipt = await client.store("u", f"after {n}", n, wait="all")
            assert receipt.applied == {"sqlite"}
            entry = await client.get("u", f"after {n}")
            assert entry is not None
            assert entry.value == n
        assert [hit.entry.key for hit in (await client.list("u")).hits] == ["after 2"]
