"""Real MCP memory servers for tests and the demo: installed from their registries, in fixed versions."""

import os
import shlex
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from memlane.testing.servers.errors import ServerError

_INSTALL_LIMIT: Final = timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class NpmServer:
    """A server that Node runs.

    Attributes:
        package: its name.
        version: the one that its profile was tried with.
        script: what Node is given, inside the package.
    """

    package: str
    version: str
    script: str


SERVER_MEMORY: Final = NpmServer("@modelcontextprotocol/server-memory", "2026.8.31", "dist/index.js")
MEMORY_BANK: Final = NpmServer("@allpepper/memory-bank-mcp", "0.2.2", "dist/main/index.js")


def node() -> str | None:
    """Node's program, or None where Node or npm is not on the machine."""
    return shutil.which("node") if shutil.which("npm") else None


def npm_command(server: NpmServer, folder: Path) -> str:
    """The command line that starts a server. Installs it first, unless it is there.

    Args:
        server: which.
        folder: where packages are installed; made if absent.

    Raises:
        ServerError: Node is not there, or the package can't be installed.
    """
    program = node()
    if program is None:
        raise ServerError(
            "could not start a Node server", cause="there is no node or npm", hint="install Node.js"
        )
    home = folder.resolve() / f"{server.package.split('/')[-1]}-{server.version}"
    script = home / "node_modules" / server.package / server.script
    if not script.exists():
        # Two processes may want it at the same time: whoever is first is it.
        ours = home.with_name(f"{home.name}.{os.getpid()}")
        _install(server, ours)
        with suppress(OSError):
            ours.rename(home)
        shutil.rmtree(ours, ignore_errors=True)
    return shlex.join([program, str(script)])


def _install(server: NpmServer, home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    command = [
        "npm",
        "install",
        "--no-save",
        "--no-package-lock",
        "--no-audit",
        "--no-fund",
        "--prefix",
        str(home),
    ]
    what = f"could not install {server.package}"
    hint = "is npm's registry reachable?"
    try:
        done = subprocess.run(  # noqa: S603  # fixed arguments
            [*command, f"{server.package}@{server.version}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_INSTALL_LIMIT.total_seconds(),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ServerError(what, cause=f"npm took over {_INSTALL_LIMIT}", hint=hint) from error
    if done.returncode != 0:
        raise ServerError(what, cause=done.stderr.strip()[-1000:], hint=hint)
