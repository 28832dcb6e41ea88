"""The sinks' settings, from the environment (`MEMLANE_…`)."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from memlane.contracts.durations import Duration


class SinkSettings(BaseSettings):
    """Where the sinks are, and how they are reached. A sink takes from here what is its own."""

    model_config = SettingsConfigDict(env_prefix="MEMLANE_", extra="ignore", frozen=True)

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
    redis_timeout: Duration = Field(
        default=timedelta(seconds=5), description="How long to wait for an answer from Redis."
    )
