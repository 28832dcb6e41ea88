"""A RabbitMQ that is installed, seen without the plugins that nobody has enabled.

Erlang looks for each of a node's modules (about a thousand) in the folders of all plugins, one after the
other, and changes threads for each look. With the needed folders alone, a node starts in half the time.
"""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_SERVER: Final = "rabbit"
"""The application that is the server: what it needs, a node needs."""

_NEEDS: Final = re.compile(r"\{(?:included_)?applications,\s*\[([^\]]*)\]")
"""In an application's resource file, see `man 4 app` of Erlang."""


def without_plugins(script: Path, folder: Path) -> Path:
    """The script by which the same RabbitMQ starts, and has no plugins to choose from.

    Args:
        script: `rabbitmq-server`, as it is installed.
        folder: For links to what is needed; what is in it is removed.

    Returns:
        The script to run; the same one where the installation does not look as expected.
    """
    home = script.resolve().parents[1]
    installed = {
        folder.name.rpartition("-")[0]: folder for folder in home.glob("plugins/*-*") if folder.is_dir()
    }
    needed = _needed(installed)
    if _SERVER not in needed or not (home / "sbin" / script.name).is_file():
        return script
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "plugins").mkdir(parents=True)
    for one in ("sbin", "escript"):
        (folder / one).symlink_to(home / one)
    for application in needed.values():
        (folder / "plugins" / application.name).symlink_to(application)
    return folder / "sbin" / script.name


def _needed(installed: Mapping[str, Path]) -> Mapping[str, Path]:
    """The server's application, and all that it needs in turn, but for what comes with Erlang."""
    needed: dict[str, Path] = {}
    unseen = {_SERVER}
    while unseen:
        name = unseen.pop()
        if name in installed and name not in needed:
            needed[name] = installed[name]
            unseen |= _needs(installed[name] / "ebin" / f"{name}.app")
    return needed


def _needs(resource: Path) -> set[str]:
    told = _NEEDS.findall(resource.read_text(encoding="utf-8")) if resource.is_file() else []
    return {name for names in told for name in re.findall(r"\w+", names)}
