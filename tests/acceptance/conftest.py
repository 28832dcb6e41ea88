"""The real command line as processes, on real servers: each on a virtual host of its own."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from memlane.testing.demo.system import Place, running_memlane
from memlane.testing.mcp_servers import node
from memlane.testing.servers import How, RedisServer, Servers
from tests.acceptance.forking import start_forking
from tests.acceptance.shell import Shell

collect_ignore = ["cli/test_mcp.py"] if node() is None else []

MakeShell = Callable[[], Shell]


@pytest.fixture(scope="session")
def make_shell(
    vhosts: Iterator[str], redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> MakeShell:
    """Makes shells in which the settings name servers where nothing of memlane is yet."""
    start_forking()

    def make() -> Shell:
        servers = Servers(
            amqp_url=next(vhosts),
            redis_url=redis_server.url,
            amqp_how=How.ENVIRONMENT,
            redis_how=How.ENVIRONMENT,
        )
        folder = tmp_path_factory.mktemp("memlane")
        return Shell(
            Place(folder=folder, servers=servers, redis_prefix=f"test-{uuid4().hex[:12]}", mcp_command=None)
        )

    return make


@pytest.fixture
def shell(make_shell: MakeShell) -> Shell:
    """A shell, and nothing of memlane running."""
    return make_shell()


@pytest.fixture(scope="module")
def system(make_shell: MakeShell) -> Iterator[Shell]:
    """A shell beside a `memlane up` with SQLite and Redis, shared by the tests of a file."""
    shell = make_shell()
    with running_memlane(shell.place) as memlane:
        memlane.wait_until_ready()
        yield shell
        assert memlane.stop() == 0


@pytest.fixture
def user() -> str:
    """A user whom no other test knows."""
    return f"user-{uuid4().hex[:12]}"
