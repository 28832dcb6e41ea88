"""A bot in another language, on a real memlane. Where there is no Node, there is nothing to run it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from memlane.testing.mcp_servers import node
from memlane.testing.servers import RabbitMQServer
from tests.acceptance.wire.memlane_up import memlane_up
from tests.acceptance.wire.node import ROOT, Bot

SINK: Final = "sqlite"
ACCOUNT: Final = "node-bot"
_PAGE: Final = ROOT / "docs" / "wire-format.md"
_RIGHTS: Final = re.compile(r"^rabbitmqctl set_permissions bot '(.*)' '(.*)' '(.*)'$", re.MULTILINE)

collect_ignore = ["test_node_bot.py"] if node() is None else []


@pytest.fixture(scope="module")
def memlane_url(vhosts: Iterator[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The broker's URL, for the account that memlane uses; memlane is up, with the SQLite sink."""
    url = next(vhosts)
    folder = tmp_path_factory.mktemp("memlane")
    with memlane_up(folder, {"MEMLANE_AMQP_URL": url, "MEMLANE_SINKS": SINK}):
        yield url


@pytest.fixture(scope="module")
def bot(
    rabbitmq_server: RabbitMQServer, memlane_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bot]:
    """A bot with an account that has the rights of the page, and no others."""
    server, _, vhost = memlane_url.rpartition("/")
    rights = _RIGHTS.search(_PAGE.read_text(encoding="utf-8"))
    assert rights is not None, "the page says which rights an account needs"
    rabbitmq_server.control("add_user", ACCOUNT, "secret")
    rabbitmq_server.control("set_permissions", "-p", vhost, ACCOUNT, *rights.groups())
    url = f"{server.replace('guest:guest', f'{ACCOUNT}:secret')}/{vhost}"
    yield Bot.made(Path(tmp_path_factory.mktemp("bot")), url, SINK)
    rabbitmq_server.control("delete_user", ACCOUNT)
