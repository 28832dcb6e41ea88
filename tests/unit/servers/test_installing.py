"""Programs are found where packages put them, and installed where they are missing and may be."""

from collections.abc import Callable
from pathlib import Path

import pytest

from memlane.testing.servers import NoServerFound, programs
from memlane.testing.servers.installing import ensure_installed
from memlane.testing.servers.kinds import Kind

PLACE = Path("/somewhere")


def having(*kinds: Kind) -> Callable[[Kind], Path | None]:
    """A machine on which these are installed."""
    return lambda kind: PLACE if kind in kinds else None


def refuse(_: list[str]) -> None:
    """Nothing is to be installed in this test."""
    pytest.fail("installed something")


def test_what_is_there_is_not_installed() -> None:
    """Nobody asks whether it may be."""
    done = ensure_installed(Kind, find=having(*Kind), why_not=lambda: pytest.fail("asked"), install=refuse)
    assert not done


def test_all_that_is_missing_is_installed_at_once() -> None:
    """And only that."""
    here: list[Kind] = []
    asked: list[list[str]] = []

    def install(packages: list[str]) -> None:
        asked.append(packages)
        here.extend(Kind)

    assert ensure_installed(
        Kind, find=lambda kind: PLACE if kind in here else None, why_not=lambda: None, install=install
    )
    assert asked == [["rabbitmq-server", "redis-server"]]


def test_what_is_missing_and_may_not_be_installed_is_one_clear_error() -> None:
    """It names what is missing, why it stays missing, and the choices."""
    with pytest.raises(NoServerFound) as caught:
        ensure_installed(Kind, find=having(Kind.REDIS), why_not=lambda: "not root", install=refuse)

    assert caught.value.what == "no RabbitMQ to run on"
    assert "not root" in caught.value.cause
    assert "MEMLANE_AMQP_URL" in caught.value.hint


def test_an_installation_that_brings_nothing_is_an_error() -> None:
    """A package under that name may hold something else."""
    with pytest.raises(NoServerFound, match="installed, but not found"):
        ensure_installed(Kind, find=having(), why_not=lambda: None, install=lambda _: None)


def test_the_packages_script_is_preferred_to_the_wrapper_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wrapper changes to the system's user, and to the system's data."""
    monkeypatch.setattr(programs, "epmd", lambda: PLACE)
    wrapper = _program(tmp_path / "usr/sbin/rabbitmq-server")
    script = _program(tmp_path / "usr/lib/rabbitmq/bin/rabbitmq-server")
    monkeypatch.setenv("PATH", str(wrapper.parent))

    assert programs.rabbitmq_server(root=tmp_path) == script
    script.unlink()
    newest = _program(tmp_path / "usr/lib/rabbitmq/lib/rabbitmq_server-4.1.0/sbin/rabbitmq-server")
    _program(tmp_path / "usr/lib/rabbitmq/lib/rabbitmq_server-4.0.5/sbin/rabbitmq-server")
    assert programs.rabbitmq_server(root=tmp_path) == newest


def test_a_rabbitmq_without_erlang_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It could not start."""
    monkeypatch.setattr(programs, "epmd", lambda: None)
    _program(tmp_path / "usr/lib/rabbitmq/bin/rabbitmq-server")
    assert programs.rabbitmq_server(root=tmp_path) is None


def _program(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path
