"""memlane up: starts, is alive, is ready, stops in good order."""

import asyncio
import json
import signal
import time
from http.client import HTTPConnection

import pytest

from memlane.testing.servers.ports import LOOPBACK, free_ports
from tests.acceptance.shell import LIMIT, Shell, wait_for
from tests.support.proxy import network
from tests.support.waiting import wait_until

STOP_SECONDS = 10.0
"""Longer than any of them takes with nothing in hand; the drain's own bound."""


def ask(port: int, path: str) -> tuple[int, dict[str, object]]:
    """The status and the body of what the health port answers; (0, {}) where nothing does."""
    connection = HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    except OSError:
        return 0, {}
    finally:
        connection.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_health_and_stops_on_a_signal(shell: Shell, number: signal.Signals) -> None:
    """With exit code 0, within its bound."""
    (port,) = free_ports(1)
    with shell.having(MEMLANE_HEALTH_PORT=str(port)).start("up") as process:
        wait_for(lambda: ask(port, "/readyz")[0] == 200, "it is ready")
        assert ask(port, "/livez") == (200, {"alive": True})
        _, ready = ask(port, "/readyz")
        roles = ready["roles"]
        assert isinstance(roles, dict)
        assert set(roles) == {
            "aggregator", "lane sqlite", "lane redis", "responder sqlite", "responder redis",
            "sweeper sqlite", "sweeper redis", "rebuilder sqlite", "rebuilder redis",
            "standings", "backlog watch", "backups", "reconciler",
        }  # fmt: skip
        asked = time.monotonic()
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err.decode()
    assert time.monotonic() - asked < STOP_SECONDS
    assert out == b""
    assert b"Traceback" not in err


def test_what_was_not_decided_when_it_stopped_is_decided_by_the_next_one(shell: Shell) -> None:
    """Nothing is lost between two runs, and each ends in good order."""
    (port,) = free_ports(1)
    shell = shell.having(MEMLANE_SINKS="sqlite", MEMLANE_HEALTH_PORT=str(port))
    assert shell.run("topology", "apply").code == 0
    lines = "".join(f'{{"user_id": "u{n % 7}", "key": "k{n}", "value": {n}}}\n' for n in range(6000))
    assert shell.run("import", "jsonl", "-", stdin=lines.encode()).code == 0

    with shell.start("up") as first:
        wait_for(lambda: ask(port, "/readyz")[0] == 200, "the first one is ready")
        first.terminate()
        first.communicate(timeout=60)
    assert first.returncode == 0
    with shell.start("up") as second:
        wait_for(lambda: ask(port, "/readyz")[0] == 200, "the second one is ready")
        fence = shell.run("delete", "u", "fence", "--wait", "all", "--deadline", "30s")
        assert fence.code == 0, fence
        (state,) = shell.run("status", "--json").records
        second.terminate()
        second.communicate(timeout=60)
    assert second.returncode == 0
    assert state["sinks"]["sqlite"]["stats"]["live"] == 6000


async def test_it_is_not_ready_while_the_broker_is_away_and_stops_all_the_same(shell: Shell) -> None:
    """Alive, and back by itself."""
    (port,) = free_ports(1)

    async def answers(path: str, status: int) -> None:
        async def does() -> bool:
            return (await asyncio.to_thread(ask, port, path))[0] == status

        await wait_until(does, f"{path} answers {status}", LIMIT)

    async with network(shell.place.servers.amqp_url) as (proxy, url):
        settings = {"MEMLANE_HEALTH_PORT": str(port), "MEMLANE_AMQP_URL": url, "MEMLANE_SINKS": "sqlite"}
        with shell.having(**settings).start("up") as process:
            try:
                await answers("/readyz", 200)
                await proxy.close()
                await answers("/readyz", 503)
                await answers("/livez", 200)
                await proxy.open()
                await answers("/readyz", 200)
                await proxy.close()
                await answers("/readyz", 503)
            finally:
                process.terminate()
                _, err = await asyncio.to_thread(process.communicate, timeout=60)
    assert process.returncode == 0, err.decode()[-2000:]


def test_a_sink_that_is_away_holds_up_nobody_else(shell: Shell) -> None:
    """SQLite is written and read; readiness names the sink that is waited for; it stops in good order."""
    (port,) = free_ports(1)
    shell = shell.having(MEMLANE_REDIS_URL="redis://127.0.0.1:1/0", MEMLANE_HEALTH_PORT=str(port))
    with shell.start("up") as process:
        wait_for(lambda: ask(port, "/livez")[0] == 200, "it is alive")
        stored = shell.run("store", "u", "k", "v", "--wait", "sqlite", "--deadline", "30s")
        got = shell.run("get", "u", "k")
        status, ready = ask(port, "/readyz")
        process.terminate()
        _, err = process.communicate(timeout=60)
    assert stored.code == 0, stored
    assert (got.code, got.out) == (0, "v\n")
    assert status == 503
    assert "can't reach Redis at 127.0.0.1:1" in str(ready["roles"])
    assert process.returncode == 0, err.decode()


def test_a_role_alone_does_its_part(shell: Shell) -> None:
    """A lane, without anybody who answers questions."""
    shell = shell.having(MEMLANE_SINKS="sqlite")
    shell.run("topology", "apply")
    with shell.start("worker", "lane", "sqlite") as process:
        done = shell.run("store", "u", "k", "v", "--wait", "sqlite", "--deadline", "30s")
        process.terminate()
        process.communicate(timeout=60)
    assert done.code == 0, done
    assert "  sqlite: applied" in done.out
    assert process.returncode == 0


async def test_a_signal_ends_it_while_it_starts(shell: Shell) -> None:
    """A broker that takes the connection and says nothing does not hold it: there is nothing in hand yet."""
    async with network(shell.place.servers.amqp_url) as (proxy, url):
        proxy.freeze()
        with shell.having(MEMLANE_AMQP_URL=url).start("up") as process:
            await wait_until(lambda: proxy.accepted > 0, "it connects", LIMIT)
            process.terminate()
            _, err = await asyncio.to_thread(process.communicate, timeout=60)
    assert process.returncode == 0, err.decode()
    assert b"Traceback" not in err
