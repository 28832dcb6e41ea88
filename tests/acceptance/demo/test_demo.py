"""The demo: the main job, on the project's sample and (where it is there) on the shared data."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from redis.asyncio import Redis

from memlane.contracts.topology import topology
from memlane.producers.broker.declare import missing
from memlane.testing.demo.source import SAMPLE, SHARED, Expected
from memlane.testing.mcp_servers import node
from tests.acceptance.conftest import MakeShell
from tests.support.broker import connected_broker

ROOT: Final = Path(__file__).resolve().parents[3]
COMMAND: Final = (sys.executable, "-m", "memlane.testing.demo")
LIMIT_SECONDS: Final = 110


def run_demo(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Runs it to its end, in the project's folder."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MEMLANE_")}
    return subprocess.run(  # noqa: S603  # our own
        [*COMMAND, *arguments],
        cwd=ROOT,
        env={**inherited, **environment, "COLUMNS": "120"},
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )


def test_the_sample_is_ours_and_small() -> None:
    """Some hundred lines, of people who change their minds."""
    expected = Expected.of(SAMPLE)
    assert 250 <= expected.lines <= 350
    assert len(expected.values) < expected.lines
    assert len(expected.users) > 10


async def test_it_shows_the_main_job_and_leaves_nothing_on_servers_that_are_not_its_own(
    make_shell: MakeShell,
) -> None:
    """On the servers that the environment names: neither a queue nor a key stays."""
    servers = make_shell().place.servers
    done = run_demo("--data", str(SAMPLE), **servers.environment())
    assert done.returncode == 0, done.stdout + done.stderr
    values = len(Expected.of(SAMPLE).values)
    for told in (
        "imported 296 of 296 lines",
        f"✓ sqlite: every one of {values} addresses holds its last value",
        f"✓ redis: every one of {values} addresses holds its last value",
        *([f"✓ mcp: every one of {values} addresses holds its last value"] if node() else []),
        "✓ all sinks hold the same",
        "✓ 100 of 100 values were read back right after they were stored",
        "deleted addresses came back",
        "✓ memlane up ended on SIGTERM with exit code 0",
        "✓ everything is as it should be",
    ):
        assert told in done.stdout, done.stdout
    assert "✗" not in done.stdout

    async with connected_broker(servers.amqp_url) as broker:
        wanted = topology(["sqlite", "redis", "mcp"])
        assert len(await missing(broker.connection, wanted)) == len(wanted.exchanges) + len(wanted.queues)
    async with Redis.from_url(servers.redis_url) as redis:
        assert [key async for key in redis.scan_iter(match="memlane-demo-*")] == []


@pytest.mark.skipif(not (ROOT / SHARED).is_file(), reason="the shared data is not beside the project")
def test_with_the_shared_data_and_servers_of_its_own() -> None:
    """What `make demo` does."""
    done = run_demo()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "imported 4,271 of 4,271 lines" in done.stdout
    assert re.search(r"✓ redis: every one of 3,499 addresses holds its last value", done.stdout)
    assert "✓ everything is as it should be" in done.stdout


def test_it_refuses_a_broker_that_memlane_is_on_already(make_shell: MakeShell) -> None:
    """It would take that system's commands."""
    shell = make_shell()
    shell.run("topology", "apply")
    done = run_demo(**shell.place.servers.environment())
    assert done.returncode == 1
    assert "the broker of MEMLANE_AMQP_URL has memlane.commands already" in done.stdout
    assert shell.run("topology", "check").code == 0, "and touches nothing there"


def test_ctrl_c_stops_everything(make_shell: MakeShell) -> None:
    """In the middle of it; exit code 130."""
    servers = make_shell().place.servers
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MEMLANE_")}
    with (
        subprocess.Popen(  # noqa: S603  # our own
            [sys.executable, "-u", *COMMAND[1:]],
            cwd=ROOT,
            env={**inherited, **servers.environment()},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process
    ):
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("3  Import"):
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, out + err
    assert "interrupted; everything that was started is stopped" in out
    assert "Traceback" not in err


def test_without_node_it_says_that_there_is_no_mcp_server(tmp_path: Path, make_shell: MakeShell) -> None:
    """And shows the rest."""
    servers = make_shell().place.servers
    path = os.pathsep.join(
        folder for folder in os.environ["PATH"].split(os.pathsep) if not (Path(folder) / "npm").exists()
    )
    (tmp_path / "python3").symlink_to(sys.executable)
    done = run_demo("--data", str(SAMPLE), **{**servers.environment(), "PATH": f"{tmp_path}:{path}"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Node is not on this machine, so there is no MCP server in this demo" in done.stdout
    assert "mcp:" not in done.stdout
    assert "✓ all sinks hold the same" in done.stdout
