"""The example project's own tests, run as its developers run them."""

import subprocess
import sys
from pathlib import Path

import pytest

from memlane.testing.servers import OwnServers
from tests.house.project import DOCS

PROJECT = DOCS / "examples" / "preferences_bot"


def test_they_pass_on_servers_of_this_kind(own_servers: OwnServers, tmp_path: Path) -> None:
    """By the shipped fixtures alone."""
    done = _run(PROJECT, tmp_path, "--memlane-services", own_servers.hosting.value)
    assert done.returncode == 0, done.stdout
    assert "7 passed" in done.stdout


def test_a_kind_that_cannot_be_had_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It never skips; the tests without servers pass."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no-engine.sock")
    done = _run(PROJECT, tmp_path, "--memlane-services", "containers")
    assert done.returncode == 1
    assert "4 passed, 3 errors" in done.stdout
    assert "cannot run servers in containers" in done.stdout
    assert "compose/make-images" in done.stdout


def _run(project: Path, tmp_path: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    options = ["-p", "no:cacheprovider", "-p", "no:randomly"]
    return subprocess.run(  # noqa: S603  # fixed arguments
        [sys.executable, "-m", "pytest", *options, "--basetemp", str(tmp_path / "run"), *arguments],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
