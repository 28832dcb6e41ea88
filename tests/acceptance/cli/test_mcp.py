"""The MCP sink from the command line, on the real server-memory."""

import os
import sys
from pathlib import Path

from tests.acceptance.shell import Shell
from tests.support.mcp_servers import held, server_memory_command


def with_mcp(shell: Shell, folder: Path) -> Shell:
    """A deployment with an MCP server."""
    return shell.having(
        MEMLANE_SINKS="sqlite,redis,mcp",
        MEMLANE_MCP_COMMAND=server_memory_command(),
        MEMLANE_MCP_DIR=str(folder),
    )


def test_check_says_what_the_server_can_and_cannot_do(shell: Shell, tmp_path: Path) -> None:
    """After a round trip of one entry, which leaves nothing behind."""
    done = with_mcp(shell, tmp_path).run("sink", "check", "mcp")
    assert done.code == 0, done
    assert done.out.splitlines() == [
        "mcp: healthy, not durable: a cache, or unknown",
        "an entry was kept, read back and removed",
        "get: server",
        "list: ledger",
        "search: ledger",
        "delete: removed",
    ]
    assert held(tmp_path) == {}


def test_check_of_a_server_that_does_not_start_says_why(shell: Shell, tmp_path: Path) -> None:
    """Exit code 5: it may work later."""
    broken = with_mcp(shell, tmp_path).having(MEMLANE_MCP_COMMAND="false")
    done = broken.run("sink", "check", "mcp")
    assert done.code == 5
    assert "the MCP server could not be started or reached" in done.err
    assert "MEMLANE_MCP_COMMAND" in done.err
    assert "Traceback" not in done.err


def test_check_of_a_server_of_another_kind_names_what_is_missing(shell: Shell, tmp_path: Path) -> None:
    """And which setting to change."""
    other = with_mcp(shell, tmp_path).having(MEMLANE_MCP_PROFILE="user-memory")
    done = other.run("sink", "check", "mcp")
    assert done.code == 1
    assert "the MCP server has no tool 'remember_user_info'; it has: add_observations" in done.err
    assert "MEMLANE_MCP_PROFILE" in done.err


def test_the_other_sinks_can_be_checked_too(shell: Shell) -> None:
    """Whether they are healthy, and durable."""
    assert shell.run("sink", "check", "sqlite").out == "sqlite: healthy, durable\n"
    assert shell.run("sink", "check", "redis").out == "redis: healthy, not durable: a cache, or unknown\n"


def test_up_runs_three_sinks(shell: Shell, tmp_path: Path) -> None:
    """What is stored is in all of them, and in the server's own file."""
    shell = with_mcp(shell, tmp_path)
    with shell.start("up", "--sinks", "sqlite,redis,mcp") as process:
        done = shell.run("store", "u", "k", "v", "--wait", "all", "--deadline", "30s")
        got = shell.run("get", "u", "k", "--json")
        process.terminate()
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err.decode()
    assert done.code == 0, done
    for sink in ("sqlite", "redis", "mcp"):
        assert f"  {sink}: applied" in done.out
    assert got.code == 0
    assert [command.value for command in held(tmp_path).values()] == ["v"]


def test_up_without_node_says_so(shell: Shell, tmp_path: Path) -> None:
    """Where no command and no URL is set, server-memory is run by npx: which must be there."""
    path = os.pathsep.join(
        folder for folder in os.environ["PATH"].split(os.pathsep) if not (Path(folder) / "npx").exists()
    )
    (tmp_path / "python3").symlink_to(sys.executable)
    done = shell.having(MEMLANE_SINKS="sqlite,mcp", PATH=f"{tmp_path}:{path}").run("up")
    assert done.code == 1
    assert "run by npx, which is not on this machine" in done.err
    assert "install Node.js" in done.err
    assert "Traceback" not in done.err
