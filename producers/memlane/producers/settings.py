"""The settings of everything that talks to the broker, from the environment (`MEMLANE_…`)."""

from datetime import timedelta
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, FilePath, SecretStr

from memlane.contracts.durations import Duration
from memlane.contracts.limits import MAX_DEADLINE_MS
from memlane.contracts.settings import Settings
from memlane.contracts.topology import DEFAULT_LOG_AGE, DEFAULT_LOG_BYTES, DEFAULT_RETRY_DELAYS
from memlane.producers.broker.tls import with_certificates

DEFAULT_OUTBOX_BYTES: Final = 256 * 1024 * 1024


def _state_dir() -> Path:
    return Path.home() / ".local" / "state" / "memlane"


class BrokerSettings(Settings):
    """Where the broker is, and which sinks there are."""

    amqp_url: SecretStr = Field(
        default=SecretStr("amqp://guest:guest@localhost:5672/"),
        description="The RabbitMQ broker; several nodes of one cluster with commas between their URLs.",
    )
    amqp_ca_file: FilePath | None = Field(
        default=None,
        description="Who signed the broker's certificate, PEM; absent: whom this machine trusts. For `amqps://`.",
    )
    amqp_cert_file: FilePath | None = Field(
        default=None, description="This program's own certificate, PEM, where the broker asks for one."
    )
    amqp_key_file: FilePath | None = Field(
        default=None, description="Its private key, PEM, where it is not in the certificate's file."
    )
    sinks: str = Field(
        default="sqlite,redis",
        description="The sinks of this deployment, separated by commas.",
        pattern="^[a-z0-9][a-z0-9-]*(,[a-z0-9][a-z0-9-]*)*$",
    )
    retry_delays: tuple[Duration, ...] = Field(
        default=DEFAULT_RETRY_DELAYS,
        description="How long a command that failed waits before each further try; a queue each.",
        min_length=1,
    )
    log_age: Duration = Field(default=DEFAULT_LOG_AGE, description="How long the command log keeps commands.")
    log_bytes: int = Field(
        default=DEFAULT_LOG_BYTES, description="How large the command log may grow, in bytes.", gt=0
    )

    @property
    def sink_names(self) -> list[str]:
        """The sinks, in the order of the setting, each once."""
        return list(dict.fromkeys(self.sinks.split(",")))

    @property
    def url(self) -> str:
        """The broker's URL, with its password: for connecting, not for showing."""
        return self.completed(self.amqp_url.get_secret_value())

    def completed(self, url: str) -> str:
        """A broker's URL with the files for TLS that are set.

        Raises:
            ConfigurationError: there are some, and the URL is not `amqps://`.
        """
        return with_certificates(url, ca=self.amqp_ca_file, cert=self.amqp_cert_file, key=self.amqp_key_file)


class ClientSettings(BrokerSettings):
    """What a client takes from the environment where it is not told otherwise."""

    deadline: Duration = Field(
        default=timedelta(seconds=2),
        gt=timedelta(0),
        le=timedelta(milliseconds=MAX_DEADLINE_MS),
        description="How long a question may take, and a wait for a receipt.",
    )
    publish_timeout: Duration = Field(
        default=timedelta(seconds=10),
        gt=timedelta(0),
        description="How long a command may wait for the broker's confirm.",
    )
    state_dir: Path = Field(
        default_factory=_state_dir,
        description="Where a producer keeps its clock and its outbox over restarts.",
    )
    outbox: bool = Field(
        default=True, description="Whether commands wait on this machine's disk while the broker is away."
    )
    outbox_bytes: int = Field(
        default=DEFAULT_OUTBOX_BYTES, description="How much may wait there, in bytes of commands.", gt=0
    )
    outbox_age: Duration = Field(
        default=timedelta(days=7),
        gt=timedelta(0),
        description="How old its oldest command may get before no more is taken. Nothing is ever dropped.",
    )
    outbox_after: Duration = Field(
        default=timedelta(seconds=1),
        ge=timedelta(0),
        description="How long after the loss of the connection a command waits for a new one.",
    )


class LogSettings(Settings):
    """How logs are written; always to stderr."""

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least serious line that is written."
    )
    log_format: Literal["auto", "text", "json"] = Field(
        default="auto", description="`auto`: text on a terminal, JSON lines elsewhere."
    )
