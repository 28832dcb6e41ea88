"""Where all settings come from: the environment (`MEMLANE_…`), or a file each."""

from pathlib import Path

from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

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
        """What is passed, then the environment, then the files, if there is such a folder."""
        files = (SecretsSettingsSource(settings_cls, SECRETS_DIR),) if SECRETS_DIR.is_dir() else ()
        return (init_settings, env_settings, *files)


def secret_file(variable: str) -> Path | None:
    """The file that says what an environment variable would, if there is one."""
    file = SECRETS_DIR / variable.lower()
    return file if file.is_file() else None
