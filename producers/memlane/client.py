"""What a bot imports: the client, and what its methods take, return and raise."""

from memlane.contracts.address import Address
from memlane.contracts.entry import Entry
from memlane.contracts.errors import (
    AccessDenied,
    BrokerError,
    BrokerRefused,
    BrokerUnreachable,
    IncompleteAnswer,
    InvalidInput,
    MemlaneError,
    OutboxError,
    OutboxFailed,
    OutboxFull,
    PublishFailed,
    PublishRefused,
)
from memlane.contracts.query import Cursor, Filters
from memlane.contracts.receipt import Receipt, SinkReceipt
from memlane.contracts.reply import GetAnswer, Hit, PageAnswer, SinkReport, StatsAnswer
from memlane.producers.client.health import Health
from memlane.producers.client.memory_client import MemoryClient
from memlane.producers.client.sync_client import SyncMemoryClient
from memlane.producers.client.user_memory import UserMemory
from memlane.producers.outbox.status import OutboxStatus

__all__ = [
    "AccessDenied",
    "Address",
    "BrokerError",
    "BrokerRefused",
    "BrokerUnreachable",
    "Cursor",
    "Entry",
    "Filters",
    "GetAnswer",
    "Health",
    "Hit",
    "IncompleteAnswer",
    "InvalidInput",
    "MemlaneError",
    "MemoryClient",
    "OutboxError",
    "OutboxFailed",
    "OutboxFull",
    "OutboxStatus",
    "PageAnswer",
    "PublishFailed",
    "PublishRefused",
    "Receipt",
    "SinkReceipt",
    "SinkReport",
    "StatsAnswer",
    "SyncMemoryClient",
    "UserMemory",
]
