"""What each setting is, and where that comes from. Passwords are masked."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, Literal

from pydantic import SecretStr, TypeAdapter
from pydantic_settings import BaseSettings

from memlane.contracts.canonical import Json
from memlane.contracts.settings import secret_file
from memlane.producers.cli.formatting import text_of
from memlane.producers.cli.options import problems_of, settings_from, variable_of
from memlane.producers.cli.said import said_now

Source = Literal["command line", "environment", "file", "default"]

PREFIX: Final = "MEMLANE_"
# Up to the last `@`: a password that was not escaped may hold anything.
_PASSWORD: Final = re.compile(r"(?<=://)([^:/@\s]*):\S*@")
_NEXT_URL: Final = re.compile(r",(?=\s*amqps?://)")
_PASSWORD_PARAMETER: Final = re.compile(r"((?:^|[?&])(?:password|secret|token)=)[^&\s]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting as it takes effect.

    Attributes:
        section: what it is for: `broker`, `client`, `worker`, `sink`, `log`.
        variable: the environment variable.
        value: in the form in which the environment takes it.
        source: where it comes from.
        meaning: what it does.
    """

    section: str
    variable: str
    value: str
    source: Source
    meaning: str


def effective(kinds: Iterable[type[BaseSettings]]) -> list[Setting]:
    """All settings of these kinds, each variable once.

    Raises:
        ConfigurationError: names the variable that can't work.
    """
    found: dict[str, Setting] = {}
    for kind in kinds:
        settings = settings_from(kind)
        for name in kind.model_fields:
            variable = variable_of(name)
            if variable not in found:
                found[variable] = _setting(settings, name, variable)
    return list(found.values())


def problems(kinds: Iterable[type[BaseSettings]], environment: Mapping[str, str]) -> list[str]:
    """What is wrong with the environment: values that can't work, and variables that mean nothing."""
    known = {variable_of(name) for kind in kinds for name in kind.model_fields}
    found = list(dict.fromkeys(problem for kind in kinds for problem in problems_of(kind)))
    for variable in sorted(environment):
        if variable.upper().startswith(PREFIX) and variable.upper() not in known:
            name = variable.upper().removeprefix(PREFIX)
            near = get_close_matches(name, (one.removeprefix(PREFIX) for one in known), n=1)
            found.append(
                f"{variable}: there is no such setting{f'; {PREFIX}{near[0]} is meant?' if near else ''}"
            )
    return found


def without_passwords(text: str) -> str:
    """The text with the passwords of URLs in it masked."""
    masked = (_PASSWORD.sub(r"\1:***@", part) for part in _NEXT_URL.split(text))
    return _PASSWORD_PARAMETER.sub(r"\1***", ",".join(masked))


def _setting(settings: BaseSettings, name: str, variable: str) -> Setting:
    kind = type(settings)
    return Setting(
        section=_section(kind, name),
        variable=variable,
        value=without_passwords(_text(getattr(settings, name))),
        source=_source(name, variable),
        meaning=kind.model_fields[name].description or "",
    )


def _section(kind: type[BaseSettings], name: str) -> str:
    """The name of the class that declares a field, without `Settings`."""
    owner = next(base for base in reversed(kind.__mro__) if name in getattr(base, "model_fields", {}))
    return owner.__name__.removesuffix("Settings").lower()


def _source(name: str, variable: str) -> Source:
    if name in said_now().settings():
        return "command line"
    if variable in {given.upper() for given in os.environ}:
        return "environment"
    return "default" if secret_file(variable) is None else "file"


def _text(value: object) -> str:
    if isinstance(value, SecretStr):
        secret = value.get_secret_value()
        return secret if "://" in secret else "***"
    if isinstance(value, dict):
        return text_of(dict.fromkeys(value, "***"))
    plain: Json = TypeAdapter(type(value)).dump_python(value, mode="json")
    return "" if plain is None else text_of(plain)
