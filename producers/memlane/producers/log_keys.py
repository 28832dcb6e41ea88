"""The keys of log lines, declared once. No value of a memory and no credential is ever logged."""

from typing import Final

ERROR: Final = "error"
HINT: Final = "hint"
SINK: Final = "sink"
ROLE: Final = "role"
QUEUE: Final = "queue"
COUNT: Final = "count"
VERSION: Final = "version"
ATTEMPT: Final = "attempt"
DELAY: Final = "delay"
SECONDS: Final = "seconds"
PORT: Final = "port"
BUCKET: Final = "bucket"
REASON: Final = "reason"
CHANGE: Final = "change"
BACKUP: Final = "backup"
