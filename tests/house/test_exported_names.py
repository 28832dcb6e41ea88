"""What a bot may import is said once, and is all that it needs."""

import inspect
import pkgutil
import subprocess
import sys
from typing import Final

import memlane
from memlane import client
from memlane.client import MemoryClient, SyncMemoryClient, UserMemory

NAMES: Final = [
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
METHODS: Final = {
    "store",
    "store_many",
    "delete",
    "delete_namespace",
    "forget",
    "get",
    "get_many",
    "list",
    "iterate",
    "search",
    "stats",
}

_NOT_FOR_BOTS: Final = ("aiosqlite", "redis", "Stemmer", "aiohttp", "uvloop", "click")


def _public(kind: type) -> set[str]:
    return {name for name in vars(kind) if not name.startswith("_")}


def test_the_client_exports_these_names_and_no_others() -> None:
    """A name that comes or goes is a change that bots notice."""
    assert client.__all__ == NAMES
    assert all(inspect.getdoc(getattr(client, name)) for name in NAMES)


def test_the_clients_have_the_same_methods() -> None:
    """For one user, for all, and without an event loop."""
    assert _public(UserMemory) == METHODS
    assert METHODS | {"health", "blocked", "flush"} == _public(SyncMemoryClient)
    assert METHODS | {"health", "blocked", "flush", "user", "send", "get_answer"} == _public(MemoryClient)


def test_a_bot_loads_no_database_driver() -> None:
    """Nor what only the command line needs."""
    code = f"import sys, memlane.client; print([name for name in {_NOT_FOR_BOTS!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == "[]"


def test_importing_anything_has_no_effect() -> None:
    """No connection, no file, no thread, no setting read: every module can be imported anywhere."""
    names = [module.name for module in pkgutil.walk_packages(memlane.__path__, "memlane.")]
    assert len(names) > len(NAMES)
    code = (
        "import importlib, os, sys, threading\n"
        "os.environ.update({'MEMLANE_SINKS': '!', 'MEMLANE_AMQP_URL': '!', 'MEMLANE_PREFETCH': '!'})\n"
        "def audit(event, arguments):\n"
        "    if event in {'socket.connect', 'sqlite3.connect', 'subprocess.Popen'}: raise SystemExit(event)\n"
        "sys.addaudithook(audit)\n"
        "for name in sys.argv[1:]: importlib.import_module(name)\n"
        "print(threading.active_count())"
    )
    command = [sys.executable, "-c", code, *(name for name in names if not name.endswith("__main__"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert (done.returncode, done.stdout.strip()) == (0, "1"), done.stderr
