"""Installing packages: in one go, without starting their services, and with errors that say what apt said."""

import os
from pathlib import Path

import pytest

from memlane.testing.servers import InstallFailed, apt


class FakeApt:
    """An `apt-get` first on the PATH, which notes how it is called and fails where it is told to."""

    def __init__(self, folder: Path) -> None:
        self._calls = folder / "calls"
        self._failing = folder / "failing"
        self._script = folder / "apt-get"
        self._script.write_text(
            f'#!/bin/sh\necho "$DEBIAN_FRONTEND $*" >> {self._calls}\n'
            f'if grep -qs "$4" {self._failing}; then echo "E: no such thing"; exit 100; fi\n'
        )
        self._script.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        """How it was called."""
        return self._calls.read_text().splitlines() if self._calls.exists() else []

    def fail_at(self, verb: str) -> None:
        """Fail when asked for this."""
        self._failing.write_text(verb)


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeApt:
    """Stands for apt-get."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.defpath}")
    return FakeApt(tmp_path)


def install(folder: Path) -> None:
    """Install two packages, with nothing of the machine's own touched."""
    apt.install(["one", "two"], policy=folder / "policy-rc.d", lock=folder / "lock")


def test_packages_are_installed_in_one_call_after_an_update(fake: FakeApt, tmp_path: Path) -> None:
    """Nobody is asked anything meanwhile."""
    install(tmp_path)

    update, installation = fake.calls
    assert update.endswith(" update")
    assert installation.startswith("noninteractive ")
    assert installation.endswith(" install --yes --no-install-recommends one two")


def test_a_failed_update_is_not_the_end(fake: FakeApt, tmp_path: Path) -> None:
    """One source of several that cannot be reached fails it, and the packages may be there all the same."""
    fake.fail_at("update")
    install(tmp_path)
    assert len(fake.calls) == 2


def test_a_failed_installation_says_what_apt_said(fake: FakeApt, tmp_path: Path) -> None:
    """And names another way."""
    fake.fail_at("install")

    with pytest.raises(InstallFailed) as caught:
        install(tmp_path)

    assert "install --yes --no-install-recommends one two" in caught.value.what
    assert "exit code 100" in caught.value.cause
    assert "E: no such thing" in caught.value.cause
    assert "MEMLANE_AMQP_URL" in caught.value.hint
    assert not tmp_path.joinpath("policy-rc.d").exists()


def test_services_are_held_back_only_meanwhile(tmp_path: Path) -> None:
    """Debian's own switch is set, and set back."""
    policy = tmp_path / "policy-rc.d"

    with apt.services_held_back(policy):
        assert os.access(policy, os.X_OK)
        assert "exit 101" in policy.read_text()

    assert not policy.exists()


def test_a_policy_of_the_machines_own_is_left_alone(tmp_path: Path) -> None:
    """It was there before, and is there afterwards."""
    policy = tmp_path / "policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 0\n")

    with apt.services_held_back(policy):
        ...

    assert policy.read_text() == "#!/bin/sh\nexit 0\n"


def test_without_apt_nothing_may_be_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On another system, say."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert apt.why_not() == "there is no apt-get"


@pytest.mark.usefixtures("fake")
def test_without_root_nothing_may_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said, and not tried."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert apt.why_not() == "not running as root, which apt-get needs"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert apt.why_not() is None
