"""For all tests: few examples for hypothesis, a clean environment, nothing left behind, real servers.

A server that can't be had fails the tests that need it: it never skips them.
"""

import inspect
import json
import os
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from typing import Final

import pytest
import structlog

from memlane.storage.conformance.profiles import load_profile
from memlane.testing.mcp_servers import node
from memlane.testing.servers import PrivateRabbitMQ, PrivateRedis
from tests.support.left_behind import SHARED, Snapshot, check_tasks

load_profile()

# Plain lines: drawing a traceback takes longer than some tests wait for an answer.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.KeyValueRenderer(key_order=["level", "event"]),
    ]
)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says what was not run, and why."""
    if node() is None:
        terminalreporter.write_line(
            "Node or npm is not on this machine: the bot in JavaScript (tests/acceptance/wire) and the MCP"
            " servers that Node runs were not tested."
        )


ACCOUNTS: Final = {
    "bot": "producer",
    "alice": "producer",
    "bob": "producer",
    "stranger": "producer",
    "gateway": "gateway",
    "worker": "worker",
    "operator": "operator",
}
"""Accounts on every virtual host of the tests, password `secret`, each with the permissions of its kind."""

_PERMISSIONS: Final = Path(__file__).parents[1] / "compose" / "rabbitmq" / "permissions.json"
_VHOSTS_AT_ONCE: Final = 20
_ADD_VHOSTS: Final = """
Allow = fun(User, Name, Configure, Write, Read) ->
    rabbit_auth_backend_internal:set_permissions(User, Name, Configure, Write, Read, <<"test">>)
end,
Accounts = [{accounts}],
[catch rabbit_auth_backend_internal:add_user(User, <<"secret">>, <<"test">>)
 || {{User, _, _, _}} <- Accounts],
lists:foreach(fun(Number) ->
    Name = list_to_binary("test-" ++ integer_to_list(Number)),
    rabbit_vhost:add(Name, <<"test">>),
    Allow(<<"guest">>, Name, <<".*">>, <<".*">>, <<".*">>),
    [Allow(User, Name, C, W, R) || {{User, C, W, R}} <- Accounts]
end, lists:seq({first}, {last})).
"""


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    """Fails the test that leaves a thread, a child process or a connection."""
    before = Snapshot()
    yield
    before.check()


@pytest.fixture(autouse=True)
def no_task_is_left_behind(request: pytest.FixtureRequest, nothing_is_left_behind: None) -> None:  # noqa: ARG001
    """Fails the test that leaves an asyncio task."""
    if isinstance(request.node, pytest.Function) and inspect.iscoroutinefunction(request.node.obj):
        request.getfixturevalue("_no_task_is_left_behind")


@pytest.fixture
async def _no_task_is_left_behind() -> AsyncIterator[None]:
    yield
    await check_tasks()


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test says itself what memlane is to find in the environment."""
    for name in [name for name in os.environ if name.startswith("MEMLANE_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def rabbitmq_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateRabbitMQ]:
    """The RabbitMQ of all tests. It is not to be stopped: see `fragile_rabbitmq`."""
    with PrivateRabbitMQ(tmp_path_factory.mktemp("rabbitmq")) as server:
        SHARED.add(server.data_dir)
        yield server


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateRedis]:
    """The Redis of all tests. It is not to be stopped."""
    with PrivateRedis(tmp_path_factory.mktemp("redis")) as server:
        SHARED.add(server.data_dir)
        yield server


@pytest.fixture(scope="session")
def fragile_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateRabbitMQ]:
    """See `fragile_rabbitmq`."""
    with PrivateRabbitMQ(tmp_path_factory.mktemp("fragile-rabbitmq")) as server:
        SHARED.add(server.data_dir)
        yield server


@pytest.fixture
def fragile_rabbitmq(fragile_server: PrivateRabbitMQ) -> PrivateRabbitMQ:
    """A RabbitMQ that a test may stop and restart; it runs, whatever the test before did to it."""
    return fragile_server.start()


@pytest.fixture(scope="session")
def vhosts(rabbitmq_server: PrivateRabbitMQ) -> Iterator[str]:
    """Virtual hosts that nobody has used, as URLs; made in batches, for one costs more than twenty.

    Beside `guest`, who may do everything, there are the accounts of `ACCOUNTS`.
    """

    def make() -> Iterator[str]:
        for first in count(1, _VHOSTS_AT_ONCE):
            last = first + _VHOSTS_AT_ONCE - 1
            rabbitmq_server.control("eval", _ADD_VHOSTS.format(accounts=_accounts(), first=first, last=last))
            for number in range(first, last + 1):
                yield f"{rabbitmq_server.url}test-{number}"

    return make()


def _accounts() -> str:
    """As Erlang has it: `{Account, Configure, Write, Read}` each."""
    kinds = json.loads(_PERMISSIONS.read_text(encoding="utf-8"))
    rows = [
        (name, *(kinds[kind][right] for right in ("configure", "write", "read")))
        for name, kind in ACCOUNTS.items()
    ]
    return ", ".join("{" + ", ".join(f'<<"{one}">>' for one in row) + "}" for row in rows)
