"""No memory's value and no credential is in any log line: a whole run at its most talkative, searched."""

import asyncio
import json
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copy
from typing import Final

import pytest
import redis

from memlane.testing.demo.system import COMMAND, Place
from memlane.testing.servers import How, OwnServers, RabbitMQServer, RedisServer, Servers
from memlane.testing.servers.ports import free_ports
from tests.acceptance.logs import odd_sink
from tests.acceptance.shell import Shell, wait_for
from tests.support.broker import connected_broker
from tests.support.commands import version
from tests.support.guarded import guarded
from tests.support.left_behind import SHARED

ACCOUNT: Final = "talkative"
pytestmark = pytest.mark.timeout(300, func_only=True)

HERE: Final = Path(__file__).parent
ENTRY_POINT: Final = "[memlane.sinks]\nodd = odd_sink:OddSink\n"
METADATA: Final = "Metadata-Version: 2.1\nName: odd-sink\nVersion: 1\n"
RULES: Final = '[[rules]]\naccounts = ["bot"]\nusers = ["u"]\nmay = ["read", "write"]\n'


@dataclass(frozen=True)
class Secrets:
    """What must not come out, each in a form that nothing else has."""

    value: str
    metadata: str
    tag_value: str
    amqp: str
    redis: str
    token: str


@dataclass(frozen=True)
class Run:
    """memlane up, and who speaks to it.

    Attributes:
        worker: a shell with the settings of `memlane up`.
        bot: a shell of an account that has some rights.
        log: the file with all that `memlane up` wrote.
    """

    worker: Shell
    bot: Shell
    log: Path
    secrets: Secrets


@pytest.fixture
def hidden() -> Secrets:
    """New ones for each run."""
    return Secrets(*(f"hush{secrets.token_hex(12)}" for _ in range(6)))


@pytest.fixture
def locked_redis(own_servers: OwnServers, tmp_path: Path, hidden: Secrets) -> Iterator[RedisServer]:
    """A Redis with a password, which the test may restart."""
    with own_servers.redis(tmp_path / "redis") as server:
        SHARED.add(server.data_dir)
        _lock(server, hidden.redis)
        yield server


def _lock(server: RedisServer, password: str) -> None:
    """It starts without one, and forgets it when it is restarted."""
    with redis.Redis.from_url(server.url) as client:
        client.config_set("requirepass", password)


@pytest.fixture
def run(
    vhosts: Iterator[str],
    rabbitmq_server: RabbitMQServer,
    locked_redis: RedisServer,
    hidden: Secrets,
    tmp_path: Path,
) -> Iterator[Run]:
    """Where memlane can run: four sinks, of which one is odd and one is never there."""
    folder = tmp_path / "run"
    installed = folder / "plugin"
    (installed / "odd_sink-1.dist-info").mkdir(parents=True)
    (installed / "odd_sink-1.dist-info" / "METADATA").write_text(METADATA)
    (installed / "odd_sink-1.dist-info" / "entry_points.txt").write_text(ENTRY_POINT)
    copy(HERE / "odd_sink.py", installed)
    (folder / "rules.toml").write_text(RULES)
    url = next(vhosts)
    rabbitmq_server.control("add_user", ACCOUNT, hidden.amqp)
    rabbitmq_server.control("set_permissions", "-p", url.rpartition("/")[2], ACCOUNT, ".*", ".*", ".*")
    servers = Servers(
        amqp_url=url.replace("guest:guest", f"{ACCOUNT}:{hidden.amqp}"),
        redis_url=f"redis://:{hidden.redis}@127.0.0.1:{locked_redis.port}/0",
        amqp_how=How.ENVIRONMENT,
        redis_how=How.ENVIRONMENT,
    )
    place = Place(folder=folder, servers=servers, redis_prefix="secret", mcp_command=None)
    (nobody,) = free_ports(1)
    worker = Shell(
        place,
        {
            "MEMLANE_SINKS": "sqlite,redis,odd,mcp",
            "MEMLANE_MCP_URL": f"http://127.0.0.1:{nobody}/mcp",
            "MEMLANE_MCP_TOKEN": hidden.token,
            "MEMLANE_LOG_LEVEL": "debug",
            "MEMLANE_ACCESS_RULES": str(folder / "rules.toml"),
            "MEMLANE_RETRY_DELAYS": '["PT0.05S"]',
            "MEMLANE_SWEEP_INTERVAL": "0.2s",
            "MEMLANE_REDIS_TIMEOUT": "1s",
            "MEMLANE_PROBE_INTERVAL": "0.1s",
            "PYTHONPATH": str(installed),
        },
    )
    bot_url = url.replace("guest:guest", "bot:secret")
    yield Run(worker, worker.having(MEMLANE_AMQP_URL=bot_url), folder / "memlane.log", hidden)
    rabbitmq_server.control("delete_user", ACCOUNT)


def _found(text: str, hidden: Secrets) -> list[str]:
    """The lines in which one of them is."""
    wanted = [hidden.value, hidden.metadata, hidden.tag_value, hidden.amqp, hidden.redis, hidden.token]
    return [line[:300] for line in text.splitlines() if any(one in line for one in wanted)]


