"""For all tests: few examples for hypothesis, a clean environment, nothing left behind, real servers.

A server that can't be had fails the tests that need it: it never skips them.
"""

import inspect
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest
import structlog

from memlane.storage.conformance.profiles import load_profile
from memlane.testing.mcp_servers import node
from memlane.testing.servers import Hosting, OwnServers, RabbitMQServer, RedisServer, own_servers
from memlane.testing.servers.kinds import Kind
from memlane.testing.vhosts import NewVhosts, Permissions
from tests.support.given_servers import GivenRabbitMQ, GivenRedis, given
from tests.support.kinds_of_servers import KINDS, kinds_left_out, servers_used, why_no_servers
from tests.support.left_behind import SHARED, Snapshot, check_containers, check_tasks

load_profile()

# Plain lines: drawing a traceback takes longer than some tests wait for an answer.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.KeyValueRenderer(key_order=["level", "event"]),
    ]
)


_LEFT_OUT: Final = pytest.StashKey[dict[str, str]]()

_ENVIRONMENT: Final = dict(os.environ)
"""As it was given: no test sees it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """What servers the tests run on."""
    parser.addoption(
        "--services",
        type=Hosting,
        choices=list(Hosting),
        help="run on servers of this kind, and fail where they can't be had; default: those that"
        " MEMLANE_AMQP_URL and MEMLANE_REDIS_URL name, else containers where an engine runs, else processes",
    )
    parser.addoption(
        "--only-on-servers",
        action="store_true",
        help="leave out the tests that need no server of these: they are the same, however servers run",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Where no servers can be had, says so once, and not for each of the tests."""
    _have_ctrl_c_work()
    is_child_of_xdist = hasattr(config, "workerinput")
    if is_child_of_xdist or config.option.collectonly or not _wants_servers(config.args):
        return
    if (problem := why_no_servers(config.getoption("services"), _ENVIRONMENT)) is not None:
        raise pytest.UsageError(problem)


def _have_ctrl_c_work() -> None:
    """Whoever runs this in the background has switched it off, for the programs that tests start as well."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _wants_servers(chosen: Sequence[str]) -> bool:
    without = tuple(Path(__file__).with_name(name) for name in ("unit", "house"))
    paths = [Path(one.partition("::")[0]).absolute() for one in chosen]
    return not all(any(path.is_relative_to(folder) for folder in without) for path in paths)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out tests of servers that can't run so here. What is forced is not left out."""
    kinds = {kind for kind in KINDS for item in items if item.get_closest_marker(kind)}
    left_out = kinds_left_out(config.getoption("services")) if kinds else {}
    config.stash[_LEFT_OUT] = {kind: why for kind, why in left_out.items() if kind in kinds}
    gone = [item for item in items if any(item.get_closest_marker(kind) for kind in left_out)]
    if config.getoption("only_on_servers"):
        gone += [item for item in items if not _is_on_servers(item)]
    if gone:
        config.hook.pytest_deselected(items=gone)
        items[:] = [item for item in items if item not in set(gone)]


def _is_on_servers(item: pytest.Item) -> bool:
    fixtures = {"own_servers", "memlane_servers"} & set(getattr(item, "fixturenames", ()))
    return bool(fixtures) or item.get_closest_marker("containers") is not None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says what was not run, and why."""
    config = terminalreporter.config
    left_out = config.stash.get(_LEFT_OUT, None)
    if left_out is None:  # its processes have collected the tests
        left_out = kinds_left_out(config.getoption("services"))
    if _wants_servers(config.args):
        terminalreporter.write_line(servers_used(config.getoption("services"), _ENVIRONMENT))
    for kind, why in left_out.items():
        terminalreporter.write_line(f"Tests of servers that run as {kind} were left out: {why}.")
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


@pytest.fixture(scope="session", name="own_servers")
def _own_servers(pytestconfig: pytest.Config) -> Iterator[OwnServers]:
    """Makes servers that a test may do anything to. No container of them is there in the end."""
    servers = own_servers(pytestconfig.getoption("services"))
    yield servers
    if servers.hosting is Hosting.CONTAINERS:
        check_containers()


@pytest.fixture(scope="session")
def rabbitmq_server(
    own_servers: OwnServers, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RabbitMQServer]:
    """The RabbitMQ of all tests. It is not to be stopped: see `fragile_rabbitmq`.

    Other processes of the same run have theirs: with one scheduler each, they wake one another less.
    """
    folder = tmp_path_factory.mktemp("rabbitmq")
    url = None if pytestconfig.getoption("services") else given(Kind.RABBITMQ, _ENVIRONMENT)
    with GivenRabbitMQ(url, folder) if url else own_servers.rabbitmq(folder, schedulers=1) as server:
        SHARED.add(server.data_dir)
        yield server


@pytest.fixture(scope="session")
def redis_server(
    own_servers: OwnServers, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RedisServer]:
    """The Redis of all tests. It is not to be stopped."""
    folder = tmp_path_factory.mktemp("redis")
    url = None if pytestconfig.getoption("services") else given(Kind.REDIS, _ENVIRONMENT)
    with GivenRedis(url, folder) if url else own_servers.redis(folder) as server:
        SHARED.add(server.data_dir)
        yield server


@pytest.fixture(scope="session")
def fragile_server(
    own_servers: OwnServers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RabbitMQServer]:
    """See `fragile_rabbitmq`."""
    with own_servers.rabbitmq(tmp_path_factory.mktemp("fragile-rabbitmq"), schedulers=1) as server:
        SHARED.add(server.data_dir)
        yield server


@pytest.fixture
def fragile_rabbitmq(fragile_server: RabbitMQServer) -> RabbitMQServer:
    """A RabbitMQ that a test may stop and restart; it runs, whatever the test before did to it."""
    return fragile_server.start()


@pytest.fixture(scope="session")
def vhosts(rabbitmq_server: RabbitMQServer) -> NewVhosts:
    """Virtual hosts that nobody has used, as URLs.

    Beside `guest`, who may do everything, there are the accounts of `ACCOUNTS`.
    """
    kinds = json.loads(_PERMISSIONS.read_text(encoding="utf-8"))
    rights = {
        kind: Permissions(configure=of["configure"], write=of["write"], read=of["read"])
        for kind, of in kinds.items()
    }
    # Another run may have left some on a server that the environment names.
    prefix = f"test-{uuid4().hex[:8]}-"
    return NewVhosts(rabbitmq_server, prefix, {name: rights[kind] for name, kind in ACCOUNTS.items()})
