"""The settings of the workers, from the environment (`MEMLANE_…`)."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field

from memlane.contracts.durations import Duration
from memlane.producers.settings import BrokerSettings
from memlane.workers.backup.schedule import CronExpression


def _backup_dir() -> Path:
    return Path.home() / ".local" / "share" / "memlane" / "backups"


class WorkerSettings(BrokerSettings):
    """How lanes, responders, aggregators and sweepers work."""

    batch_commands: int = Field(
        default=500, description="The most commands that a lane applies in one transaction.", ge=1, le=5000
    )
    prefetch: int = Field(
        default=1000,
        description="Messages (of 1 MiB at most) that a lane may have in hand, not acked.",
        ge=1,
        le=2000,
    )
    drain_timeout: Duration = Field(
        default=timedelta(seconds=10), description="How long a stopping worker may finish what it has begun."
    )
    probe_interval: Duration = Field(
        default=timedelta(seconds=1),
        gt=timedelta(0),
        description="How often a sink that is down is asked whether it is back.",
    )
    read_order: str = Field(
        default="redis,sqlite",
        pattern="^[a-z0-9][a-z0-9-]*(,[a-z0-9][a-z0-9-]*)*$",
        description="Whom a get asks first, separated by commas; sinks that are not named come after.",
    )
    hedge_after: Duration = Field(
        default=timedelta(milliseconds=250),
        description="How long a get waits for one sink before it asks the next one, too.",
    )
    sweep_interval: Duration = Field(
        default=timedelta(seconds=300),
        gt=timedelta(0),
        description="How often expired entries are swept, and marks purged.",
    )
    tombstone_age: Duration | None = Field(
        default=None,
        ge=timedelta(days=1),
        description="Deletes that are older are forgotten: best 90d or more, and longer than the log and"
        " backups are kept; absent: never.",
    )
    recount_interval: Duration = Field(
        default=timedelta(seconds=5),
        gt=timedelta(0),
        description="How often one of 4096 buckets of each sink is recounted against its rows.",
    )
    responder_concurrency: int = Field(
        default=16, description="Questions that one responder works on at the same time.", ge=1, le=1000
    )
    max_backlog: int = Field(
        default=1_000_000,
        description="Messages that may wait for one sink; then its lane is cut off, and it is rebuilt later.",
        ge=1,
    )
    watch_interval: Duration = Field(
        default=timedelta(seconds=5),
        gt=timedelta(0),
        description="How often backlogs are looked at, and whether a store was wiped.",
    )
    reconcile_interval: Duration = Field(
        default=timedelta(seconds=60),
        gt=timedelta(0),
        description="How often the sinks are compared, and repaired where they differ.",
    )
    reconcile_grace: Duration = Field(
        default=timedelta(seconds=10),
        ge=timedelta(0),
        description="What is younger is left to the lanes: a sink may have it a moment later than another.",
    )
    access_rules: Path | None = Field(
        default=None,
        description="TOML file that says who may read and write what; absent: everybody everything.",
    )
    backup_schedule: CronExpression = Field(
        default="0 2 * * *",
        description="When the sinks are backed up, in cron's syntax and UTC; empty: never.",
    )
    backup_sink: str | None = Field(
        default=None, description="Which sink is backed up; absent: the first durable one of MEMLANE_SINKS."
    )
    backup_dir: Path = Field(
        default_factory=_backup_dir,
        description="The folder of the backups; made if absent. Workers that may make them should share it.",
    )
    backup_keep: int = Field(
        default=14, description="How many scheduled backups are kept; all others stay until removed.", ge=1
    )
    health_port: int | None = Field(
        default=None, description="TCP port for /livez and /readyz; not served when absent.", ge=1, le=65535
    )
    health_host: str = Field(default="127.0.0.1", description="Address that the health port listens on.")

    def ordered_for_reads(self) -> list[str]:
        """The sinks in the order in which a get asks them."""
        order = self.read_order.split(",")
        return sorted(self.sink_names, key=lambda name: order.index(name) if name in order else len(order))