def _tell(run: Run, most: int = 100) -> str:
    """What can happen to commands and questions; returns what the command line wrote to stderr."""
    said = []
    value = json.dumps({"text": run.secrets.value, "list": [run.secrets.tag_value]})
    metadata = json.dumps({"note": run.secrets.metadata})
    commands = [
        ("store", "u", "k", value, "--metadata", metadata, "--wait", "sqlite,redis"),
        ("store", "u", f"{odd_sink.BREAKS}-1", value, "--metadata", metadata, "--wait", "sqlite,redis"),
        ("store", "u", "", value),
        ("store", "other", "k", value, "--wait", "sqlite"),
        ("get", "other", "k"),
        ("list", "u"),
        ("search", "u", run.secrets.value),
        ("delete", "u", "k", "--wait", "sqlite"),
        ("forget", "other", "--yes"),
    ]
    for arguments in commands[:most]:
        done = run.bot.run("--deadline", "3s", *arguments)
        # What a sink says of a store is told to whom it belongs, and may quote it: no log line is.
        if arguments[0] in {"store", "delete", "forget"} and not arguments[2].startswith(odd_sink.BREAKS):
            said.append(done.out)
        said.append(done.err)
    return "\n".join(said)


def test_a_whole_run_says_no_secret(
    run: Run, rabbitmq_server: RabbitMQServer, locked_redis: RedisServer
) -> None:
    """Stores, searches, denials, retries, parking, lost connections, a sink that quotes what it got."""
    vhost = run.worker.place.servers.amqp_url.rpartition("/")[2]
    hidden = run.secrets
    with _memlane_up(run) as memlane:
        wait_for(lambda: '"role": "aggregator"' in _log(run), "memlane works")
        said = _tell(run)
        bad = {"schema": 1, "commands": [{"type": "store", "value": hidden.value, "id": hidden.value}]}
        together = [
            {"type": "store", "id": version(), "user_id": "u", "key": key, "value": hidden.value}
            for key in ("fine", odd_sink.BREAKS)
        ]
        _publish(run, json.dumps({"schema": 1, "commands": together}))
        _publish(run, json.dumps(bad), hidden.value, f'{{"schema": 1, "{hidden.value}": 1}}')
        wait_for(lambda: _log(run).count("parked in the dead-letter queue") >= 5, "it parks")
        rabbitmq_server.control("close_all_connections", "--vhost", vhost, "for a test")
        wait_for(lambda: "not connected, trying again" in _log(run), "it lost its connections")
        _lock(locked_redis.restart(), hidden.redis)
        said += _tell(run, 3)
        wait_for(lambda: "will be tried again" in _log(run), "it retries")
        wait_for(lambda: "a question could not be answered" in _log(run), "the odd sink could not answer")
        memlane.terminate()
        assert memlane.wait(30) == 0
    log = _log(run)
    assert _found(log, hidden) == []
    assert _found(said, hidden) == []
    for expected in (
        "AccessDenied",
        "batch failed, halving it",
        "MalformedMessage",
        "UnicodeEncodeError",
        "sweep broke off",
        "sink is down",
    ):
        assert expected in log, f"the run should have shown {expected}"


def test_a_start_that_fails_says_no_secret(run: Run) -> None:
    """A password that is wrong, a URL that is none, a server that is not there; also with all details."""
    hidden = run.secrets
    for settings in (
        {"MEMLANE_AMQP_URL": f"amqp://bot:{hidden.amqp}@{_host(run)}"},
        {"MEMLANE_AMQP_URL": f"ampq://bot:{hidden.amqp}@{_host(run)}"},
        {"MEMLANE_AMQP_URL": f"amqp://bot:{hidden.amqp}@127.0.0.1:1/"},
        {"MEMLANE_REDIS_URL": f"radish://:{hidden.redis}@nowhere"},
    ):
        for options in ((), ("--debug",)):
            done = run.worker.having(**settings).run(*options, "up")
            assert done.code != 0
            assert _found(done.err + done.out, hidden) == []


def _host(run: Run) -> str:
    return run.worker.place.servers.amqp_url.rpartition("@")[2]


def _log(run: Run) -> str:
    return run.log.read_text(encoding="utf-8", errors="replace")


@contextmanager
def _memlane_up(run: Run) -> "Iterator[subprocess.Popen[bytes]]":
    """Runs it with all that it writes in one file."""
    with run.log.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  # memlane itself
            [*COMMAND, "up"],
            cwd=run.worker.place.folder,
            env={**run.worker.place.environment(), **run.worker.settings},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    with guarded(process, run.worker.place.folder):
        try:
            yield process
        finally:
            process.kill()


def _publish(run: Run, *bodies: str) -> None:
    """By hand, as the bot."""

    async def publish() -> None:
        async with connected_broker(run.bot.settings["MEMLANE_AMQP_URL"]) as hand:
            for body in bodies:
                await hand.publish(body.encode(), user_id="bot")

    asyncio.run(publish())
