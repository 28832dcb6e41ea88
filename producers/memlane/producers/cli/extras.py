"""Which parts of memlane are installed: extras, found by the packages that they bring."""

import re
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution, requires
from typing import Final

from memlane.contracts.errors import ConfigurationError

DISTRIBUTION: Final = "memlane"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_EXTRA: Final = re.compile(r"""extra\s*==\s*["']([^"']+)["']""")


def missing_packages(extra: str) -> list[str]:
    """The packages of an extra that are not installed, in the order in which it names them."""
    return [name for name in _packages(extra) if not _is_installed(name)]


def check_extras(what: str, entry_point: EntryPoint) -> None:
    """Checks that what an entry point names can work here.

    Raises:
        ConfigurationError: names the extra to install.
    """
    for extra in entry_point.extras:
        if missing := missing_packages(extra):
            raise ConfigurationError(
                f"{what} needs packages that are not installed: {', '.join(missing)}",
                hint=f"pip install '{DISTRIBUTION}[{extra}]'",
            )


def is_usable(entry_point: EntryPoint) -> bool:
    """Whether everything that an entry point needs is installed."""
    return not any(missing_packages(extra) for extra in entry_point.extras)


def _packages(extra: str) -> list[str]:
    found = []
    for requirement in requires(DISTRIBUTION) or []:
        needed, _, marker = requirement.partition(";")
        if extra in _EXTRA.findall(marker) and (name := _NAME.match(needed)):
            found.append(name[0])
    return found


def _is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True
