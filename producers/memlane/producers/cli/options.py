"""Settings from the environment and the command line, with errors that name the variable."""

from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsError

from memlane.contracts.errors import ConfigurationError
from memlane.producers.cli.said import said_now

Settings = TypeVar("Settings", bound=BaseSettings)

_SEE = "see `memlane config show`"


# Any: what was said on the command line; the settings' model checks it.
def settings_from(kind: type[Settings], **said: Any) -> Settings:
    """The settings; what was said (is not None) goes before the global options, those before the environment.

    Raises:
        ConfigurationError: names the variable that can't work, and why.
    """
    explicit = {name: value for name, value in said.items() if value is not None}
    general = {name: value for name, value in said_now().settings().items() if name in kind.model_fields}
    try:
        return kind(**{**general, **explicit})
    except ValidationError as error:
        raise _explain(error.errors(include_url=False)[0]) from None
    except SettingsError as error:
        # Its text names the field, and may hold a part of the value.
        raise ConfigurationError(_unparsable(kind, str(error)), hint=_SEE) from None


def problems_of(kind: type[BaseSettings]) -> list[str]:
    """All that is wrong with the settings of a kind; empty where they can work."""
    try:
        kind()
    except ValidationError as error:
        return [_explain(details).message for details in error.errors(include_url=False)]
    except SettingsError as error:
        return [_unparsable(kind, str(error))]
    return []


def variable_of(field: str) -> str:
    """The environment variable of a settings field."""
    return f"MEMLANE_{field.upper()}"


def _explain(details: ErrorDetails) -> ConfigurationError:
    where = variable_of(str(details["loc"][0])) if details["loc"] else "MEMLANE_…"
    return ConfigurationError(f"{where}: {details['msg']}", hint=_SEE)


def _unparsable(kind: type[BaseSettings], text: str) -> str:
    field = next((name for name in kind.model_fields if f'"{name}"' in text), "")
    return f"{variable_of(field) if field else 'a setting'}: must be JSON, such as [1, 2]"
