"""Installing servers with apt-get, without starting a system service."""

import contextlib
import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from memlane.testing.servers.errors import InstallFailed

POLICY = Path("/usr/sbin/policy-rc.d")
LOCK = Path("/run/memlane-install.lock")
TIME_LIMIT = timedelta(minutes=10)

# Debian's own switch: a package's post-install asks this program first; 101 means "do not start the service".
_POLICY_TEXT = "#!/bin/sh\n# Written by memlane while it installs packages, and removed again.\nexit 101\n"


def why_not() -> str | None:
    """Why packages may not be installed here, or None where they may."""
    if shutil.which("apt-get") is None:
        return "there is no apt-get"
    if os.geteuid() != 0:
        return "not running as root, which apt-get needs"
    return None


def install(packages: Sequence[str], *, policy: Path = POLICY, lock: Path = LOCK) -> None:
    """Install packages in one go, with none of their services started.

    Raises:
        InstallFailed: apt-get failed, or took too long.
    """
    with _one_at_a_time(lock), services_held_back(policy):
        # One source of several that cannot be reached fails the update; whether it matters, the rest shows.
        with contextlib.suppress(InstallFailed):
            _apt_get("update")
        _apt_get("install", "--yes", "--no-install-recommends", *packages)


@contextlib.contextmanager
def services_held_back(policy: Path) -> Iterator[None]:
    """Keep packages from starting their services; a policy that the machine already has is left alone."""
    try:
        with policy.open("x") as file:
            file.write(_POLICY_TEXT)
    except FileExistsError:
        yield
        return
    try:
        policy.chmod(0o755)
        yield
    finally:
        policy.unlink(missing_ok=True)


@contextlib.contextmanager
def _one_at_a_time(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _apt_get(*arguments: str) -> None:
    command = ["apt-get", "--quiet", "-o", "DPkg::Lock::Timeout=300", *arguments]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    what = f"could not run `{' '.join(command)}`"
    hint = "run it by hand; servers that run already can be named by MEMLANE_AMQP_URL and MEMLANE_REDIS_URL"
    try:
        done = subprocess.run(  # noqa: S603  # every argument is this module's own
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=TIME_LIMIT.total_seconds(),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise InstallFailed(what, cause=f"not done after {TIME_LIMIT}", hint=hint) from error
    if done.returncode != 0:
        last = "\n    ".join(done.stdout.strip().splitlines()[-8:])
        raise InstallFailed(what, cause=f"exit code {done.returncode}:\n    {last}", hint=hint)
