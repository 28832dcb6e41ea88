"""Where installed servers' programs are."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

# Debian's and Red Hat's packages put a wrapper on the PATH that runs as the system's user, on the system's
# data. A private server needs the script behind it, so these folders come before the PATH.
_RABBITMQ_FOLDERS = (
    "/usr/lib/rabbitmq/bin",
    "/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin",
    "/opt/rabbitmq*/sbin",
    "/opt/homebrew/opt/rabbitmq/sbin",
    "/usr/local/opt/rabbitmq/sbin",
)
_MORE_FOLDERS = (
    "/usr/bin",
    "/bin",
    "/usr/sbin",
    "/sbin",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/opt/homebrew/bin",
)


def rabbitmq_server(*, root: Path = Path("/")) -> Path | None:
    """The script that starts RabbitMQ, or None where it is not installed (or its Erlang is not)."""
    script = _first_executable(root, _RABBITMQ_FOLDERS, "rabbitmq-server") or _on_path("rabbitmq-server")
    return script if script is not None and epmd() is not None else None


def epmd() -> Path | None:
    """Erlang's port mapper, which a RabbitMQ node needs beside it."""
    if (erl := _on_path("erl")) is not None:
        beside = erl.resolve().with_name("epmd")
        if os.access(beside, os.X_OK):
            return beside
    return _on_path("epmd")


def redis_server() -> Path | None:
    """The program `redis-server`, or None where it is not installed."""
    return _on_path("redis-server")


def search_path() -> str:
    """The PATH on which servers, and what they call, are found."""
    return os.pathsep.join([os.environ.get("PATH", os.defpath), *_MORE_FOLDERS])


def _on_path(name: str) -> Path | None:
    found = shutil.which(name, path=search_path())
    return Path(found) if found else None


def _first_executable(root: Path, folders: Sequence[str], name: str) -> Path | None:
    for folder in folders:
        # The highest version first, where several are installed side by side.
        for path in sorted(root.glob(f"{folder.removeprefix('/')}/{name}"), reverse=True):
            if os.access(path, os.X_OK):
                return path
    return None
