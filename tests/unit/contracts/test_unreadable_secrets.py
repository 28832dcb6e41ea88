"""A folder or a file of secrets that this user may not read."""

import os
from pathlib import Path

import pytest
from pydantic_settings import SettingsError

from memlane.contracts import settings
from memlane.contracts.errors import ConfigurationError
from memlane.contracts.settings import Settings, secret_file


class Known(Settings):
    """Some settings."""

    amqp_url: str = "default"


class Other(Settings):
    """Without the secret."""

    sinks: str = "default"


class Listed(Settings):
    """The secret is to be JSON."""

    amqp_url: tuple[int, ...] = ()


@pytest.fixture
def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in the place of /run/secrets."""
    monkeypatch.setattr(settings, "SECRETS_DIR", tmp_path)
    file = tmp_path / "memlane_amqp_url"
    file.write_text("said", encoding="utf-8")
    return file


@pytest.mark.parametrize("denied", [os.R_OK, os.X_OK], ids=["listed", "entered"])
def test_a_folder_that_is_closed_says_nothing(
    secret: Path, monkeypatch: pytest.MonkeyPatch, denied: int
) -> None:
    """As if there were none."""
    assert Known().amqp_url == "said"
    assert secret_file("MEMLANE_AMQP_URL") == secret

    def access(path: Path, mode: int) -> bool:
        return path != secret.parent or not mode & denied

    monkeypatch.setattr(os, "access", access)
    assert Known().amqp_url == "default"
    assert secret_file("MEMLANE_AMQP_URL") is None


def test_a_file_that_is_closed_is_named(secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its variable, and what can be done. Settings without that variable do not mind."""

    def read_text(path: Path, encoding: str | None = None, errors: str | None = None) -> str:  # noqa: ARG001
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_text", read_text)
        assert Other().sinks == "default"
        with pytest.raises(ConfigurationError) as raised:
            Known()
    assert raised.value.message == f"MEMLANE_AMQP_URL: the file {secret} can't be read: Permission denied"
    assert raised.value.hint == "let this user read the file, or remove it"
    assert isinstance(raised.value.__cause__, PermissionError)


def test_another_error_of_a_file_is_told_as_ever(secret: Path) -> None:
    """One that can be read, and is no JSON where the setting takes that."""
    assert secret.exists()
    with pytest.raises(SettingsError, match="amqp_url"):
        Listed()
