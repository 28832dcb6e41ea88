"""The sinks' settings, from the environment (`MEMLANE_…`)."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field, SecretStr

from memlane.contracts.durations import Duration
from memlane.contracts.settings import Settings


class SinkSettings(Settings):
    """Where the sinks are, and how they are reached. A sink takes from here what is its own."""

    sqlite_path: Path = Field(
        default=Path(".memlane/memory.db"), description="The SQLite sink's database file; made if absent."
    )
    sqlite_busy_timeout: Duration = Field(
        default=timedelta(seconds=5), description="How long to wait for another process's write lock."
    )
    redis_url: str = Field(
        default="redis://localhost:6379/0", description="The Redis sink's server and database."
    )
    redis_prefix: str = Field(
        default="memlane", description="What all of the Redis sink's keys begin with.", min_length=1
    )
    mcp_profile: str = Field(
        default="server-memory", description="The kind of the MCP sink's server; see docs/mcp-profiles.md."
    )
    mcp_command: str | None = Field(
        default=None, description="The command line that starts the MCP sink's server; it talks over stdio."
    )
    mcp_env: dict[str, SecretStr] = Field(
        default={},
        description="Further variables of that process, keys and tokens too: it inherits almost none.",
    )
    mcp_url: str | None = Field(
        default=None, description="The MCP sink's server over streamable HTTP, in place of a command."
    )
    mcp_token: SecretStr | None = Field(default=None, description="The bearer token for that URL.")
    mcp_dir: Path = Field(
        default=Path(".memlane/mcp"),
        description="The folder of the MCP sink's ledger, lock file and servers' stores; made if absent.",
    )
    mcp_timeout: Duration = Field(
        default=timedelta(seconds=10),
        gt=timedelta(0),
        description="How long the MCP server may take for a call.",
    )
    mcp_start_timeout: Duration = Field(
        default=timedelta(seconds=60),
        gt=timedelta(0),
        description="How long the MCP server may take to start; npx may have to fetch it first.",
    )
    redis_timeout: Duration = Field(
        default=timedelta(seconds=5), description="How long to wait for an answer from Redis."
    )
