"""Where all settings come from: the environment (`MEMLANE_…`), or a file each."""

import os
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from memlane.contracts.errors import ConfigurationError

SECRETS_DIR = Path("/run/secrets")
"""Where Docker and Podman put secrets: a file `memlane_amqp_url` says what MEMLANE_AMQP_URL would."""


class Settings(BaseSettings):
    """Settings from the environment, and from files in `SECRETS_DIR`; the environment goes first."""

    model_config = SettingsConfigDict(env_prefix="MEMLANE_", extra="ignore", frozen=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  by pydantic-settings' signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is passed, then the environment, then the files, if there is such a folder for this user."""
        files = (_SecretFiles(settings_cls, SECRETS_DIR),) if _has_secrets() else ()
        return (init_settings, env_settings, *files)


class _SecretFiles(SecretsSettingsSource):
    """A file that can't be read is an error that names it, and its variable."""

    # Any: by pydantic-settings' signatures.
    def __call__(self) -> dict[str, Any]:
        try:
            return super().__call__()
        except SettingsError as error:
            # What is raised for a field comes wrapped.
            if isinstance(cause := error.__cause__, ConfigurationError):
                raise cause  # noqa: B904  it has its own cause
            raise

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        try:
            return super().get_field_value(field, field_name)
        except OSError as error:
            variable = f"{self.env_prefix}{field_name}"
            file = SECRETS_DIR / variable.lower()
            raise ConfigurationError(
                f"{variable.upper()}: the file {file} can't be read: {error.strerror or error}",
                hint="let this user read the file, or remove it",
            ) from error


def secret_file(variable: str) -> Path | None:
    """The file that says what an environment variable would, if there is one."""
    file = SECRETS_DIR / variable.lower()
    return file if _has_secrets() and file.is_file() else None


def _has_secrets() -> bool:
    """Whether there is such a folder, and this user may list it and open what is in it."""
    return os.access(SECRETS_DIR, os.R_OK | os.X_OK) and SECRETS_DIR.is_dir()
