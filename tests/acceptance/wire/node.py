"""A Node program as a bot: its package, and running it."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[2]
CACHE: Final = ROOT / ".memlane" / "node"

_INSTALL_SECONDS: Final = 100
_RUN_SECONDS: Final = 30


def installed_packages() -> Path:
    """The folder of the packages that the lock file names, by which they are verified; installed once.

    Raises:
        AssertionError: npm could not install them; says why.
    """
    files = [HERE / "package.json", HERE / "package-lock.json"]
    name = sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    target = CACHE / name / "node_modules"
    if not target.is_dir():
        fresh = CACHE / f"{name}.{os.getpid()}"
        fresh.mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copy(file, fresh)
        _npm_ci(fresh)
        fresh.replace(target.parent)
    return target


def _npm_ci(folder: Path) -> None:
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    done = subprocess.run(  # noqa: S603  # a fixed command
        command, cwd=folder, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
    )
    assert done.returncode == 0, f"npm could not install the bot's packages:\n{done.stderr}"


class Refused(Exception):
    """The bot ended with an error."""


@dataclass(frozen=True)
class Bot:
    """Runs the bot, as a process of its own each time.

    Args:
        folder: with the bot and its packages.
        url: of the broker, with the bot's own account.
        sinks: whose receipts it waits for.
    """

    folder: Path
    url: str
    sinks: str

    @classmethod
    def made(cls, folder: Path, url: str, sinks: str) -> "Bot":
        """A bot in a folder of its own."""
        shutil.copy(HERE / "bot.mjs", folder)
        (folder / "node_modules").symlink_to(installed_packages())
        return cls(folder, url, sinks)

    # Any: what the bot prints is JSON.
    def run(self, *arguments: str) -> Any:
        """What it prints.

        Raises:
            Refused: it ended with an error.
        """
        environment = {"PATH": os.environ["PATH"], "AMQP_URL": self.url, "SINKS": self.sinks}
        done = subprocess.run(  # noqa: S603  # the tests' own arguments
            ["node", "bot.mjs", *arguments],  # noqa: S607  # wherever it is
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_RUN_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise Refused(done.stderr.strip())
        return json.loads(done.stdout)
