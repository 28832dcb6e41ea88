"""Real MCP servers in tests: where they are installed, and what is in their files."""

import json
from pathlib import Path
from typing import Final

from memlane.contracts.address import Address
from memlane.contracts.command import StoreCommand
from memlane.storage.mcp.record import decode_record
from memlane.testing.mcp_servers import SERVER_MEMORY, npm_command

NPM_FOLDER: Final = Path(__file__).resolve().parents[2] / ".memlane" / "npm"
"""Where Node's packages stay from run to run."""


def server_memory_command() -> str:
    """The command line of the real server-memory."""
    return npm_command(SERVER_MEMORY, NPM_FOLDER)


def entities(folder: Path) -> list[StoreCommand]:
    """All that is in server-memory's own files, read without the server; fails on what is no entry."""
    found = []
    for file in sorted(folder.glob("memory-*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            entity = json.loads(line)
            (observation,) = entity["observations"]
            command = decode_record(observation)
            assert command is not None, line
            found.append(command)
    return found


def held(folder: Path) -> dict[Address, StoreCommand]:
    """The same by address; fails where an address is there twice."""
    found = entities(folder)
    by_address = {command.address: command for command in found}
    assert len(by_address) == len(found)
    return by_address


def entities_by_file(folder: Path) -> list[int]:
    """How many entities each of server-memory's files has."""
    files = sorted(folder.glob("memory-*.jsonl"))
    return [len(file.read_text(encoding="utf-8").splitlines()) for file in files]


def servers_of_this_process() -> list[int]:
    """The process ids of the servers that were started from here."""
    children = [
        pid for task in Path("/proc/self/task").glob("*/children") for pid in task.read_text().split()
    ]
    return [int(pid) for pid in children if b"server-memory" in Path(f"/proc/{pid}/cmdline").read_bytes()]
